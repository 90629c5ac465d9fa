"""Lines on a stream: in the colours of the theme on a terminal, plain and whole elsewhere.

lines = Lines(options, sys.stderr)
lines.line("  ", ("✓", "good"), " app:mem  queue.driver.memory")
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TextIO

from moonq.cli.streams import bare
from moonq.text.folding import fold, fold_text
from moonq.text.plain import in_ascii, safe

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from moonq.text.findings import Finding

#: Seconds before progress is shown.
PATIENCE = 0.5
#: A text, perhaps with its style.
Part = str | tuple[str, str]


class Manner(Protocol):
    """What is asked of the common options here; see `moonq.cli.options.Options`."""

    color: str
    json: bool
    quiet: bool


class Lines:
    """Writes lines for *stream*; *to* takes them in its place."""

    def __init__(self, options: Manner, stream: TextIO, to: TextIO | None = None) -> None:
        from moonq.views import Screen

        self.screen = Screen.of(stream, options.color)
        self.to = to or stream
        self.console: Console | None = None
        """What keeps something below the lines, as long as it does."""

    def line(self, *parts: Part, below: str = "") -> None:
        """Write one line, which may go on below itself; what stands *below* is drawn already."""
        text = "\n".join(self._fitting(parts))
        if below:
            text = "\n".join([*([text] if parts else []), self._painted(below)])
        if self.console is not None:
            from rich.text import Text

            self.console.print(Text.from_ansi(safe(text)), soft_wrap=True)
            return
        # One write: workers log to the same stream at the same moment.
        self.to.write(f"{text}\n")
        self.to.flush()

    def drawn(self, findings: Sequence[Finding], margin: int = 0) -> str:
        """Return *findings* drawn for this stream, with *margin* columns to spare."""
        screen = replace(self.screen, width=self.screen.room - margin)
        return "\n".join(screen.findings(findings))

    def folded(self, rows: Iterable[str]) -> str:
        """Return *rows* as lines that fit."""
        return "\n".join(line for row in rows for line in fold_text(row, self.screen.width))

    def _fitting(self, parts: Sequence[Part]) -> Iterator[str]:
        told = [(part, "") if isinstance(part, str) else part for part in parts]
        for line in fold(told, self.screen.width):
            yield "".join(map(self._painted, line))

    def _painted(self, part: Part) -> str:
        text, style = (part, "") if isinstance(part, str) else part
        return self.screen.paint(style, text if self.screen.unicode else in_ascii(text))


class Progress:
    """A line below all others that says how far long work has come, and is gone in the end.

    It is there on a terminal only, and only when the work takes a while.
    """

    def __init__(self, options: Manner, lines: Lines | None = None) -> None:
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
        self._lines.console = Console(file=bare(to), no_color=not screen.color, highlight=False)
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
