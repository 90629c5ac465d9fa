"""A dry run: what a call writes is checked, seen by the rest of the call, and thrown away.

trial = DryRun(queues, clock)
... the call runs with `trial` as its sink, and so do all calls below it ...
trial.would_publish, trial.would_write     # what it would have done
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from moonq.clock import Clock
from moonq.errors import QueueError
from moonq.run.publishing import from_lua
from moonq.run.queues import Queues
from moonq.run.sinks import HostSink, level_name
from moonq.run.stores import MemoryStore
from moonq.sandbox.context import Line, Store


class Publication(NamedTuple):
    """A message that a call has published, or would have."""

    queue: str
    body: bytes
    headers: dict[str, Any]
    options: dict[str, Any]


class Logged(NamedTuple):
    """A log line that a dry run has kept."""

    level: str
    message: str
    fields: dict[str, Any]


class DryRun(HostSink):
    """Keeps what a call would write."""

    is_dry = True

    def __init__(self, queues: Queues, clock: Clock) -> None:
        super().__init__(queues, clock)
        self.would_publish: list[Publication] = []
        self.would_write: list[dict[str, Any]] = []
        """Changes of stores, in order: `store`, `key`, `action`, and what belongs to it."""
        self.logs: list[Logged] = []
        self._clock = clock
        self._overlays: dict[str, Overlay] = {}

    def publish(
        self, queue: bytes, body: bytes, headers: bytes, options: bytes, *, may_wait: bool
    ) -> str:
        """Check the message as every publish is checked, and keep it."""
        return self._keep(queue.decode("utf-8", "replace"), body, headers, options)

    def publish_many(
        self, queue: str, parts: Sequence[bytes], *, may_wait: bool
    ) -> list[str | QueueError]:
        """Keep those messages that would not be refused."""
        self._queues.route(queue)
        answers: list[str | QueueError] = []
        for one in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            try:
                answers.append(self._keep(queue, *one))
            except QueueError as problem:
                answers.append(problem)
        return answers

    def _keep(self, queue: str, *parts: bytes) -> str:
        wanted = from_lua(*parts)
        message = self._queues.message(self._queues.route(queue), wanted)
        kept = Publication(queue, message.body, dict(wanted.headers), dict(wanted.options))
        self.would_publish.append(kept)
        return message.id

    def store(self, store: Store) -> Store:
        """Return *store* with the changes of this run over it."""
        if store.id not in self._overlays:
            self._overlays[store.id] = Overlay(store, self._clock, self.would_write)
        return self._overlays[store.id]

    def write_log(self, line: Line) -> None:
        """Keep the line."""
        fields = json.loads(line.fields) if line.fields else {}
        self.logs.append(Logged(level_name(line.level), line.message, fields))


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
