"""What the queues of one memory driver share: time, the lock, numbers, and news to tell."""

from __future__ import annotations

import itertools
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from moonq.drivers.base import Event
from moonq.drivers.memory.lock import PoliteLock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moonq.clock import Clock
    from moonq.drivers.memory.record import Home


class Shared:
    """One lock for all queues of a driver.

    A dead letter and a redrive move a message between two queues at once; one lock makes that
    atomic without an order of locks to keep. It is held for a microsecond at a time.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = PoliteLock()
        self.numbers = itertools.count(1)
        """Where messages stand, and the receipts of deliveries; never used twice."""
        self.home: Callable[[str], Home | None] = lambda _: None
        """Finds the queue in which a dead letter died."""
        self.closed = True
        self.on_event: Callable[[Event], None] | None = None
        self.orphans: deque[Callable[[], None]] = deque()
        """How to clean up after subscriptions that were dropped without a `close`."""
        self.news: deque[Event] = deque()
        """What `tell` reports once the lock is free: a listener may call the driver."""

    def tell(self) -> None:
        """Report what happened; the lock must not be held."""
        while self.news:
            try:
                event = self.news.popleft()
            except IndexError:
                return
            if self.on_event is not None:
                self.on_event(event)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold the lock, then report."""
        try:
            with self.lock:
                yield
        finally:
            self.tell()

    def reap(self) -> None:
        """Clean up after dropped subscriptions; the lock must be held."""
        while self.orphans:
            self.orphans.popleft()()

    def orphan(self, clean_up: Callable[[], None]) -> None:
        """Note a dropped subscription.

        The garbage collector calls this, perhaps in a thread that holds the lock right now: then
        the next look at a queue cleans up.
        """
        self.orphans.append(clean_up)
        if self.lock.acquire(blocking=False):
            try:
                self.reap()
            finally:
                self.lock.release()
