"""A driver as a test has it: with faults that the test asks for, and with its queues watched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from moonq.drivers.base import Driver, Event
from moonq.errors import NotFound, QueueError, Unavailable
from moonq.model import Message, QueueSpec, Receipt
from moonq.testing.world.faults import Faults
from moonq.testing.world.ledger import Ledger
from moonq.testing.world.places import Place

#: Methods whose first argument is a queue.
_AT_QUEUE = frozenset(("find", "info", "pause", "peek", "redrive", "resume", "subscribe"))


class Staged:
    """See `moonq.drivers.base.Driver`; what is not here is the driver's own.

    A queue is declared when something is first done with it: of many that a project has, a test
    needs few, and one that the driver refuses fails only who asks for it.
    """

    put = None
    """Every publish is seen here."""

    def __init__(self, place: Place, faults: Faults, ledger: Ledger) -> None:
        self._place = place
        self._faults = faults
        self.ledger = ledger
        self._specs: dict[str, QueueSpec] = {}
        self._declared: set[str] = set()
        self._seen: dict[str, tuple[str, Message]] = {}
        self.kind = place.driver.kind

    def __getattr__(self, name: str) -> Any:
        """Return what the driver itself has, behind the queue's declaration."""
        if name not in _AT_QUEUE:
            return getattr(self._place.driver, name)

        def call(queue: str, *asked: Any, **named: Any) -> Any:
            return getattr(self._ready(queue), name)(queue, *asked, **named)

        return call

    def open(self, on_event: Callable[[Event], None], **_named: Any) -> None:
        """Let *on_event* hear of what happens; it is opened when it is first needed."""
        self._place.on_event = on_event

    def close(self, _deadline: float | None = None) -> bool:
        """Hear no more; it stays open for the next test."""
        self._place.on_event = None
        return True

    def declare(self, spec: QueueSpec) -> None:
        """Remember what a queue is to be like."""
        if self._specs.get(spec.name) != spec:
            self._specs[spec.name] = spec
            self._declared.discard(spec.name)

    def spec(self, queue: str) -> QueueSpec:
        """Return what was declared; dead letters have no more than their name."""
        return self._specs.get(queue) or QueueSpec(queue)

    def publish(
        self, queue: str, messages: Sequence[Message], timeout: float, *, may_wait: bool = True
    ) -> list[Receipt | QueueError]:
        """Store *messages* and answer for each."""
        if self._faults.is_down():
            return [_away(queue) for _ in messages]
        self._seen.update((message.id, (queue, message)) for message in messages)
        return self._publish(queue, messages, timeout, may_wait)

    def purge(self, queue: str, ids: Sequence[str | int] | None = None) -> int:
        """Drop ready and delayed messages."""
        dropped = self._ready(queue).purge(queue, ids)
        if ids is None:
            self.ledger.purged(queue)
        return dropped

    def knows(self, message_id: str) -> bool:
        """Say whether a message of this id was published here."""
        return message_id in self._seen

    def duplicate(self, message_id: str) -> None:
        """Deliver a message once more.

        Raises:
            NotFound: It was not published here.
        """
        if message_id not in self._seen:
            raise NotFound(f"no message {message_id!r} was published in this test")
        queue, message = self._seen[message_id]
        self._publish(queue, (message._replace(delay=0.0, dedup_key=None),), 0.0, may_wait=True)

    def _publish(
        self, queue: str, messages: Sequence[Message], timeout: float, may_wait: bool
    ) -> list[Receipt | QueueError]:
        try:
            driver = self._ready(queue)
        except QueueError as problem:
            return [problem for _ in messages]
        answers = driver.publish(queue, messages, timeout, may_wait=may_wait)
        for message, answer in zip(messages, answers, strict=True):
            if isinstance(answer, Receipt) and not answer.duplicate:
                self.ledger.published(self.spec(queue), message)
        return answers

    def _ready(self, queue: str) -> Driver:
        """Return the driver, open, with *queue* declared."""
        driver = self._place.open()
        if queue not in self._declared:
            owners = [one for one in self._specs.values() if queue in (one.name, one.dead_letter)]
            for spec in sorted(owners, key=lambda one: one.name != queue)[:1]:
                driver.declare(spec)
                self._declared |= {spec.name}
            self._declared.add(queue)
        return driver


def _away(queue: str) -> Unavailable:
    return Unavailable(
        f"queue {queue!r}: the broker is down, as the test wants it",
        hint="let time pass, then publish again",
    )
