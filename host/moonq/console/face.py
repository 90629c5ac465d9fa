"""How the console talks to a person: a terminal, or nothing but two streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from moonq.views import Screen

if TYPE_CHECKING:
    from moonq.control.client import Client


class Talk(Protocol):
    """What the command line says about how to talk."""

    color: str

    def say(self, text: str, *, important: bool = False) -> None:
        """Tell the person something that is not the result."""
        ...


class Leave(Exception):
    """The person wants to go."""


class Face(Protocol):
    """How the console talks to a person; a question that cannot be asked is refused."""

    def screen(self) -> Screen:
        """Return what can be shown."""
        ...

    def show(self, lines: Iterable[str]) -> None:
        """Show a result."""
        ...

    def fail(self, lines: Iterable[str]) -> None:
        """Show what went wrong."""
        ...

    def write(self, text: str) -> None:
        """Show text as it comes, also while code runs; any thread may call."""
        ...

    def notice(self, text: str) -> None:
        """Say something that is not a result."""
        ...

    def confirms(self, question: str) -> bool:
        """Ask *question*.

        Raises:
            ConfirmationNeeded: There is no terminal to ask on.
        """
        ...

    def asks(self, question: str) -> str:
        """Ask for a word.

        Raises:
            ConfirmationNeeded: There is no terminal to ask on.
        """
        ...

    def typed(self) -> list[str]:
        """Return what was typed before, oldest first."""
        ...

    def top(self, reach: Callable[[], Client]) -> None:
        """Show the dashboard of the host that *reach* connects to, until it is left.

        Raises:
            MoonqError: There is no screen for it.
        """
        ...
