"""Values by key that handlers share, gone with the process; and a store as a dry run sees it."""

from __future__ import annotations

import json
import threading
from typing import Any, NamedTuple, Protocol

from moonq.clock import Clock
from moonq.errors import Invalid, QueueFull

MAX_KEY = 1024
MAX_VALUE = 1024 * 1024
MAX_KEYS = 100_000
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

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin with *prefix*, sorted."""
        ...

    def incr(self, key: str, by: int | float, ttl: float | None) -> int | float:
        """Add to a number, atomically; a missing one is 0. The ttl counts for a new key."""
        ...


class _Item(NamedTuple):
    value: bytes
    until: float | None


class MemoryStore:
    """JSON texts by key, each with an expiry or without."""

    def __init__(self, store_id: str, clock: Clock) -> None:
        self.id = store_id
        self._clock = clock
        self._lock = threading.Lock()
        self._items: dict[str, _Item] = {}
        self._writes = 0

    def get(self, key: str) -> bytes | None:
        """Return the value, or None when there is none or it is over."""
        with self._lock:
            item = self._live(key)
        return item.value if item else None

    def set(self, key: str, value: bytes, ttl: float | None) -> None:
        """Keep *value* for *ttl* seconds, or for good.

        Raises:
            Invalid: The key or the value is too large.
            QueueFull: The store holds as many keys as it may.
        """
        with self._lock:
            self._put(key, value, ttl)

    def delete(self, key: str) -> bool:
        """Forget a key; False when there was none."""
        with self._lock:
            found = self._live(key) is not None
            self._items.pop(key, None)
        return found

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin with *prefix*, sorted."""
        with self._lock:
            self._sweep()
            return sorted(key for key in self._items if key.startswith(prefix))

    def incr(self, key: str, by: float, ttl: float | None) -> int | float:
        """Add to a number, atomically; a missing one is 0, and then the ttl counts.

        Raises:
            Invalid: The value is not a number, or the sum is none that Lua can hold.
        """
        with self._lock:
            item = self._live(key)
            number = json.loads(item.value) if item else 0
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise Invalid(f"{self.id}: the value of {key!r} is not a number")
            total: int | float = number + by
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

    def _live(self, key: str) -> _Item | None:
        item = self._items.get(key)
        if item is not None and item.until is not None and item.until <= self._clock.now():
            del self._items[key]
            return None
        return item

    def _put(self, key: str, value: bytes, ttl: float | None) -> None:
        if not 0 < len(key) <= MAX_KEY:
            raise Invalid(f"{self.id}: a key has 1 to {MAX_KEY} characters, this one {len(key)}")
        if len(value) > MAX_VALUE:
            raise Invalid(f"{self.id}: a value has at most {MAX_VALUE} bytes, not {len(value)}")
        self._writes += 1
        if self._writes % _SWEEP_EVERY == 0 or len(self._items) >= MAX_KEYS:
            self._sweep()
        if len(self._items) >= MAX_KEYS and key not in self._items:
            raise QueueFull(f"{self.id} holds {MAX_KEYS} keys, as many as it may")
        until = None if ttl is None else self._clock.now() + ttl
        self._items[key] = _Item(value, until)

    def _sweep(self) -> None:
        now = self._clock.now()
        over = [key for key, item in self._items.items() if item.until and item.until <= now]
        for key in over:
            del self._items[key]


class Overlay(MemoryStore):
    """A store as one dry run sees it: its own changes in front, the real values behind them."""

    def __init__(self, behind: Store, clock: Clock, changes: list[dict[str, Any]]) -> None:
        super().__init__(behind.id, clock)
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

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin with *prefix*, sorted."""
        untouched = {key for key in self._behind.keys(prefix) if key not in self._changed}
        return sorted(untouched.union(super().keys(prefix)))

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
