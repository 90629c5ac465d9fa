"""The theme as prompt_toolkit draws it: what is typed, the status bar, and what `top` draws."""

from __future__ import annotations

from functools import cache

from prompt_toolkit.output import ColorDepth
from prompt_toolkit.styles import Style

from moonq.text import theme
from moonq.text.theme import Theme

_DEPTHS = {
    theme.TRUE: ColorDepth.DEPTH_24_BIT,
    theme.CUBE: ColorDepth.DEPTH_8_BIT,
    theme.ANSI: ColorDepth.DEPTH_4_BIT,
}
#: The 16 colours by their names there.
_NAMES = (
    *("ansiblack", "ansired", "ansigreen", "ansiyellow", "ansiblue", "ansimagenta", "ansicyan"),
    *("ansigray", "ansibrightblack", "ansibrightred", "ansibrightgreen", "ansibrightyellow"),
    *("ansibrightblue", "ansibrightmagenta", "ansibrightcyan", "ansiwhite"),
)


def depth(*, has_color: bool) -> ColorDepth:
    """Return how many colours are used: those that the terminal has, or none."""
    return _DEPTHS[theme.depth()] if has_color else ColorDepth.DEPTH_1_BIT


def style(chosen: Theme) -> Style:
    """Return the style of the prompt, of what is typed, and of what stands below."""
    return _style(chosen.name, theme.depth())


@cache
def _style(name: str, colors: int) -> Style:
    def drawn(style: str) -> str:
        return _drawn(theme.THEMES[name], style, colors)

    return Style.from_dict(
        {
            "bottom-toolbar": f"noreverse {drawn('dim')}",
            # Reversed, the terminal's own colours are as far apart as they always are.
            "status": "reverse fg:default",
            "production": drawn("alarm"),
            "refusal": drawn("bad"),
            "signature": drawn("dim"),
            "auto-suggestion": drawn("dim"),
            # What prompt_toolkit has colours for that are hard to read somewhere.
            "aborting": drawn("dim"),
            "exiting": drawn("dim"),
            "control-character": drawn("note"),
            "nbsp": "underline fg:default",
            "completion-menu.completion.current": "bg:#000000 fg:#ffffff noreverse",
            **{f"pygments.{word}": drawn(style) for word, style in theme.LUA_STYLES.items()},
        }
    )


def _drawn(chosen: Theme, style: str, colors: int) -> str:
    wanted = theme.STYLES[style]
    ink, behind = chosen.ink(style, colors), chosen.inks.get(wanted.behind)
    parts = ["bold" if wanted.bold else ""]
    parts += [f"fg:{_color(ink.ansi, ink.on(colors), colors)}" if ink else ""]
    parts += [f"bg:{_color(behind.ansi, behind.on(colors), colors)}" if behind else ""]
    parts += ["reverse" if wanted.reverse or (wanted.behind and not behind) else ""]
    return " ".join(filter(None, parts))


def _color(ansi: int | None, rgb: str, colors: int) -> str:
    return _NAMES[ansi] if colors == theme.ANSI and ansi is not None else rgb
