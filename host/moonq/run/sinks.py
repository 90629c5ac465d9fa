"""Where the writes of a call go: to the host, beside it into a record, or nowhere."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moonq import log
from moonq.clock import Clock
from moonq.errors import QueueError
from moonq.run.publishing import from_lua
from moonq.run.queues import Queues
from moonq.sandbox.context import Line, Store

_LEVELS = {1: logging.DEBUG, 2: logging.INFO, 3: logging.WARNING, 4: logging.ERROR}
#: Lines that one script may write per second; the rest is counted.
MAX_LINES = 5000

#: Hears of a message that was published: queue, id, body, headers and options.
Published = Callable[[str, str, bytes, Mapping[str, Any], Mapping[str, Any]], None]


class HostSink:
    """Writes what a call writes."""

    is_dry = False

    def __init__(self, queues: Queues, clock: Clock) -> None:
        self._queues = queues
        self._floods = _Floods(clock)

    def publish(
        self, queue: bytes, body: bytes, headers: bytes, options: bytes, *, may_wait: bool
    ) -> str:
        """Publish one message."""
        return self._queues.publish(queue, body, headers, options, may_wait=may_wait)

    def publish_many(
        self, queue: str, parts: Sequence[bytes], *, may_wait: bool
    ) -> list[str | QueueError]:
        """Publish messages given as body, headers and options in turn."""
        triples = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
        wanted = [from_lua(*triple) for triple in triples]
        return self._queues.publish_batch(queue, wanted, may_wait=may_wait)

    def store(self, store: Store) -> Store:
        """Return the store itself."""
        return store

    def write_log(self, line: Line) -> None:
        """Write the line, unless its script floods the log."""
        target = log.get(line.logger)
        dropped = self._floods.admit(line.entry)
        if dropped is None:
            return
        if dropped:
            target.warning("%d log lines were dropped: more than %d a second", dropped, MAX_LINES)
        extra: dict[str, Any] = {"entry": line.entry, **line.about}
        if line.fields:
            extra["fields"] = json.loads(line.fields)
        target.log(_LEVELS.get(line.level, logging.INFO), "%s", line.message, extra=extra)

    def log_level(self, logger: str) -> int:
        """Return the lowest level that is written, 1 to 5."""
        wanted = log.get(logger).getEffectiveLevel()
        return next((level for level, number in _LEVELS.items() if number >= wanted), 5)


class Recording(HostSink):
    """Publishes as the host does, and tells of it."""

    def __init__(self, queues: Queues, clock: Clock, published: Published) -> None:
        super().__init__(queues, clock)
        self._published = published

    def publish(
        self, queue: bytes, body: bytes, headers: bytes, options: bytes, *, may_wait: bool
    ) -> str:
        """Publish one message."""
        message = super().publish(queue, body, headers, options, may_wait=may_wait)
        self._tell(queue.decode(), message, body, headers, options)
        return message

    def publish_many(
        self, queue: str, parts: Sequence[bytes], *, may_wait: bool
    ) -> list[str | QueueError]:
        """Publish messages given as body, headers and options in turn."""
        answers = super().publish_many(queue, parts, may_wait=may_wait)
        for number, answer in enumerate(answers):
            if isinstance(answer, str):
                self._tell(queue, answer, *parts[3 * number : 3 * number + 3])
        return answers

    def _tell(self, queue: str, message: str, body: bytes, *more: bytes) -> None:
        headers, options = (json.loads(part) if part else {} for part in more)
        self._published(queue, message, body, headers, options)


class _Floods:
    """Counts the log lines of each script per second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[int, int, int]] = {}

    def admit(self, entry: str) -> int | None:
        """Return how many lines were dropped before this one; None drops this one too."""
        second = int(self._clock.monotonic())
        with self._lock:
            then, lines, dropped = self._seen.get(entry, (second, 0, 0))
            if then != second:
                self._seen[entry] = (second, 1, 0)
                return dropped
            if lines >= MAX_LINES:
                self._seen[entry] = (then, lines, dropped + 1)
                return None
            self._seen[entry] = (then, lines + 1, dropped)
            return 0


def level_name(level: int) -> str:
    """Return what people call a script's *level*, 1 to 4."""
    return log.level_name(_LEVELS.get(level, logging.INFO))
