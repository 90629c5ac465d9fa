"""Items between the threads that make them and the one that takes them; `put` never waits."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Backlog(Generic[T]):
    """Keeps items while there is room and counts the others."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._changed = threading.Condition()
        self._items: deque[T] = deque()
        self._closed = False
        self.dropped = 0
        """How many found no room."""

    def put(self, item: T) -> None:
        """Keep *item* while there is room, else count it."""
        with self._changed:
            if len(self._items) >= self._room:
                self.dropped += 1
            else:
                self._items.append(item)
                self._changed.notify()

    def take(self, timeout: float | None = None) -> T | None:
        """Wait for an item; None when *timeout* seconds are over, or when no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout)
            return self._items.popleft() if self._items else None

    @property
    def ended(self) -> bool:
        """Whether no more will come."""
        return self._closed and not self._items

    def close(self, *, forget: bool = False) -> None:
        """Take no more items; those that are there can still be taken, unless they are to be
        *forgotten*.
        """
        with self._changed:
            self._closed = True
            if forget:
                self._items.clear()
            self._changed.notify_all()
