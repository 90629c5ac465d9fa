"""The console without a terminal: statements come from a file or a pipe, answers go to stdout."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from moonq.console import chunk
from moonq.console.core import Console
from moonq.console.entering import enter
from moonq.console.face import Leave, Talk
from moonq.control.client import Client
from moonq.errors import ConfirmationNeeded, MoonqError
from moonq.views import Screen, show


class Streams:
    """A face that can show, and cannot ask."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._screen = Screen.of(sys.stdout, talk.color)

    def screen(self) -> Screen:
        """Return what stdout can show."""
        return self._screen

    def show(self, lines: Iterable[str]) -> None:
        """Print a result."""
        show(lines)

    def fail(self, lines: Iterable[str]) -> None:
        """Print an error to stderr."""
        print(*lines, sep="\n", file=sys.stderr, flush=True)

    def write(self, text: str) -> None:
        """Print text as it comes."""
        sys.stdout.write(text)
        sys.stdout.flush()

    def notice(self, text: str) -> None:
        """Print talk to stderr."""
        self._talk.say(text)

    def confirms(self, question: str) -> bool:
        """Refuse: nobody can answer."""
        raise _unasked(question)

    def asks(self, question: str) -> str:
        """Refuse: nobody can answer."""
        raise _unasked(question)

    def typed(self) -> list[str]:
        """Return nothing: what a script says is in the script."""
        return []

    def top(self, reach: Callable[[], Client]) -> None:
        """Refuse: there is no screen."""
        raise MoonqError("there is no terminal to show it on", hint="use `moonq top --once`")


def run(console: Console, text: str) -> bool:
    """Run every statement and command in *text*, in order; whether all went well."""
    pieces, rest = chunk.statements(text)
    well = True
    try:
        for piece in [*pieces, *([rest] if rest.strip() else [])]:
            well = enter(console, piece) and well
    except Leave:
        pass
    return well


def _unasked(question: str) -> ConfirmationNeeded:
    return ConfirmationNeeded(
        f"nobody is there to be asked: {question.strip()}",
        hint='use a terminal, or the Lua function with { confirm = "QUEUE" }',
    )
