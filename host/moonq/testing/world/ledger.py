"""What was published into the queues of a test and is not over yet.

A run knows by it what is still to come, and when: brokers count late or not at all, and nobody but
the test is at its queues.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from moonq.clock import Clock
from moonq.model import Ack, Dead, Message, QueueSpec, Retry, Snooze, Verdict, Wait


@dataclass(slots=True)
class Pending:
    """One message; moments are those of the clock that never goes back."""

    id: str
    due: float
    expires: float = math.inf
    """By when its first run must have begun."""
    origin: str = ""
    """Of a dead letter: the queue that it came from."""


class Ledger:
    """See the module; queues are called what their driver calls them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pending: dict[str, list[Pending]] = {}

    def published(self, spec: QueueSpec, message: Message) -> None:
        """A message was stored."""
        now = self._clock.monotonic()
        ttl = spec.ttl if message.ttl is None else message.ttl
        expires = math.inf if ttl is None else now + ttl
        self._in(spec.name).append(Pending(message.id, now + message.delay, expires))

    def begun(self, queue: str, message_id: str) -> None:
        """Its handler begins, so it expires no more."""
        for one in self._called(queue, message_id)[:1]:
            one.expires = math.inf

    def settled(self, spec: QueueSpec, message_id: str, verdict: Verdict) -> None:
        """A delivery of it was ended."""
        for one in self._called(spec.name, message_id)[:1]:
            if isinstance(verdict, Ack | Dead):
                self._in(spec.name).remove(one)
            if isinstance(verdict, Dead):
                self._bury(spec, one)
            elif isinstance(verdict, Retry | Snooze | Wait):
                one.due = self._clock.monotonic() + verdict.delay

    def dropped(self, spec: QueueSpec, count: int) -> None:
        """The oldest of a full queue went to the dead letters."""
        for one in self._in(spec.name)[:count]:
            self._in(spec.name).remove(one)
            self._bury(spec, one)

    def expired(self, spec: QueueSpec) -> None:
        """Whatever has waited too long by now is a dead letter, or gone."""
        now = self._clock.monotonic()
        for one in [one for one in self._in(spec.name) if one.expires <= now]:
            self._in(spec.name).remove(one)
            if spec.on_expire == "dead_letter":
                self._bury(spec, one)

    def purged(self, queue: str) -> None:
        """All of a queue was dropped."""
        self._pending.pop(queue, None)

    def redriven(self, letters: str, origin: str) -> None:
        """The dead letters from *origin* have another life there."""
        mine = [one for one in self._in(letters) if one.origin == origin]
        for one in mine:
            self._in(letters).remove(one)
            self._in(origin).append(Pending(one.id, self._clock.monotonic()))

    def due(self, queue: str) -> int:
        """Return how many may be delivered now."""
        now = self._clock.monotonic()
        return sum(one.due <= now for one in self._in(queue))

    def next_due(self, queue: str) -> float:
        """Return the next moment at which something of *queue* is due or expires, else infinity."""
        now = self._clock.monotonic()
        moments = (moment for one in self._in(queue) for moment in (one.due, one.expires))
        return min((moment for moment in moments if moment > now), default=math.inf)

    def count(self, queue: str, origin: str = "") -> int:
        """Return how many there are, with *origin* of those that died there."""
        return sum(not origin or one.origin == origin for one in self._in(queue))

    def _bury(self, spec: QueueSpec, one: Pending) -> None:
        if spec.dead_letter is not None:
            now = self._clock.monotonic()
            self._in(spec.dead_letter).append(Pending(one.id, now, origin=spec.name))

    def _in(self, queue: str) -> list[Pending]:
        return self._pending.setdefault(queue, [])

    def _called(self, queue: str, message_id: str) -> list[Pending]:
        return [one for one in self._in(queue) if one.id == message_id]
