"""What a real terminal is told to paint: every colour on the screen can be read on its theme's
backgrounds.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from moonq.text.theme import BACKGROUNDS, rgb_of

from ..conftest import until
from ..views.test_theme import ENOUGH, contrast
from .screen import Screen

Start = Callable[..., Screen]


def shown(screen: Screen) -> set[tuple[str, str]]:
    """The colours of text on the screen, each with what is behind it; empty: the terminal's own."""
    found, text, behind = set(), "", ""
    for codes, painted in re.findall(r"\x1b\[([\d;]*)m([^\x1b]*)", screen.raw()):
        for code in re.findall(r"[34]8;5;\d+|\d+", codes or "0"):
            color = rgb_of(int(code[5:])) if code[1:4] == "8;5" else ""
            # None is one of the 16: what those look like only the terminal knows.
            assert color or not 30 <= int(code) % 60 < 38
            text = color if code[0] == "3" else "" if code == "0" else text
            behind = color if code[0] == "4" else "" if code == "0" else behind
        if painted.strip() and text:
            found.add((text, behind))
    return found


def test_everything_on_the_screen_can_be_read(console: Start) -> None:
    screen = console(NO_COLOR="", COLORTERM="", TERM="xterm-256color")
    for theme in ("auto", "dark", "light"):
        screen.press("C-l")
        screen.enter(f"\\set theme {theme}")
        screen.shows(rf"^shop> \\set theme {theme}\n(.*\n)*shop>$")
        screen._run("clear-history")
        screen.press("C-l")
        screen.enter(f'local t = {{ 1, "{theme}" }} return t -- so')
        screen.shows(rf'^{{ 1, "{theme}" }}')
        screen.enter('error("x")')
        screen.shows(r"^error UNKNOWN")
        screen.type('queue.publish("app:or')
        screen.shows(r"^ queue\.publish\(")
        # What is being typed is painted a moment after it is there.
        until(lambda: len(shown(screen)) >= 4, 10)
        found = shown(screen)
        for background in BACKGROUNDS[theme]:
            assert [one for one in found if contrast(one[0], one[1] or background) < ENOUGH] == []
        screen.press("C-c", "C-c")
