"""A line that says how far long work has come: on a terminal only, and only if it takes a while."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from moonq.cli.drawing import Lines
from moonq.cli.options import Options

if TYPE_CHECKING:
    from rich.status import Status

#: Seconds before it is shown.
PATIENCE = 0.5


class Progress:
    """One line below all others that is written over and over, and gone in the end."""

    def __init__(self, options: Options, lines: Lines | None = None) -> None:
        self._lines = lines or Lines(options, sys.stderr)
        self._is_shown = self._lines.to.isatty() and not options.quiet and not options.json
        self._due = time.monotonic() + PATIENCE
        self._status: Status | None = None

    def show(self, text: str) -> None:
        """Say how far it has come."""
        if self._status is not None:
            self._status.update(text)
        elif self._is_shown and time.monotonic() >= self._due:
            self._status = self._begun(text)

    def _begun(self, text: str) -> Status:
        from rich.console import Console

        screen, to = self._lines.screen, self._lines.to
        self._lines.console = Console(file=to, no_color=not screen.color, highlight=False)
        spinner = "dots" if screen.unicode else "line"
        status = self._lines.console.status(text, spinner=spinner, spinner_style="none")
        status.start()
        return status

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()
        self._lines.console = None
