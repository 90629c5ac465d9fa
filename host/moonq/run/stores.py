"""Values by key that handlers share, gone with the process; and a store as a dry run sees it."""

from __future__ import annotations

import json
import math
import threading
from heapq import nsmallest
from itertools import islice
from typing import Any, NamedTuple, Protocol

from moonq.clock import Clock
from moonq.errors import Invalid, QueueFull

MAX_KEY = 1024
MAX_VALUE = 1024 * 1024
MAX_KEYS = 100_000
#: Bytes of keys and values, where the entry says nothing.
MAX_BYTES = 64 * 1024 * 1024
#: How many keys are listed at once, and how many bytes they may have.
MAX_LISTED = 10_000
MAX_LISTED_BYTES = 1024 * 1024
#: How many writes go between two looks for values that are over.
_SWEEP_EVERY = 1000


class Store(Protocol):
    """Values by key, as JSON text, with expiry."""

    @property
    def id(self) -> str:
        """The id of its entry."""
        ...

    def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none or it is over."""
        ...

    def set(self, key: str, value: bytes, ttl: float | None) -> None:
        """Keep *value* for *ttl* seconds, or for good."""
        ...

    def delete(self, key: str) -> bool:
        """Forget a key; False when there was none."""
        ...

    def keys(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        """Return keys behind *after* that begin with *prefix*, sorted: the first *limit*, or all.

        Fewer than *limit* may be answered, though there are more behind the last.

        Raises:
            Invalid: All are wanted, and there are more than `MAX_LISTED`.
        """
        ...

    def incr(self, key: str, by: int | float, ttl: float | None) -> int | float:
        """Add to a number, atomically; a missing one is 0. The ttl counts for a new key."""
        ...


class _Item(NamedTuple):
    value: bytes
    until: float | None
    size: int = 0
    """Bytes of key and value."""


class MemoryStore:
    """JSON texts by key, each with an expiry or without; *max_bytes* of keys and values in all."""

    def __init__(self, store_id: str, clock: Clock, max_bytes: int = MAX_BYTES) -> None:
        self.id = store_id
        self.max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._items: dict[str, _Item] = {}
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

    def keys(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        """Return keys behind *after* that begin with *prefix*, sorted: the first *limit*, or all.

        Raises:
            Invalid: All are wanted, and there are more than `MAX_LISTED`.
        """
        with self._lock:
            self._sweep()
            fitting = (key for key in self._items if key > after and key.startswith(prefix))
            found = list(islice(fitting, MAX_LISTED + 1 if limit is None else None))
        if limit is None:
            if len(found) > MAX_LISTED:
                raise too_many(self.id)
            return sorted(found)
        # To sort many long keys of which few will be answered would hold up every other worker.
        usual = max(1, sum(map(len, found)) // max(1, len(found)))
        return nsmallest(min(limit, max(1, MAX_LISTED_BYTES // usual)), found)

    def incr(self, key: str, by: float, ttl: float | None) -> int | float:
        """Add to a number, atomically; a missing one is 0, and then the ttl counts.

        Raises:
            Invalid: The value or *by* is not a finite number, or the sum is none that fits.
        """
        if not math.isfinite(by):
            raise Invalid(f"{self.id}: {by} cannot be added to {key!r}: it is no finite number")
        with self._lock:
            item = self._live(key)
            number = json.loads(item.value) if item else 0
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise Invalid(f"{self.id}: the value of {key!r} is not a number")
            total: int | float = number + by
            if not math.isfinite(total):
                raise Invalid(f"{self.id}: the sum for {key!r} is no finite number")
            if isinstance(total, int) and not -(2**63) <= total < 2**63:
                raise Invalid(f"{self.id}: the sum for {key!r} does not fit 64 bits")
            until = item.until if item else None
            left = ttl if item is None else None if until is None else until - self._clock.now()
            self._put(key, json.dumps(total).encode(), left)
            return total

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()
            self._bytes = 0

    def _live(self, key: str) -> _Item | None:
        item = self._items.get(key)
        if item is not None and item.until is not None and item.until <= self._clock.now():
            self._forget(key)
            return None
        return item

    def _put(self, key: str, value: bytes, ttl: float | None) -> None:
        if not 0 < len(key) <= MAX_KEY:
            raise Invalid(f"{self.id}: a key has 1 to {MAX_KEY} characters, this one {len(key)}")
        if len(value) > MAX_VALUE:
            raise Invalid(f"{self.id}: a value has at most {MAX_VALUE} bytes, not {len(value)}")
        item = _Item(value, None if ttl is None else self._clock.now() + ttl, _size(key, value))
        self._writes += 1
        if self._writes % _SWEEP_EVERY == 0:
            self._sweep()
        problem = self._lacks(key, item.size)
        if problem:
            self._sweep()
            problem = self._lacks(key, item.size)
        if problem:
            raise QueueFull(
                f"{self.id} {problem}", hint="delete keys, or give them a `ttl`, then try again"
            )
        self._forget(key)
        self._items[key] = item
        self._bytes += item.size
        if item.until is not None:
            self._first_over = min(self._first_over, item.until)

    def _lacks(self, key: str, size: int) -> str:
        """Return why there is no room for so many bytes under *key*; nothing: there is."""
        before = self._items.get(key)
        if before is None and len(self._items) >= MAX_KEYS:
            return f"holds {MAX_KEYS} keys, as many as it may"
        held = self._bytes - (before.size if before else 0)
        if held + size > self.max_bytes:
            return (
                f"has no room for {size} bytes: it holds {held} besides, of at most"
                f" {self.max_bytes} (`max_bytes`)"
            )
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


def too_many(store: str) -> Invalid:
    """Return why not all keys are listed."""
    return Invalid(
        f"{store} has more keys than are listed at once, which is {MAX_LISTED} of"
        f" {MAX_LISTED_BYTES} bytes in all",
        hint="give a longer prefix, or ask page by page: keys(prefix, { limit = 1000, after ="
        " last })",
    )


def _size(key: str, value: bytes) -> int:
    return len(key.encode("utf-8", "surrogatepass")) + len(value)


class Overlay(MemoryStore):
    """A store as one dry run sees it: its own changes in front, the real values behind them."""

    def __init__(self, behind: Store, clock: Clock, changes: list[dict[str, Any]]) -> None:
        super().__init__(behind.id, clock, getattr(behind, "max_bytes", MAX_BYTES))
        self._behind = behind
        self._changed: set[str] = set()
        self._changes = changes

    def set(self, key: str, value: bytes, ttl: float | None) -> None:
        """Keep *value* for the rest of the run."""
        super().set(key, value, ttl)
        self._note("set", key, ttl, value=json.loads(value))

    def delete(self, key: str) -> bool:
        """Forget a key for the rest of the run."""
        existed = super().delete(key)
        self._note("delete", key, None)
        return existed

    def keys(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        """Return keys behind *after* that begin with *prefix*, sorted: the first *limit*, or all.

        Raises:
            Invalid: All are wanted, and there are more than `MAX_LISTED`.
        """
        own = super().keys(prefix, after)
        asked = None if limit is None else limit + len(self._changed)
        behind = self._behind.keys(prefix, after, asked)
        found = sorted({key for key in behind if key not in self._changed}.union(own))
        if asked is not None and behind:
            # What is behind the last that was answered may be there as well, in front of these.
            found = [key for key in found if key <= behind[-1]] or found
        return found if limit is None else found[:limit]

    def incr(self, key: str, by: float, ttl: float | None) -> int | float:
        """Add to a number."""
        is_new = self.get(key) is None
        total = super().incr(key, by, ttl)
        self._note("incr", key, ttl if is_new else None, by=by, value=total)
        return total

    def _live(self, key: str) -> _Item | None:
        if key in self._changed:
            return super()._live(key)
        value = self._behind.get(key)
        return None if value is None else _Item(value, None)

    def _note(self, action: str, key: str, ttl: float | None, **what: Any) -> None:
        self._changed.add(key)
        kept = {"store": self.id, "action": action, "key": key, **what}
        self._changes.append(kept if ttl is None else {**kept, "ttl": ttl})
