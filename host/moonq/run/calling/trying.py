"""A dry run: what a call writes is checked, seen by the rest of the call, and thrown away.

trial = DryRun(queues, clock)
... the call runs with `trial` as its sink, and so do all calls below it ...
trial.published, trial.written     # what it would have done
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from moonq.clock import Clock
from moonq.drivers.refusals import full, too_heavy
from moonq.drivers.weight import weight
from moonq.errors import Invalid, QueueError
from moonq.model import Message, QueueInfo, Receipt
from moonq.run.calling.sinks import WARN, Line, Recording
from moonq.run.publishing import Wanted
from moonq.run.queues import Queues, Route
from moonq.run.stores.base import Store
from moonq.run.stores.overlay import Overlay

#: Bytes that a dry run keeps of what it would have written, and of log lines.
MAX_KEPT = 64 * 1024 * 1024
MAX_LOGS = 4 * 1024 * 1024


class DryRun(Recording):
    """Keeps what a call would write."""

    is_dry = True

    def __init__(self, queues: Queues, clock: Clock, *, real: bool = False) -> None:
        super().__init__(queues, clock)
        self.is_real = real
        self.unknown = ""
        """What it came to and cannot try, though its answer is needed: `call app:bank.charge()`."""
        self.written: list[dict[str, Any]] = []
        """Changes of stores, in order: `store`, `key`, `action`, and what belongs to it."""
        self.logs: list[Line] = []
        self._kept = self._logged = self._counted = 0
        self._clock = clock
        self._overlays: dict[str, Overlay] = {}
        self._lines: dict[str, QueueOverlay] = {}

    def end_dry_run(self, done: str) -> None:
        """Remember what it ends with: what came first, should a script go on for a moment."""
        self.unknown = self.unknown or done

    def _accept(
        self, queue: str, wanted: Sequence[Wanted | QueueError], may_wait: bool
    ) -> list[Receipt | QueueError]:
        self._keep(sum(len(one.body) for one in wanted if not isinstance(one, QueueError)))
        messages = self._queues.check_batch(queue, wanted)
        if queue not in self._lines:
            self._lines[queue] = QueueOverlay(self._queues.route(queue), self._clock)
        line = self._lines[queue]
        return [line.admit(one, may_wait) if isinstance(one, Message) else one for one in messages]

    def info(self, queue: str) -> QueueInfo:
        """Count the messages of a queue, with those of this run."""
        found = super().info(queue)
        return self._lines[queue].above(found) if queue in self._lines else found

    def store(self, store: Store) -> Store:
        """Return *store* with the changes of this run over it."""
        new = self.written[self._counted :]
        self._counted += len(new)
        self._keep(sum(len(str(change)) for change in new))
        if store.id not in self._overlays:
            self._overlays[store.id] = Overlay(store, self._clock, self.written)
        return self._overlays[store.id]

    def write_log(self, line: Line) -> None:
        """Keep the line, while there is room."""
        if self._logged > MAX_LOGS:
            return
        self._logged += line.size()
        if self._logged > MAX_LOGS:
            words = f"a dry run keeps {MAX_LOGS} bytes of log lines: further ones are left out"
            line = Line(WARN, line.logger, words, b"", line.entry, line.about)
        self.logs.append(line)

    def write_denial(self, line: Line) -> None:
        """Keep the line."""
        self.write_log(line)

    def _keep(self, size: int) -> None:
        self._kept += size
        if self._kept > MAX_KEPT:
            raise Invalid(
                f"a dry run keeps at most {MAX_KEPT} bytes of what it would write",
                hint="try it with less",
            )


class QueueOverlay:
    """A queue as one dry run sees it: its own messages on top of those that were there."""

    def __init__(self, route: Route, clock: Clock) -> None:
        found = route.driver.info(route.spec.name)
        self._spec, self._clock = route.spec, clock
        self._room = math.inf if found.message_count is None else route.spec.max_length or math.inf
        self._most = math.inf if found.bytes is None else route.spec.max_bytes or math.inf
        self._bytes, self._dead_bytes = found.bytes or 0, found.dead_bytes or 0
        self._held = found.message_count or 0
        self._droppable = found.ready or 0
        self._ready = self._delayed = 0
        self._keys: dict[str, tuple[str, float]] = {}

    def admit(self, message: Message, may_wait: bool) -> Receipt | QueueError:
        """Answer as the driver would; a publish that may wait for a place is taken for patient."""
        now, key = self._clock.monotonic(), message.dedup_key
        if key is not None:
            known, end = self._keys.get(key, ("", now))
            if end > now:
                return Receipt(known, duplicate=True)
        waits = may_wait and self._spec.overflow == "block"
        if self._held >= self._room and not waits and not self._drops():
            return full(self._spec.name, self._held, self._room)
        weighs = weight(message)
        if self._bytes + weighs > self._most and not waits and not self._drops_for_bytes():
            held = self._bytes - self._dead_bytes
            return too_heavy(self._spec.name, held, self._dead_bytes, self._most)
        self._held += 1
        self._bytes += weighs
        if message.delay > 0:
            self._delayed += 1
        else:
            self._ready += 1
            self._droppable += 1
        if key is not None:
            self._keys[key] = message.id, now + self._spec.dedup_window
        return Receipt(message.id)

    def _drops(self) -> bool:
        """Let the newcomer have the place of the oldest, where the queue does so."""
        if self._spec.overflow != "drop_oldest" or not self._droppable:
            return False
        self._held -= 1
        self._ready -= 1
        self._droppable -= 1
        return True

    def _drops_for_bytes(self) -> bool:
        """Whether the oldest makes room: how much it weighs is not looked at in a dry run."""
        return self._spec.dead_letter is None and self._drops()

    def above(self, found: QueueInfo) -> QueueInfo:
        """Return *found*, what the queue says, with the messages of this run."""
        ready, delayed = found.ready, found.delayed
        return found._replace(
            ready=None if ready is None else max(0, ready + self._ready),
            delayed=None if delayed is None else delayed + self._delayed,
            bytes=None if found.bytes is None else max(found.bytes, self._bytes),
        )
