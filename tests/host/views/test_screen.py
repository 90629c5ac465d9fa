"""What an output can show, and the colours that everything is drawn in."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from rich.style import Style

from moonq.text.findings import Span, error
from moonq.text.theme import THEMES
from moonq.views import Screen
from moonq.views.screen import show


@pytest.fixture(autouse=True)
def _forgotten_codes() -> Iterator[None]:
    """Let rich forget the codes of its styles: it takes a process to have one terminal."""
    Style.parse.cache_clear()
    yield
    Style.parse.cache_clear()


class Terminal(io.StringIO):
    """A stream that calls itself a terminal."""

    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("color", "env", "has_color"),
    [
        ("auto", {}, True),
        ("never", {}, False),
        ("auto", {"NO_COLOR": "1"}, False),
        ("always", {"NO_COLOR": "1"}, True),
        ("auto", {"TERM": "dumb"}, False),
    ],
)
def test_colours_are_there_where_they_are_welcome(
    monkeypatch: pytest.MonkeyPatch, color: str, env: dict[str, str], has_color: bool
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, text in env.items():
        monkeypatch.setenv(name, text)
    screen = Screen.of(Terminal(), color)
    assert screen.color == has_color
    assert ("\x1b[" in screen.paint("bad", "dead")) == has_color
    assert any("\x1b[" in line for line in screen.lines(_red())) == has_color


def _red() -> object:
    from rich.text import Text

    return Text("dead", "bad")


@pytest.mark.parametrize(
    ("term", "many", "code"),
    [
        ("linux", "", "91"),
        ("xterm-256color", "", "38;5;210"),
        ("xterm", "", "38;5;210"),
        ("xterm", "truecolor", "38;2;255;135;135"),
    ],
)
def test_a_colour_is_one_that_the_terminal_has(
    monkeypatch: pytest.MonkeyPatch, term: str, many: str, code: str
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLORTERM", many)
    screen = Screen(color=True, theme=THEMES["dark"])
    assert screen.paint("bad", "dead") == f"\x1b[{code}mdead\x1b[0m"
    assert screen.lines(screen.text("dead", "bad")) == [f"\x1b[{code}mdead\x1b[0m"]


def test_a_stream_that_is_no_terminal_has_no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert Screen.of(io.StringIO()).width == 0
    assert Screen.of(Terminal()).width == 40


def test_findings_are_drawn_in_the_colours_of_the_theme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORTERM", "truecolor")
    span = Span("f.lua", 1, 1, 1, "here", ((1, "x"),))
    drawn = "".join(Screen(color=True).findings([error("X1", "no", span)]))
    codes = set(re.findall(r"38;2;\d+;\d+;\d+", drawn))
    assert codes == {"38;2;238;0;0", "38;2;0;132;132"}
    assert "\x1b[34m" not in drawn, "dark blue cannot be read on black"


def test_a_terminal_without_unicode_gets_ascii_of_the_same_width() -> None:
    screen = Screen(unicode=False, width=40)
    assert screen.plain("orders · 3 → …") == "orders . 3 > ~"
    assert screen.plain("Zoë") == "Zo\\xeb"


def test_ids_are_short_for_people_and_whole_for_programs() -> None:
    name = "01a21834-bffe-70a3-b44c-06cfdea8a129"
    assert Screen(width=80).id(name) == "01a2…a8a129"
    assert Screen().id(name) == name


def test_markdown_is_drawn_on_a_terminal_and_left_alone_in_a_pipe() -> None:
    text = "Numbers of `queue`:\n\n    queue.info(id)\n"
    assert Screen().markdown(text) == text.splitlines()
    drawn = Screen(width=40).markdown(text)
    assert drawn[0] == "Numbers of queue:"
    assert any(line.strip() == "queue.info(id)" for line in drawn)


def test_lua_keeps_its_lines_when_it_is_coloured() -> None:
    text = "{\n  done = true, -- so far\n}"
    coloured = Screen(color=True, width=20).lua(text)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == text


def test_many_lines_are_written_in_few_pieces() -> None:
    class Counting(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            self.writes += 1
            return super().write(text)

    stream = Counting()
    show((str(number) for number in range(1001)), stream)
    assert stream.getvalue().splitlines() == [str(number) for number in range(1001)]
    assert stream.writes == 3


def test_a_pipe_needs_no_rich() -> None:
    code = (
        "import sys\nfrom moonq import views\n"
        "found = {'queues': [{'id': 'app:a', 'consumers': ['app:c']}]}\n"
        "views.show(views.queues(found, views.Screen.of(sys.stdout)))\n"
        "print({'rich', 'pygments', 'lupa', 'pydantic'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
