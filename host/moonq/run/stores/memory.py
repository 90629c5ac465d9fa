"""Values by key in this process, gone with it."""

from __future__ import annotations

import json
import math
import threading
from heapq import nsmallest
from typing import NamedTuple

from moonq.clock import Clock
from moonq.run.stores.base import (
    MAX_BYTES,
    MAX_KEYS,
    MAX_LISTED,
    added,
    check,
    full,
    is_same,
    no_room,
    size,
)

#: How many writes go between two looks for values that are over.
_SWEEP_EVERY = 1000


class Item(NamedTuple):
    """A value as it is kept."""

    value: bytes
    until: float | None
    size: int = 0
    """Bytes of key and value."""


class MemoryStore:
    """JSON texts by key, each with an expiry or without; *max_bytes* of keys and values in all."""

    is_quick = True

    def __init__(self, store_id: str, clock: Clock, max_bytes: int = MAX_BYTES) -> None:
        self.id = store_id
        self.max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._items: dict[str, Item] = {}
        self._bytes = 0
        self._writes = 0
        self._first_over = math.inf
        """No value is over before that."""

    def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none or it is over."""
        with self._lock:
            item = self._live(key)
        return item.value if item else None

    def set(self, key: str, value: bytes, ttl: float | None) -> None:
        """Keep *value* for *ttl* seconds, or for good.

        Raises:
            Invalid: The key or the value is too large.
            QueueFull: The store holds as many keys or bytes as it may.
        """
        with self._lock:
            self._put(key, value, ttl)

    def delete(self, key: str) -> bool:
        """Forget a key; False when there was none."""
        with self._lock:
            found = self._live(key) is not None
            self._forget(key)
        return found

    def cas(self, key: str, expected: bytes | None, value: bytes | None, ttl: float | None) -> bool:
        """Set *value* if the key has the value *expected*, in one step; None stands for none."""
        with self._lock:
            item = self._live(key)
            if not is_same(item.value if item else None, expected):
                return False
            if value is None:
                self._forget(key)
            else:
                self._put(key, value, ttl)
            return True

    def close(self) -> None:
        """There is nothing to give back."""

    def keys(self, prefix: str, after: str = "", limit: int = MAX_LISTED) -> list[str]:
        """Return the first *limit* keys behind *after* that begin with *prefix*, sorted."""
        with self._lock:
            self._sweep()
            found = [key for key in self._items if key > after and key.startswith(prefix)]
        # To sort what nobody asks for would hold up every other worker.
        return nsmallest(limit, found) if limit < len(found) // 8 else sorted(found)[:limit]

    def incr(self, key: str, by: float, ttl: float | None) -> int | float:
        """Add to a number, atomically; a missing one is 0, and then the ttl counts.

        Raises:
            Invalid: The value or *by* is not a finite number, or the sum is none that fits.
        """
        with self._lock:
            item = self._live(key)
            total = added(self.id, key, item.value if item else None, by)
            until = item.until if item else None
            left = ttl if item is None else None if until is None else until - self._clock.now()
            self._put(key, json.dumps(total).encode(), left)
            return total

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()
            self._bytes = 0

    def _live(self, key: str) -> Item | None:
        item = self._items.get(key)
        if item is not None and item.until is not None and item.until <= self._clock.now():
            self._forget(key)
            return None
        return item

    def _put(self, key: str, value: bytes, ttl: float | None) -> None:
        check(self.id, key, value)
        item = Item(value, None if ttl is None else self._clock.now() + ttl, size(key, value))
        self._writes += 1
        if self._writes % _SWEEP_EVERY == 0:
            self._sweep()
        problem = self._lacks(key, item.size)
        if problem:
            self._sweep()
            problem = self._lacks(key, item.size)
        if problem:
            raise full(self.id, problem)
        self._forget(key)
        self._items[key] = item
        self._bytes += item.size
        if item.until is not None:
            self._first_over = min(self._first_over, item.until)

    def _lacks(self, key: str, wanted: int) -> str:
        """Return why there is no room for so many bytes under *key*; nothing: there is."""
        before = self._items.get(key)
        if before is None and len(self._items) >= MAX_KEYS:
            return f"holds {MAX_KEYS} keys, as many as it may"
        held = self._bytes - (before.size if before else 0)
        if held + wanted > self.max_bytes:
            return no_room(wanted, held, self.max_bytes)
        return ""

    def _forget(self, key: str) -> None:
        item = self._items.pop(key, None)
        if item is not None:
            self._bytes -= item.size

    def _sweep(self) -> None:
        now = self._clock.now()
        if now < self._first_over:
            return
        for key in [key for key, item in self._items.items() if item.until and item.until <= now]:
            self._forget(key)
        ends = (item.until for item in self._items.values() if item.until is not None)
        self._first_over = min(ends, default=math.inf)
