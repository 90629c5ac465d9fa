"""A line that says how far long work has come: on a terminal only, and only if it takes a while."""

from __future__ import annotations

import sys
import time

from moonq.cli.options import Options

#: Seconds before the first line, and between two.
PATIENCE = 0.5
PERIOD = 0.1


class Progress:
    """One line of stderr that is written over and over, and gone in the end."""

    def __init__(self, options: Options) -> None:
        self._is_shown = sys.stderr.isatty() and not options.quiet and not options.json
        self._due = time.monotonic() + PATIENCE
        self._written = False

    def show(self, text: str) -> None:
        """Say how far it has come, if it is time to."""
        now = time.monotonic()
        if self._is_shown and now >= self._due:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
            self._due, self._written = now + PERIOD, True

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._written:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
