"""What one consumer holds of a queue: a buffer in front of its workers, and a bell for them.

A driver whose queues hand out deliveries in batches gives each subscription a desk; the queue, and
the threads of the driver, reach the subscription there. The lock of the bell guards it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from moonq.model import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterable
    from threading import Condition


class Queue(Protocol):
    """What a desk asks of its queue."""

    paused: bool


Held = TypeVar("Held")
Place = TypeVar("Place", bound=Queue)


class Desk(Generic[Place, Held]):
    """One subscription's share of *queue*; the lock must be held by the caller."""

    def __init__(self, queue: Place, prefetch: int, bell: Condition) -> None:
        self.queue = queue
        self.prefetch = prefetch
        self.bell = bell
        self.buffer: deque[Delivery] = deque()
        """Leased and waiting for a worker."""
        self.held: dict[Any, Held] = {}
        """Everything unsettled, by receipt."""
        self.waiting = 0
        """How much the workers at the bell would take."""
        self.paused = False
        self.stopped = False

    def is_open(self) -> bool:
        """Whether it takes deliveries."""
        return not (self.paused or self.stopped or self.queue.paused)

    def has_room(self) -> bool:
        """Whether it may lease one more."""
        return len(self.held) < self.prefetch and self.is_open()

    def recall(self) -> None:
        """Hand back everything that has not started."""
        raise NotImplementedError

    def stop(self) -> None:
        """Take no more, hand back, and wake every worker that waits."""
        self.stopped = True
        self.recall()
        self.bell.notify_all()


D = TypeVar("D", bound=Desk[Any, Any])


class AtDesk(Generic[D]):
    """The part of a `Subscription` that is the same at every desk."""

    def __init__(self, desk: D) -> None:
        self._desk = desk

    def waiting(self) -> int:
        """Return how many deliveries are leased and wait for a worker."""
        return len(self._desk.buffer)

    def pause(self) -> None:
        """Deliver nothing more for now."""
        with self._desk.bell:
            self._desk.paused = True
            self._desk.recall()

    def stop(self) -> None:
        """Take no more, hand back all that has not started, wake every waiting `take`."""
        with self._desk.bell:
            self._desk.stop()

    def _lender(self, desks: Iterable[D]) -> D | None:
        """The desk with the longest buffer, to take over the last of: then no worker idles."""
        others = [desk for desk in desks if desk.buffer and desk is not self._desk]
        if not others or not self._desk.has_room():
            return None
        return max(others, key=lambda desk: len(desk.buffer))
