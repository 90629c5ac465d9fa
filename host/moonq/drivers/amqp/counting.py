"""What can be said of how many messages a queue holds.

The broker counts what is ready, and consumers. Where all of these are ours, what is delivered is
what we hold; while the ladder is empty, nothing is delayed. Else such a number is absent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from typing import NamedTuple

from moonq.drivers.amqp import ladder, topology
from moonq.drivers.amqp.line import Line
from moonq.drivers.amqp.wire.channel import Channel
from moonq.model import QueueInfo

#: Real seconds for which what was counted is answered again, unless we have changed it.
FRESH = 1.0
Ask = Callable[[], AbstractContextManager[Channel]]


class _Counted(NamedTuple):
    until: float
    state: Hashable
    """Stays the same for as long as nothing was published and put off by us."""
    numbers: tuple[int | None, int, int | None, int | None]
    """Ready, consumers, dead, delayed."""


class Counter:
    """Counts on channels that it is given."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._counted: dict[str, _Counted] = {}

    def forget(self) -> None:
        """Count anew."""
        self._counted.clear()

    def info(self, line: Line, letters: str | None, state: Hashable) -> QueueInfo:
        """Count *line*, whose dead letters lie in the queue *letters*."""
        found = self._counted.get(line.name)
        if found is None or found.until < time.monotonic() or found.state != state:
            found = _Counted(time.monotonic() + FRESH, state, self._count(line, letters))
            self._counted[line.name] = found
        ready, consumers, dead, delayed = found.numbers
        leased = running = None
        with line.lock:
            if consumers == sum(bool(desk.tags) for desk in line.desks):
                held = [one for desk in line.desks for one in desk.held.values()]
                running = sum(one.started for one in held)
                leased = len(held) - running + len(line.buffer)
        return QueueInfo(
            ready, delayed, leased, running, dead, consumers, None, line.paused, exact=False
        )

    def _count(
        self, line: Line, letters: str | None
    ) -> tuple[int | None, int, int | None, int | None]:
        main, again = self._of(line.name), self._of(line.again)
        if main is None:
            return None, 0, None, None
        dead = self._of(letters) if letters is not None else (0, 0)
        ready = main[0] + (again[0] if again else 0)
        return ready, main[1], None if dead is None else dead[0], self._delayed()

    def _delayed(self) -> int | None:
        """Return 0 where no message of any queue is delayed; else nobody knows whose they are."""
        with self._ask() as channel:
            for level in range(ladder.LEVELS):
                found = topology.count(channel, ladder.exchange(level))
                if found is None or found[0]:
                    return None
        return 0

    def _of(self, name: str) -> tuple[int, int] | None:
        with self._ask() as channel:
            return topology.count(channel, name)
