"""A line that says how far long work has come: on a terminal only, and only if it takes a while."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from moonq.cli.drawing import Screen
from moonq.cli.options import Options

if TYPE_CHECKING:
    from rich.status import Status

#: Seconds before it is shown.
PATIENCE = 0.5


class Progress:
    """One line below all others that is written over and over, and gone in the end."""

    def __init__(self, options: Options, screen: Screen | None = None) -> None:
        self._screen = screen or Screen(options, sys.stderr)
        self._is_shown = self._screen.is_terminal and not options.quiet and not options.json
        self._due = time.monotonic() + PATIENCE
        self._status: Status | None = None

    def show(self, text: str) -> None:
        """Say how far it has come."""
        if self._status is not None:
            self._status.update(text)
        elif self._is_shown and time.monotonic() >= self._due:
            spinner = "dots" if self._screen.unicode else "line"
            self._status = self._screen.console.status(text, spinner=spinner, spinner_style="good")
            self._status.start()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()
