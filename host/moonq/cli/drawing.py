"""Lines on a stream: rich draws them where there are colours, elsewhere they are plain and whole.

screen = Screen(options, sys.stderr)
screen.line("  ", ("✓", "good"), " app:mem  queue.driver.memory")
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from moonq.cli.options import Options
from moonq.text.plain import in_ascii, speaks_unicode

if TYPE_CHECKING:
    from rich.console import Console

    from moonq.text.findings import Finding

#: Readable on black and on white.
STYLES = {"good": "green", "bad": "red", "warn": "yellow"}

Part = str | tuple[str, str]


class Screen:
    """What one stream can show, and showing it; *to* takes the text in the place of *stream*."""

    def __init__(self, options: Options, stream: TextIO, to: TextIO | None = None) -> None:
        self.color = options.has_color(stream)
        self.unicode = speaks_unicode(stream)
        self.is_terminal = stream.isatty()
        self._to = to or stream

    def line(self, *parts: Part, below: str = "") -> None:
        """Write one line of texts, each perhaps with its style; *below* is drawn already."""
        if not self.unicode:
            parts, below = tuple(map(_in_ascii, parts)), in_ascii(below)
        if self.color or self.is_terminal:
            from rich.text import Text

            texts = [Text.assemble(*parts)] if parts else []
            texts += [Text.from_ansi(below)] if below else []
            self.console.print(*texts, sep="\n", soft_wrap=True)
            return
        text = "".join(part if isinstance(part, str) else part[0] for part in parts)
        # One write: workers log to the same stream at the same moment.
        self._to.write("\n".join(filter(None, (text, below))) + "\n")
        self._to.flush()

    def drawn(self, findings: Sequence[Finding], margin: int = 0) -> str:
        """Return *findings* drawn for this stream, with *margin* columns to spare."""
        from moonq.text.findings import render

        columns = shutil.get_terminal_size((100, 24)).columns if self.is_terminal else 100
        return render(findings, color=self.color, width=columns - margin, unicode=self.unicode)

    @cached_property
    def console(self) -> Console:
        """The console of rich for this stream."""
        from rich.console import Console
        from rich.theme import Theme

        return Console(
            file=self._to,
            force_terminal=self.color or None,
            color_system="standard" if self.color else None,
            no_color=not self.color,
            theme=Theme(STYLES, inherit=False),
            highlight=False,
        )


def _in_ascii(part: Part) -> Part:
    return in_ascii(part) if isinstance(part, str) else (in_ascii(part[0]), part[1])
