"""Output that is longer than the screen."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from moonq.console.paging import BELOW, Pages, Size, fits, height

from .screen import Screen

pytestmark = pytest.mark.aside("terminal")


def test_a_screen_of_lines_leaves_room_for_the_prompt() -> None:
    lines = [str(number) for number in range(25)]
    pages, size = Pages(), Size(80, 13)
    assert list(pages.begin(lines, size)) == lines[:10]
    assert pages.left == 15
    assert list(pages.more(size)) == lines[10:20]
    assert list(pages.more(size)) == lines[20:]
    assert list(pages.more(size)) == []
    assert fits(lines[:10], size)
    assert not fits(lines[:11], size)


def test_a_line_that_wraps_takes_the_rows_that_it_takes() -> None:
    size = Size(10, BELOW + 4)
    assert [height(text, size) for text in ("", "x" * 10, "x" * 11, "注" * 6)] == [1, 1, 2, 2]
    assert height("\x1b[38;5;163m" + "x" * 10 + "\x1b[0m", size) == 1
    pages = Pages()
    assert list(pages.begin(["x" * 25, "y", "z"], size)) == ["x" * 25, "y"]
    assert list(pages.begin(["x" * 99, "y"], size)) == ["x" * 99], "at least one"


@pytest.fixture
def small(shop: Path, tmp_path: Path, screen: Screen) -> Callable[..., Screen]:
    """A console in a terminal of twelve rows."""
    screen.close()
    made = Screen(tmp_path, columns=80, rows=12)

    def start(**env: str) -> Screen:
        made.start("repl", "-C", shop, NO_COLOR="", LESS="", PAGER="", **env)
        made.shows(r"^shop>")
        return made

    return start


def test_what_is_typed_after_long_output_is_run_and_what_was_shown_stays(
    small: Callable[..., Screen],
) -> None:
    screen = small()
    screen.enter("\\?")
    screen.shows(r"… \d+ lines more")
    screen.enter("1 + 41")
    screen.shows(r"^42$")
    assert "list the commands" in screen.text()
    assert "ESC" not in screen.text()
    screen.enter("\\?")
    screen.shows(r"\\\? \[NAME\][\s\S]*\\\? \[NAME\][\s\S]*… \d+ lines more")
    for key in ["Enter", "Space"] * 6:
        screen.press(key)
    screen.shows(r"\\name\? the Lua behind a command")
    screen.enter("\\more")
    screen.shows("there is no more")


def test_stock_less_draws_colours_and_leaves_them_behind(small: Callable[..., Screen]) -> None:
    screen = small()
    screen.enter("\\set pager less")
    screen.enter("?queue")
    screen.shows(r"^:$")
    screen.type("q")
    screen.enter("2 + 40")
    screen.shows(r"^42$")
    text = screen.text()
    assert re.search(r"^queue$", text, re.MULTILINE)
    assert "ESC[" not in text
    assert "[38" not in text
