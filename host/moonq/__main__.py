"""`python -m moonq`, and the command `moonq`."""

from __future__ import annotations

import io
import os
import sys
import threading


def main() -> None:
    """Run the command line and end the process with its exit code."""
    from moonq.cli.failures import guarded
    from moonq.cli.options import Options

    # A terminal that cannot write a character gets another one, not an error.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    code = guarded(sys.argv[1:], Options())
    if any(is_in_lua(thread) for thread in threading.enumerate()):
        # A thread that could not be stopped would wake up in an interpreter that is being taken
        # apart. Everything is handed back and written by now.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def is_in_lua(thread: threading.Thread) -> bool:
    """Whether *thread* runs scripts: a call by hand, a session, or a consumer's worker."""
    return thread.daemon and (thread.name in ("call", "moonq-session") or "#" in thread.name)


if __name__ == "__main__":
    main()
