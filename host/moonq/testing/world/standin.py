"""The driver of tests: the memory driver, in the place of whatever the project declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from moonq.clock import Clock
from moonq.drivers.memory.driver import MemoryDriver
from moonq.errors import NotFound, QueueError, Unavailable
from moonq.model import Message, QueueSpec, Receipt
from moonq.testing.world.faults import Faults


class StandIn(MemoryDriver):
    """See `moonq.drivers.base.Driver`."""

    def __init__(
        self,
        clock: Clock,
        faults: Faults,
        *,
        max_length: int = 10_000,
        overflow: Literal["reject", "block", "drop_oldest"] = "reject",
    ) -> None:
        super().__init__(clock, max_length=max_length, overflow=overflow)
        self._faults = faults
        self._seen: dict[str, tuple[str, Message]] = {}

    def declare(self, spec: QueueSpec) -> None:
        """Make the queue exist; options of the driver that it stands in for mean nothing here."""
        super().declare(spec._replace(options={}))

    def publish(
        self, queue: str, messages: Sequence[Message], timeout: float, *, may_wait: bool = True
    ) -> list[Receipt | QueueError]:
        """Store *messages* and answer for each."""
        if self._faults.is_down():
            return [_away(queue) for _ in messages]
        self._seen.update((message.id, (queue, message)) for message in messages)
        return super().publish(queue, messages, timeout, may_wait=may_wait)

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
        again = message._replace(delay=0.0, dedup_key=None)
        super().publish(queue, (again,), 0.0)

    def next_due(self, queue: str) -> float:
        """Return when the next timer of *queue* runs out, infinity without any."""
        return self._queue(queue).alarm


def _away(queue: str) -> Unavailable:
    return Unavailable(
        f"queue {queue!r}: the broker is down, as the test wants it",
        hint="let virtual time pass, then publish again",
    )
