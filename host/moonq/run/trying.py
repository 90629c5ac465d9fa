"""A dry run: what a call writes is checked, seen by the rest of the call, and thrown away.

trial = DryRun(queues, clock)
... the call runs with `trial` as its sink, and so do all calls below it ...
trial.would_publish, trial.would_write     # what it would have done
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from moonq.clock import Clock
from moonq.errors import QueueError
from moonq.run.publishing import Wanted
from moonq.run.queues import Queues
from moonq.run.sinks import Line, Recording
from moonq.run.stores import MemoryStore, Store


class DryRun(Recording):
    """Keeps what a call would write."""

    is_dry = True

    def __init__(self, queues: Queues, clock: Clock) -> None:
        super().__init__(queues, clock)
        self.written: list[dict[str, Any]] = []
        """Changes of stores, in order: `store`, `key`, `action`, and what belongs to it."""
        self.logs: list[Line] = []
        self._clock = clock
        self._overlays: dict[str, Overlay] = {}

    def _accept(
        self, queue: str, wanted: Sequence[Wanted], may_wait: bool
    ) -> list[str | QueueError]:
        return self._queues.check_batch(queue, wanted)

    def store(self, store: Store) -> Store:
        """Return *store* with the changes of this run over it."""
        if store.id not in self._overlays:
            self._overlays[store.id] = Overlay(store, self._clock, self.written)
        return self._overlays[store.id]

    def write_log(self, line: Line) -> None:
        """Keep the line."""
        self.logs.append(line)


class Overlay:
    """A store as one dry run sees it: its own changes in front, the real values behind them."""

    def __init__(self, behind: Store, clock: Clock, changes: list[dict[str, Any]]) -> None:
        self.id = behind.id
        self._behind = behind
        self._own = MemoryStore(behind.id, clock)
        self._changed: set[str] = set()
        self._changes = changes

    def get(self, key: str) -> bytes | None:
        """Return the value."""
        return (self._own if key in self._changed else self._behind).get(key)

    def set(self, key: str, value: bytes, ttl: float | None) -> None:
        """Keep *value* for the rest of the run."""
        self._own.set(key, value, ttl)
        self._note("set", key, ttl, value=json.loads(value))

    def delete(self, key: str) -> bool:
        """Forget a key for the rest of the run."""
        existed = self.get(key) is not None
        self._own.delete(key)
        self._note("delete", key, None)
        return existed

    def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin with *prefix*, sorted."""
        untouched = {key for key in self._behind.keys(prefix) if key not in self._changed}
        return sorted(untouched.union(self._own.keys(prefix)))

    def incr(self, key: str, by: int | float, ttl: float | None) -> int | float:
        """Add to a number."""
        before = None if key in self._changed else self._behind.get(key)
        if before is not None:
            self._own.set(key, before, None)
        total = self._own.incr(key, by, ttl)
        self._note("incr", key, ttl, by=by, value=total)
        return total

    def _note(self, action: str, key: str, ttl: float | None, **what: Any) -> None:
        self._changed.add(key)
        kept = {"store": self.id, "action": action, "key": key, **what}
        self._changes.append(kept if ttl is None else {**kept, "ttl": ttl})
