"""`python -m moonq`, and the command `moonq`."""

from __future__ import annotations

import os
import signal


def _leave(number: int, _frame: object) -> None:
    os._exit(128 + number)


# Before any other import: they take a while, and a first process of a container would not hear
# the signal at all. Nothing is held yet; `guarded` answers better later.
for _number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    if signal.getsignal(_number) in (signal.SIG_DFL, signal.default_int_handler):
        signal.signal(_number, _leave)

import sys  # noqa: E402
import threading  # noqa: E402


def main() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        from moonq.cli.failures import guarded
        from moonq.cli.options import Options
        from moonq.cli.streams import use_standard_streams
        from moonq.threads import be_frugal
    except (MemoryError, ImportError) as error:
        if isinstance(error, MemoryError) or "map" in str(error) or "memory" in str(error):
            sys.stderr.write("moonq: this process may have too little memory (`ulimit -v`)\n")
            os._exit(5)
        raise
    be_frugal()
    use_standard_streams()
    code = guarded(sys.argv[1:], Options())
    if any(is_in_lua(thread) for thread in threading.enumerate()):
        # A thread that could not be stopped would wake up in an interpreter that is being taken
        # apart. Everything is handed back and written by now.
        os._exit(code)
    sys.exit(code)


def is_in_lua(thread: threading.Thread) -> bool:
    """Whether *thread* runs scripts: a call by hand, a session, or a consumer's worker."""
    return thread.daemon and (thread.name in ("call", "moonq-session") or "#" in thread.name)


if __name__ == "__main__":
    main()
