"""Lines on terminals, on pipes, and below them how far long work has come."""

from __future__ import annotations

import io
import re

import pytest

from moonq.cli.drawing import Lines, Progress
from moonq.cli.options import Options
from moonq.text.findings import Finding

LONG = "x" * 300


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Pipe(io.StringIO):
    """A stream that leads to another program."""

    encoding = "utf-8"


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def shown(stream: io.StringIO, color: str = "auto") -> str:
    """One line as *stream* gets it."""
    Lines(Options(color=color), stream).line("  ", ("✓", "good"), f" [red]{LONG}")
    return stream.getvalue()


#: A word that fits no line stays whole, on a line of its own.
BELOW = f"  ✓\n    [red]{LONG}\n"
IN_COLOR = re.compile(r"\x1b\[[\d;]+m([^\x1b]+)\x1b\[0m")


def test_a_terminal_gets_colours_and_all_of_the_line() -> None:
    line = shown(Terminal())
    assert IN_COLOR.findall(line) == ["✓"]
    assert IN_COLOR.sub(r"\1", line) == BELOW


def test_a_pipe_gets_one_line_without_colour_unless_it_is_asked_for() -> None:
    plain = f"  ✓ [red]{LONG}\n"
    assert shown(Pipe()) == plain
    line = shown(Pipe(), "always")
    assert IN_COLOR.findall(line) == ["✓"]
    assert IN_COLOR.sub(r"\1", line) == plain


def test_a_terminal_that_refuses_colours_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(Terminal(), "never") == BELOW
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown(Terminal()) == BELOW


@pytest.mark.parametrize("color", ["never", "always"])
def test_a_finding_keeps_its_colours_below_a_line(color: str) -> None:
    stream = Pipe()
    lines = Lines(Options(color=color), stream)
    finding = lines.drawn([Finding("error", "R202", "no such entry")])
    lines.line("reload ", ("✗", "bad"), below=finding)
    colored = ["✗", "error[R202]"] if color == "always" else []
    assert IN_COLOR.findall(stream.getvalue()) == colored
    assert stream.getvalue().count("\n") == 3


def test_a_stream_without_unicode_gets_ascii() -> None:
    stream = io.StringIO()
    Lines(Options(), stream).line(("✓", "good"), " a → b", below="│ é")
    assert stream.getvalue() == "ok a -> b\n| \\xe9\n"


def progress(stream: io.StringIO, options: Options, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is written while long work says how far it has come."""
    monkeypatch.setattr("moonq.cli.drawing.PATIENCE", 0.0)
    lines = Lines(options, stream)
    with Progress(options, lines) as telling:
        telling.show("1 of 2 files")
        telling.show("2 of 2 files")
        lines.line("a result")
    return stream.getvalue()


def test_a_terminal_sees_how_far_work_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    written = progress(Terminal(), Options(), monkeypatch)
    assert "of 2 files" in written
    assert "a result\n" in written
    assert written.endswith("\x1b[2K"), "the line is gone in the end"


@pytest.mark.parametrize("options", [Options(quiet=True), Options(json=True)])
def test_progress_is_for_terminals_that_are_talked_to(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert progress(Pipe(), Options(), monkeypatch) == "a result\n"
    assert "files" not in progress(Terminal(), options, monkeypatch)


def test_short_work_is_over_without_a_word() -> None:
    stream = Terminal()
    with Progress(Options(), Lines(Options(), stream)) as telling:
        telling.show("1 of 2 files")
    assert stream.getvalue() == ""
