"""What one consumer holds of a memory queue."""

from __future__ import annotations

from collections import deque

from moonq.drivers.memory.lock import PoliteLock
from moonq.drivers.memory.record import Record
from moonq.model import Delivery


class Desk:
    """What one subscription holds; its queue reaches it here."""

    def __init__(self, lock: PoliteLock, prefetch: int) -> None:
        self.prefetch = prefetch
        self.buffer: deque[Delivery] = deque()
        """Leased and waiting for a worker; popped without the lock."""
        self.held: dict[int, Record] = {}
        """Everything unsettled, by receipt."""
        self.bell = lock.condition()
        self.waiting = 0
        """Workers at the bell."""
        self.paused = False
        self.stopped = False

    def has_room(self) -> bool:
        """Whether it may lease one more."""
        return len(self.held) < self.prefetch and not (self.paused or self.stopped)
