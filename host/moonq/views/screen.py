"""What the output can show: its colours, its characters, its width.

    screen = Screen.of(sys.stdout, options.color)
    show(views.queues(found, screen))

A terminal has a width, and there rich draws: tables that fit, words that wrap, colours. A pipe has
none: it gets whole lines, and rich is not even imported unless colours were asked for. Which ones
there are says `moonq.text.theme`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TextIO

from moonq.text import plain, theme
from moonq.text.findings import Finding, render
from moonq.text.plain import in_ascii
from moonq.text.theme import Theme

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.style import Style
    from rich.text import Text
    from rich.theme import Theme as RichTheme

    from moonq.sandbox.literals import Literals

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
    theme: Theme = field(default_factory=theme.chosen)

    @classmethod
    def of(cls, stream: TextIO, color: str = "auto") -> Screen:
        """Return what *stream* can show now; *color* is `auto`, `always` or `never`."""
        has_color = plain.has_color(stream) if color == "auto" else color == "always"
        return cls(has_color, plain.speaks_unicode(stream), plain.width_of(stream))

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
        if not (style and self.color):
            return text
        return self.theme.paint(style, text, theme.depth())

    def lines(self, drawn: RenderableType) -> list[str]:
        """Return what rich draws of *drawn*, line by line."""
        with self._console.capture() as capture:
            self._console.print(drawn, highlight=False)
        return [self.plain(line.rstrip()) for line in capture.get().splitlines()]

    def findings(self, found: Sequence[Finding]) -> list[str]:
        """Return *found*, problems in files, in frames of their lines."""
        drawn = render(
            found, paint=self.paint, width=self.room, unicode=self.unicode, explains=True
        )
        return drawn.split("\n")

    def markdown(self, text: str, link: Callable[[str], str] = str) -> list[str]:
        """Return Markdown as it is read on a terminal; a pipe gets it as it was written.

        *link* says what to show of where a link leads.
        """
        if not self.width:
            return [self.plain(line) for line in text.splitlines()]
        from rich.markdown import Markdown

        code_theme = _lua_theme(self.theme.name, theme.depth())
        drawn = Markdown(text, code_theme=code_theme, hyperlinks=False)
        for one in (child for token in drawn.parsed for child in token.children or ()):
            if one.type == "link_open":
                one.attrs["href"] = link(str(one.attrs["href"]))
        return self.lines(drawn)

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

        colors = _lua_theme(self.theme.name, theme.depth())
        found = Syntax("", "lua", theme=colors, word_wrap=True).highlight(text)
        found.right_crop(len(found.plain) - len(text))
        return found

    def value(self, value: Any, width: int | None = None) -> str:
        """Return JSON data as a Lua literal: whole and on one line, or wrapped at *width*."""
        return _literals().show(value, width or 0)

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console

        return Console(
            width=self.room,
            height=USUAL_WIDTH,
            color_system=_SYSTEMS[theme.depth()] if self.color else None,
            force_terminal=self.color,
            no_color=not self.color,
            theme=_rich_theme(self.theme.name, theme.depth()),
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


_SYSTEMS: dict[int, Literal["truecolor", "256", "standard"]] = {
    theme.TRUE: "truecolor",
    theme.CUBE: "256",
    theme.ANSI: "standard",
}


def _rich_style(name: str, style: str, colors: int) -> Style:
    """A style as rich has it: with the very colours that `Theme.codes` has."""
    from rich.style import Style

    drawn, ink = theme.STYLES[style], theme.THEMES[name].ink(style, colors)
    place = ink and (ink.ansi if colors == theme.ANSI else ink.cube)
    color = ink and (ink.rgb if colors == theme.TRUE else f"color({place})")
    return Style(color=color, bold=drawn.bold or None, reverse=drawn.reverse or None)


@cache
def _rich_theme(name: str, colors: int) -> RichTheme:
    from rich.default_styles import DEFAULT_STYLES
    from rich.theme import Theme as RichTheme

    # What rich has styles for beside ours is drawn without its colours: some are hard to read.
    others = {style: drawn.without_color for style, drawn in DEFAULT_STYLES.items()}
    own = {style: _rich_style(name, style, colors) for style in theme.STYLES}
    return RichTheme({**others, **own})


@cache
def _lua_theme(name: str, colors: int) -> Any:
    from pygments.token import string_to_tokentype
    from rich.syntax import ANSISyntaxTheme

    styles = {
        string_to_tokentype(word.title()): _rich_style(name, style, colors)
        for word, style in theme.LUA_STYLES.items()
    }
    return ANSISyntaxTheme(styles)
