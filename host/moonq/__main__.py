"""`python -m moonq`, and the command `moonq`."""

from __future__ import annotations

import io
import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    from moonq.cli.failures import guarded
    from moonq.cli.options import Options

    # A terminal that cannot write a character gets another one, not an error.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(guarded(sys.argv[1:], Options()))


if __name__ == "__main__":
    main()
