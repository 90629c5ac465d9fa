"""Where the writes of a call go: to the host, beside it into a record, or nowhere."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from moonq import log
from moonq.clock import Clock
from moonq.errors import QueueError
from moonq.model import QueueInfo, Receipt
from moonq.run import crossed
from moonq.run.publishing import Wanted
from moonq.run.queues import Queues
from moonq.run.stores.base import Store
from moonq.sandbox.state import LuaState
from moonq.text.plain import json_text

_LEVELS = {1: logging.DEBUG, 2: logging.INFO, 3: logging.WARNING, 4: logging.ERROR}
WARN = 3
#: Lines that a script may write per second, and bytes that one worker may; the rest is counted.
MAX_LINES = 5000
MAX_BYTES = 1024 * 1024
#: Speakers that are told apart; a script that is refused something chooses what it is refused.
MAX_SPEAKERS = 1000


class Line(NamedTuple):
    """One log line of a script."""

    level: int
    """1 debug to 4 error."""
    logger: str
    message: str
    fields: bytes
    """A JSON object, or empty."""
    entry: str
    """Who wrote it."""
    about: dict[str, object]
    """The message that was being handled."""

    def size(self) -> int:
        """Return about how many bytes it will have, as JSON."""
        return len(json_text(self.message)) + len(self.logger) + len(self.fields)

    def known(self) -> dict[str, Any]:
        """Return its fields."""
        return dict(json.loads(self.fields)) if self.fields else {}


class Publication(NamedTuple):
    """A message that a call has published, or would have."""

    queue: str
    id: str
    body: bytes
    headers: Mapping[str, Any]
    options: Mapping[str, Any]


class HostSink:
    """Writes what a call writes."""

    is_dry = False
    """Whether nothing may change anywhere: the call is only tried."""
    is_real = True
    """Whether what reaches beyond the host is done all the same."""
    state_type: Callable[..., LuaState] | None = None
    """What makes the states of the call, and of the calls below it; None: what makes all others."""

    def end_dry_run(self, done: str) -> None:
        """A dry run ends at what it cannot try; *done* says what would be done, as an order."""

    def __init__(self, queues: Queues, clock: Clock) -> None:
        self._queues = queues
        self.publish: Callable[..., str] = queues.publish
        """Publishes one message, as `Queues.publish` does."""
        self._line_floods = _Floods(clock, MAX_LINES)
        self._byte_floods = _Floods(clock, MAX_BYTES)
        self._denials = _Floods(clock, 1)

    def publish_all(
        self, queue: bytes, messages: Sequence[Any], are_bare: bool, *, may_wait: bool
    ) -> list[str | QueueError]:
        """Publish many messages, as `Queues.publish_all` does."""
        return self._queues.publish_all(queue, messages, are_bare, may_wait=may_wait)

    def publish_many(
        self, queue: str, wanted: Sequence[Wanted | QueueError], *, may_wait: bool
    ) -> list[Receipt | QueueError]:
        """Publish many messages and answer for each."""
        return self._queues.publish_batch(queue, wanted, may_wait=may_wait)

    def info(self, queue: str) -> QueueInfo:
        """Count the messages of a queue by state."""
        return self._queues.info(queue)

    def store(self, store: Store) -> Store:
        """Return the store itself."""
        return store

    def write_log(self, line: Line) -> None:
        """Write the line, unless its script floods the log."""
        dropped = self._line_floods.admit(line.entry)
        if dropped is None:
            return
        worker = f"{line.entry} {threading.get_ident()}"
        too_large = self._byte_floods.admit(worker, line.size())
        if dropped:
            words = "%d log lines were dropped: more than %d a second"
            log.get(line.logger).warning(words, dropped, MAX_LINES)
        if too_large:
            words = "%d log lines were dropped: more than %d bytes a second from one worker"
            log.get(line.logger).warning(words, too_large, MAX_BYTES)
        if too_large is not None:
            _write(line, line.known())

    def write_denial(self, line: Line) -> None:
        """Write that a policy refused something: the same once a second, and how often besides.

        It does not count with the lines of the script, which could flood it away. Each refusal
        counts as ``denied`` of the entry.
        """
        self._queues.metrics.count("denied", line.entry)
        repeated = self._denials.admit(f"{line.entry} {line.message}")
        if repeated is not None:
            _write(line, {**line.known(), **({"repeated": repeated} if repeated else {})})

    def log_level(self, logger: str) -> int:
        """Return the lowest level that is written, 1 to 5."""
        wanted = log.get(logger).getEffectiveLevel()
        return next((level for level, number in _LEVELS.items() if number >= wanted), 5)


class Recording(HostSink):
    """Publishes as the host does, and keeps a record of it."""

    def __init__(self, queues: Queues, clock: Clock) -> None:
        super().__init__(queues, clock)
        self.publish = self._publish
        self.published: list[Publication] = []

    def _publish(self, queue: bytes, *message: Any, may_wait: bool) -> str:
        wanted = crossed.wanted(*message)
        (answer,) = self.publish_many(queue.decode("utf-8", "replace"), [wanted], may_wait=may_wait)
        if isinstance(answer, QueueError):
            raise answer
        return answer.id

    def publish_all(
        self, queue: bytes, messages: Sequence[Any], are_bare: bool, *, may_wait: bool
    ) -> list[str | QueueError]:
        """Publish many messages that cross from Lua."""
        wanted = list(crossed.several(messages, are_bare))
        answers = self.publish_many(queue.decode("utf-8", "replace"), wanted, may_wait=may_wait)
        return [one.id if isinstance(one, Receipt) else one for one in answers]

    def publish_many(
        self, queue: str, wanted: Sequence[Wanted | QueueError], *, may_wait: bool
    ) -> list[Receipt | QueueError]:
        """Publish many messages."""
        answers = self._accept(queue, wanted, may_wait)
        for one, answer in zip(wanted, answers, strict=True):
            if isinstance(one, Wanted) and isinstance(answer, Receipt) and not answer.duplicate:
                body = crossed.as_json(one.body) if one.is_raw else one.body
                kept = Publication(queue, answer.id, body, one.headers, one.options)
                self.published.append(kept)
        return answers

    def _accept(
        self, queue: str, wanted: Sequence[Wanted | QueueError], may_wait: bool
    ) -> list[Receipt | QueueError]:
        return super().publish_many(queue, wanted, may_wait=may_wait)


def _write(line: Line, fields: Mapping[str, Any]) -> None:
    extra: dict[str, Any] = {"entry": line.entry, **line.about}
    if fields:
        extra["fields"] = fields
    level = _LEVELS.get(line.level, logging.INFO)
    log.get(line.logger).log(level, "%s", line.message, extra=extra)


class _Floods:
    """Counts what each speaker says per second, in lines or bytes: at most *most* pass."""

    def __init__(self, clock: Clock, most: int) -> None:
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        # The second, what was admitted in it, and how many lines were dropped since the last one.
        self._seen: dict[str, tuple[int, int, int]] = {}

    def admit(self, key: str, size: int = 1) -> int | None:
        """Return how many lines were dropped before this one; None drops this one too."""
        second = int(self._clock.monotonic())
        with self._lock:
            then, admitted, dropped = self._seen.get(key, (second, 0, 0))
            if key not in self._seen and len(self._seen) >= MAX_SPEAKERS:
                self._forget(second)
                if len(self._seen) >= MAX_SPEAKERS:
                    return None
            if then != second:
                then, admitted = second, 0
            elif dropped or admitted + size > self._most:
                self._seen[key] = (then, admitted, dropped + 1)
                return None
            self._seen[key] = (then, admitted + size, 0)
            return dropped

    def _forget(self, second: int) -> None:
        self._seen = {key: seen for key, seen in self._seen.items() if seen[0] == second}


def level_name(level: int) -> str:
    """Return what people call a script's *level*, 1 to 4."""
    return log.level_name(_LEVELS.get(level, logging.INFO))
