"""What the output can show, and the one theme that everything is drawn in.

    screen = Screen.of(sys.stdout, options.color)
    show(views.queues(found, screen))

A terminal has a width, and there rich draws: tables that fit, words that wrap, colours. A pipe has
none: it gets whole lines, and rich is not even imported unless colours were asked for. No meaning
is carried by a colour alone.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

from moonq.text import plain
from moonq.text.findings import Finding, render
from moonq.text.plain import in_ascii

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from moonq.sandbox.literals import Literals

#: Each can be read on black and on white: its contrast with both is 4.5 or more.
COLORS = {
    "bad": "#ee0000",
    "good": "#008800",
    "warn": "#a86600",
    "note": "#008484",
    "dim": "#767676",
}
STYLES = {
    **COLORS,
    "bold": "bold",
    "head": f"bold {COLORS['dim']}",
    "error": f"bold {COLORS['bad']}",
    "warning": f"bold {COLORS['warn']}",
    "info": f"bold {COLORS['note']}",
    "frame": COLORS["note"],
    "alarm": "bold #ffffff on #aa0000",
    "selected": "reverse",
    "markdown.code": COLORS["note"],
    "markdown.code_block": COLORS["note"],
}
#: The words of Lua by their kind, as pygments names it.
LUA_COLORS = {
    "keyword": "note",
    "literal.string": "good",
    "literal.number": "warn",
    "comment": "dim",
}
#: Columns that text is written for where the output has no width of its own.
USUAL_WIDTH = 100
#: Lines that are written in one piece.
BATCH = 500


@dataclass(frozen=True)
class Screen:
    """What one output can show."""

    color: bool = False
    unicode: bool = True
    width: int = 0
    """0: it is no terminal, so nothing is cut or wrapped."""

    @classmethod
    def of(cls, stream: TextIO, color: str = "auto") -> Screen:
        """Return what *stream* can show now; *color* is `auto`, `always` or `never`."""
        has_color = plain.has_color(stream) if color == "auto" else color == "always"
        width = shutil.get_terminal_size((80, 24)).columns if stream.isatty() else 0
        return cls(has_color, plain.speaks_unicode(stream), width)

    @property
    def room(self) -> int:
        """The columns to write for."""
        return self.width or USUAL_WIDTH

    def id(self, message_id: str) -> str:
        """Return a message's id: as log lines show it on a terminal, whole in a pipe."""
        return plain.short(message_id) if self.width else message_id

    def plain(self, text: str) -> str:
        """Return *text* in the characters that the screen has."""
        if self.unicode or text.isascii():
            return text
        return in_ascii(text, same_width=True)

    def paint(self, style: str, text: str) -> str:
        """Return *text* in a style of the theme, where there are colours."""
        if style == "lua":
            return self.lua(text)
        text = self.plain(text)
        if not (style and self.color and text):
            return text
        start, end = _codes(style, _color_system())
        return f"{start}{text}{end}"

    def lines(self, drawn: RenderableType) -> list[str]:
        """Return what rich draws of *drawn*, line by line."""
        with self._console.capture() as capture:
            self._console.print(drawn, highlight=False)
        return [self.plain(line.rstrip()) for line in capture.get().splitlines()]

    def findings(self, found: Sequence[Finding]) -> list[str]:
        """Return *found*, problems in files, in frames of their lines."""
        drawn = render(found, paint=self.paint, width=self.room, unicode=self.unicode)
        return drawn.split("\n")

    def markdown(self, text: str) -> list[str]:
        """Return Markdown as it is read on a terminal; a pipe gets it as it was written."""
        if not self.width:
            return [self.plain(line) for line in text.splitlines()]
        from rich.markdown import Markdown

        return self.lines(Markdown(text, code_theme=_lua_theme(), hyperlinks=False))

    def lua(self, text: str) -> str:
        """Return Lua text with its words coloured, line by line as it is."""
        if not self.color:
            return self.plain(text)
        with self._console.capture() as capture:
            self._console.print(self._lua_text(text), soft_wrap=True, end="")
        return self.plain(capture.get())

    def text(self, text: str, style: str) -> Text:
        """Return a text for rich in a style of the theme, or in the colours of Lua."""
        from rich.text import Text

        return self._lua_text(text) if style == "lua" else Text(text, style)

    def _lua_text(self, text: str) -> Text:
        from rich.syntax import Syntax

        found = Syntax("", "lua", theme=_lua_theme(), word_wrap=True).highlight(text)
        found.right_crop(len(found.plain) - len(text))
        return found

    def value(self, value: Any, width: int | None = None) -> str:
        """Return JSON data as a Lua literal: whole and on one line, or wrapped at *width*."""
        return _literals().show(value, width or 0)

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console
        from rich.theme import Theme

        return Console(
            width=self.room,
            height=USUAL_WIDTH,
            color_system=_color_system() if self.color else None,  # type: ignore[arg-type]
            force_terminal=self.color,
            no_color=not self.color,
            theme=Theme(STYLES),
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )


def show(lines: Iterable[str], stream: TextIO | None = None) -> None:
    """Write *lines* to *stream*, by default stdout, as they come."""
    stream = sys.stdout if stream is None else stream
    every: Iterator[str] = iter(lines)
    while batch := list(islice(every, BATCH)):
        stream.write("".join(f"{line}\n" for line in batch))
        stream.flush()


_own = threading.local()


def _literals() -> Literals:
    """This thread's state that writes Lua: one for each screen would cost 6 ms and its memory."""
    if not hasattr(_own, "literals"):
        from moonq.sandbox.literals import Literals

        _own.literals = Literals()
    found: Literals = _own.literals
    return found


def _color_system() -> str:
    """How many colours the terminal has."""
    many = os.environ.get("COLORTERM", "") in ("truecolor", "24bit")
    return "truecolor" if many else "256" if "256" in os.environ.get("TERM", "") else "standard"


@cache
def _codes(style: str, system: str) -> tuple[str, str]:
    """The escape sequences around a text in *style*."""
    from rich.color import ColorSystem
    from rich.style import Style

    # `rich.console` has this table too, but takes three times as long to import.
    names = {"standard": "STANDARD", "256": "EIGHT_BIT", "truecolor": "TRUECOLOR"}
    # What rich has parsed once keeps the codes of the first terminal that it was drawn on.
    fresh: Style = Style.parse.__wrapped__(Style, STYLES[style])
    drawn = fresh.render("\0", color_system=ColorSystem[names[system]])
    start, _, end = drawn.partition("\0")
    return start, end


@cache
def _lua_theme() -> Any:
    from pygments.token import string_to_tokentype
    from rich.style import Style
    from rich.syntax import ANSISyntaxTheme

    styles = {word.title(): Style.parse(COLORS[name]) for word, name in LUA_COLORS.items()}
    return ANSISyntaxTheme({string_to_tokentype(word): style for word, style in styles.items()})
