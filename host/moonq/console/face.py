"""How the console talks to a person; without a terminal it can show, and cannot ask.

`terminal.Terminal` is the face with a prompt.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from moonq.errors import ConfirmationNeeded, MoonqError
from moonq.views import Screen, show

if TYPE_CHECKING:
    from moonq.control.client import Client


class Leave(Exception):
    """The person wants to go."""


class Face:
    """Two streams: answers go to stdout, errors to stderr, and *say* tells the rest.

    *color* is `auto`, `always` or `never`.
    """

    is_program = False
    """Whether answers are for a program, which wants them as documents: see `documents`."""

    def __init__(self, color: str, say: Callable[[str], None]) -> None:
        self._color = color
        self._say = say

    def screen(self) -> Screen:
        """Return what stdout can show now: a terminal may have been resized."""
        return Screen.of(sys.stdout, self._color)

    def show(self, lines: Iterable[str]) -> None:
        """Show a result."""
        show(lines)

    def more(self) -> None:
        """Show more of what was too long for the screen: without one, all was shown."""
        self.notice("there is no more")

    def fail(self, lines: Iterable[str]) -> None:
        """Show what went wrong."""
        show(lines, sys.stderr)

    def answer(self, schema: str, found: Mapping[str, Any]) -> None:
        """Hand a program an answer."""
        raise NotImplementedError

    def complain(self, error: Mapping[str, Any]) -> None:
        """Hand a program an error."""
        raise NotImplementedError

    def write(self, text: str) -> None:
        """Show text as it comes, also while code runs; any thread may call."""
        sys.stdout.write(text)
        sys.stdout.flush()

    def notice(self, text: str) -> None:
        """Say something that is not a result."""
        self._say(text)

    def progress(self) -> AbstractContextManager[Callable[[str], None]]:
        """Say nothing of how far something is: a console has no line to spare for it."""
        return nullcontext(lambda _: None)

    def confirms(self, question: str) -> bool:
        """Ask for a yes; everything else is a no.

        Raises:
            ConfirmationNeeded: There is no terminal to ask on.
        """
        return self.asks(f"{question} [y/N]").lower() in ("y", "yes")

    def asks(self, question: str) -> str:
        """Ask for a word; the answer is empty where none was given.

        Raises:
            ConfirmationNeeded: There is no terminal to ask on.
        """
        raise ConfirmationNeeded(
            f"nobody is there to be asked: {question.removesuffix(' [y/N]').strip()}",
            hint='use a terminal, `moonq … --yes`, or in Lua { confirm = "QUEUE" }',
        )

    def typed(self) -> list[str]:
        """Return what was typed before, oldest first: what a script says is in the script."""
        return []

    def top(self, reach: Callable[[], Client]) -> None:
        """Show the dashboard of the host that *reach* connects to, until it is left.

        Raises:
            MoonqError: There is no screen for it.
        """
        raise MoonqError("there is no terminal to show it on", hint="use `moonq top --once`")

    def check_screen(self, command: str) -> None:
        """See that another program can have the screen for a while.

        Raises:
            MoonqError: There is none.
        """
        raise MoonqError(
            f"there is no terminal for \\{command}", hint="edit the file, and \\load it"
        )
