"""A store as a dry run sees it."""

from __future__ import annotations

import json
from typing import Any

from moonq.clock import Clock
from moonq.run.stores.base import MAX_BYTES, MAX_LISTED, Store
from moonq.run.stores.memory import Item, MemoryStore


class Overlay(MemoryStore):
    """A store as one dry run sees it: its own changes in front, the real values behind them."""

    def __init__(self, behind: Store, clock: Clock, changes: list[dict[str, Any]]) -> None:
        super().__init__(behind.id, clock, getattr(behind, "max_bytes", None) or MAX_BYTES)
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

    def cas(self, key: str, expected: bytes | None, value: bytes | None, ttl: float | None) -> bool:
        """Set *value* for the rest of the run if the key has the value *expected*."""
        done = super().cas(key, expected, value, ttl)
        if done and value is None:
            self._note("delete", key, None)
        elif done and value is not None:
            self._note("set", key, ttl, value=json.loads(value))
        return done

    def keys(self, prefix: str, after: str = "", limit: int = MAX_LISTED) -> list[str]:
        """Return the first *limit* keys behind *after* that begin with *prefix*, sorted."""
        found = self._behind.keys(prefix, after, limit + len(self._changed))
        untouched = {key for key in found if key not in self._changed}
        return sorted(untouched.union(super().keys(prefix, after, limit)))[:limit]

    def incr(self, key: str, by: float, ttl: float | None) -> int | float:
        """Add to a number."""
        is_new = self.get(key) is None
        total = super().incr(key, by, ttl)
        self._note("incr", key, ttl if is_new else None, by=by, value=total)
        return total

    def _live(self, key: str) -> Item | None:
        if key in self._changed:
            return super()._live(key)
        value = self._behind.get(key)
        return None if value is None else Item(value, None)

    def _note(self, action: str, key: str, ttl: float | None, **what: Any) -> None:
        self._changed.add(key)
        kept = {"store": self.id, "action": action, "key": key, **what}
        self._changes.append(kept if ttl is None else {**kept, "ttl": ttl})
