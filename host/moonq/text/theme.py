"""The colours that everything is drawn in: tables, log lines, the prompt, the status bar, `top`.

    theme = chosen()                            # of this process: see `choose`
    theme.paint("bad", "dead", depth())         # "\\x1b[38;5;163mdead\\x1b[0m"
    theme.ink("bad", 256)                       # its colour there: Ink("#ee0000", 163, None)

`auto` can be read on black and on white, `dark` and `light` on what people call so: the contrast of
each colour with each of `BACKGROUNDS` is 4.5 or more, as WCAG 2.2 wants for text (success criterion
1.4.3). A terminal of 16 colours decides itself what they look like, and hardly any can be read on
both black and white; there `auto` has bold and reversed text, and no colours. No meaning is carried
by a colour alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

#: How many colours a terminal has.
TRUE, CUBE, ANSI = 1 << 24, 256, 16
#: Terminals with the colours that ECMA-48 and their makers gave names to, and no others.
FEW_COLORS: Final = ("linux", "eterm", "ansi", "cygwin", "vt")
#: What each theme is read on. In 16 colours black and white are those of the terminal.
BACKGROUNDS: Final = {
    "auto": ("#000000", "#ffffff"),
    "dark": ("#000000", "#1e1e1e", "#282c34", "#002b36", "#2e3440"),
    "light": ("#ffffff", "#fafafa", "#fdf6e3"),
}


class Ink(NamedTuple):
    """One colour on every kind of terminal."""

    rgb: str
    cube: int
    """Its place among the 256: those from 16 on look the same everywhere."""
    ansi: int | None = None
    """Its place among the 16; None: none of them will do."""

    def on(self, colors: int) -> str:
        """Return it as `#rrggbb`, where the terminal has that many *colors*."""
        return self.rgb if colors == TRUE else rgb_of(self.cube)

    def code(self, colors: int, *, behind: bool = False) -> str:
        """Return the parameters of its escape sequence, of text or *behind* text."""
        start = 48 if behind else 38
        if colors == TRUE:
            parts = [str(int(self.rgb[at : at + 2], 16)) for at in (1, 3, 5)]
            return f"{start};2;{';'.join(parts)}"
        if colors == CUBE:
            return f"{start};5;{self.cube}"
        if self.ansi is None:
            return ""
        return str((start - 8 if self.ansi < 8 else start + 44) + self.ansi)


class Style(NamedTuple):
    """How one kind of text is drawn."""

    ink: str = ""
    bold: bool = False
    reverse: bool = False
    behind: str = ""
    """The colour behind it."""


#: What is drawn, by the names that views use; rich knows some of them too.
STYLES: Final = {
    **{name: Style(name) for name in ("bad", "good", "warn", "note", "dim")},
    "bold": Style(bold=True),
    "head": Style("dim", bold=True),
    "error": Style("bad", bold=True),
    "warning": Style("warn", bold=True),
    "info": Style("note", bold=True),
    "frame": Style("note"),
    "alarm": Style("white", bold=True, behind="red"),
    "selected": Style(reverse=True),
    "markdown.code": Style("note"),
    "markdown.code_block": Style("note"),
}
#: The words of Lua by their kind, as pygments names it.
LUA_STYLES: Final = {
    "keyword": "note",
    "literal.string": "good",
    "literal.number": "warn",
    "comment": "dim",
}
_ALARM = {"white": Ink("#ffffff", 231, 15), "red": Ink("#aa0000", 124, 1)}


@dataclass(frozen=True)
class Theme:
    """Colours by what they mean."""

    name: str
    inks: Mapping[str, Ink]

    def ink(self, style: str, colors: int) -> Ink | None:
        """Return the colour of a style, where the terminal has one for it."""
        found = self.inks.get(STYLES[style].ink)
        return None if found is None or (colors == ANSI and found.ansi is None) else found

    def codes(self, style: str, colors: int) -> str:
        """Return the parameters of the escape sequence that begins a style."""
        drawn = STYLES[style]
        ink, behind = self.inks.get(drawn.ink), self.inks.get(drawn.behind)
        parts = ["1" if drawn.bold else "", ink.code(colors) if ink else ""]
        parts += [behind.code(colors, behind=True) if behind else ""]
        # What stands out by the colour behind it does so without colours too.
        parts += ["7" if drawn.reverse or (drawn.behind and not behind) else ""]
        return ";".join(filter(None, parts))

    def paint(self, style: str, text: str, colors: int) -> str:
        """Return *text* in a style."""
        codes = self.codes(style, colors)
        return f"\x1b[{codes}m{text}\x1b[0m" if codes and text else text


THEMES: Final = {
    one.name: one
    for one in (
        Theme(
            "auto",
            {
                "bad": Ink("#ee0000", 163),
                "good": Ink("#008800", 29),
                "warn": Ink("#a86600", 131),
                "note": Ink("#008484", 63),
                "dim": Ink("#767676", 243),
                **_ALARM,
            },
        ),
        Theme(
            "dark",
            {
                "bad": Ink("#ff8787", 210, 9),
                "good": Ink("#87d787", 114, 10),
                "warn": Ink("#ffaf5f", 215, 11),
                "note": Ink("#5fd7ff", 81, 14),
                "dim": Ink("#a8a8a8", 248, 7),
                **_ALARM,
            },
        ),
        Theme(
            "light",
            {
                "bad": Ink("#af0000", 124, 1),
                "good": Ink("#005f00", 22, 4),
                "warn": Ink("#875f00", 94, 5),
                "note": Ink("#005f87", 24, 4),
                "dim": Ink("#626262", 241),
                **_ALARM,
            },
        ),
        Theme("none", {}),
    )
}
_chosen = THEMES["auto"]


def choose(name: str) -> None:
    """Draw everything in the theme *name* from now on, in all of this process."""
    global _chosen  # noqa: PLW0603 - a process has one person before it
    _chosen = THEMES[name]


def chosen() -> Theme:
    """Return the theme that was chosen last, `auto` before that."""
    return _chosen


def depth(env: Mapping[str, str] = os.environ) -> int:
    """Return how many colours the terminal has."""
    if env.get("COLORTERM") in ("truecolor", "24bit"):
        return TRUE
    return ANSI if env.get("TERM", "").startswith(FEW_COLORS) else CUBE


def rgb_of(cube: int) -> str:
    """Return a colour of the 256 from 16 on as `#rrggbb`: a cube of 6 x 6 x 6, then greys."""
    if cube >= 232:
        return f"#{8 + 10 * (cube - 232):02x}" + f"{8 + 10 * (cube - 232):02x}" * 2
    steps = (0, 95, 135, 175, 215, 255)
    red, rest = divmod(cube - 16, 36)
    return "#" + "".join(f"{steps[one]:02x}" for one in (red, *divmod(rest, 6)))
