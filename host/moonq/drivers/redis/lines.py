"""Lines of numbered calls: what a host asks the server, each of it done once.

When the connection is lost a call is made again under its number, and the server, which may have
done it, answers what it answered before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moonq.drivers.buffered import BufferedDesk
from moonq.drivers.inbox import Work


class Call:
    """One call of a script in a line of numbered ones."""

    script = ""

    def __init__(self) -> None:
        self.number = 0
        self.sent_at = 0.0
        self.is_doubtful = False
        """Whether the server may have done it, for the connection was lost since it was sent."""
        self.asked: list[tuple[BufferedDesk, int]] = []
        """Desks that have their answer when this one has it."""
        self.flushes: list[Work] = []
        """Callers that wait for all that was asked for so far."""

    def args(self, owner: str, now: str) -> list[Any]:
        """Return the arguments of the script; *owner* is whose line it is."""
        raise NotImplementedError


class Line:
    """Numbers the calls of one script, so that each is done once."""

    def __init__(self) -> None:
        self.owner = ""
        """Whose line it is: a session, or a writer."""
        self._given = 0
        self._done = 0

    def begin(self, owner: str, done: int = 0) -> None:
        """Begin another line, or go on where the server says that it is."""
        self.owner, self._given, self._done = owner, done, done

    def number(self, call: Call) -> None:
        """Give *call* the next number."""
        self._given += 1
        call.number = self._given

    def accept(self, call: Call) -> None:
        """Note that *call* is done."""
        self._done = call.number

    def refuse(self, call: Call) -> None:
        """Note that the server did nothing of *call*: its number is the next one's."""
        self._given = call.number - 1

    def is_ahead(self, call: Call) -> bool:
        """Whether *call* came too early, for one before it was not done."""
        return call.number > self._done + 1

    def step_back(self, flying: Iterable[Call], call: Call) -> None:
        """Number on from what is done, or is on its way with a number from before *call*'s."""
        others = (one.number for one in flying if one.number < call.number)
        self._given = max([self._done, *others])
