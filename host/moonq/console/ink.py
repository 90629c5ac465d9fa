"""Colours, and what stands in for them: no meaning is carried by a colour alone."""

from __future__ import annotations

from dataclasses import dataclass

from moonq.text.plain import in_ascii

_CODES = {"dim": "2", "bold": "1", "red": "31", "green": "32", "yellow": "33", "alarm": "1;37;41"}


@dataclass(frozen=True, slots=True)
class Ink:
    """What the screen can show."""

    color: bool = False
    unicode: bool = True
    width: int = 80

    def paint(self, kind: str, text: str) -> str:
        """Return *text* in the colour of *kind*, where there are colours."""
        return f"\x1b[{_CODES[kind]}m{text}\x1b[0m" if self.color and text else text

    def plain(self, text: str) -> str:
        """Return *text* in the characters that the screen has."""
        return text if self.unicode else in_ascii(text)

    def lua(self, text: str) -> str:
        """Return Lua text with its words coloured."""
        if not self.color:
            return text
        from pygments import highlight
        from pygments.formatters.terminal import TerminalFormatter
        from pygments.lexers.scripting import LuaLexer

        lexer = LuaLexer(stripnl=False, ensurenl=False)
        return str(highlight(text, lexer, TerminalFormatter())).rstrip("\n")
