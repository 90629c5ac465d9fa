"""What can be said of how many messages a queue holds.

The broker counts what is ready, and consumers. Where all of these are ours, what is delivered is
what we hold, else it is what the management interface says; while the ladder is empty, nothing is
delayed. Where nobody can tell, such a number is absent.
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
InFlight = Callable[[list[str]], int | None]


class _Numbers(NamedTuple):
    ready: int | None
    consumers: int
    dead: int | None
    delayed: int | None
    in_flight: int | None
    """Delivered to anybody; None where it is not known, or we know it better."""


class _Counted(NamedTuple):
    until: float
    state: Hashable
    """Stays the same for as long as nothing was published and put off by us."""
    numbers: _Numbers


class Counter:
    """Counts on channels that it is given, and what others hold by *in_flight*."""

    def __init__(self, ask: Ask, in_flight: InFlight) -> None:
        self._ask = ask
        self._in_flight = in_flight
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
        numbers = found.numbers
        leased = running = None
        with line.lock:
            held = [one for desk in line.desks for one in desk.held.values()]
            started = sum(one.started for one in held)
            waiting = sum(len(one.buffer) for one in (line, *line.partitions))
            if _is_ours(line, numbers.consumers):
                leased, running = len(held) - started + waiting, started
            elif numbers.in_flight is not None:
                leased, running = max(0, numbers.in_flight - started), started
        return QueueInfo(
            numbers.ready,
            numbers.delayed,
            leased,
            running,
            numbers.dead,
            numbers.consumers,
            None,
            line.paused,
            exact=False,
        )

    def _count(self, line: Line, letters: str | None) -> _Numbers:
        main, again = self._of(line.name), self._of(line.again)
        if main is None:
            return _Numbers(None, 0, None, None, None)
        dead = self._of(letters) if letters is not None else (0, 0)
        names = [line.name, line.again, *(one.name for one in line.partitions)]
        ready = [found[0] for found in (main, again, *self._parts(line)) if found is not None]
        with line.lock:
            is_ours = _is_ours(line, main[1])
        return _Numbers(
            ready=sum(ready),
            consumers=main[1],
            dead=None if dead is None else dead[0],
            delayed=self._delayed(),
            in_flight=None if is_ours else self._in_flight(names),
        )

    def _parts(self, line: Line) -> list[tuple[int, int] | None]:
        return [self._of(one.name) for one in line.partitions] if line.has_partitions else []

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


def _is_ours(line: Line, consumers: int) -> bool:
    """Whether all of so many consumers are here, so that we know what they hold."""
    return consumers == sum(bool(desk.tags) for desk in line.desks)
