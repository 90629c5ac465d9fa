"""What a world under test offers to scripts: the host's services, and a record of their use."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from moonq.clock import Clock
from moonq.registry import Project
from moonq.run.queues import Queues
from moonq.run.services import HostServices, level_name
from moonq.sandbox.lend import Caller
from moonq.testing.results import LogLine

#: Queue, id, body and headers of a message that was published.
Published = Callable[[str, str, bytes, Mapping[str, Any]], None]


class ServicesUnderTest(HostServices):
    """The services of a host, which tell what is logged and what is published."""

    def __init__(
        self,
        project: Project,
        clock: Clock,
        queues: Queues,
        env: Mapping[str, str],
        logged: Callable[[LogLine], None],
        published: Published,
    ) -> None:
        super().__init__(project, clock, queues, env)
        self._logged = logged
        self._published = published

    def publish(
        self, caller: Caller, queue: bytes, body: bytes, headers: bytes, options: bytes
    ) -> bytes:
        """Publish one message."""
        message = super().publish(caller, queue, body, headers, options)
        known = json.loads(headers) if headers else {}
        self._published(queue.decode("utf-8", "replace"), message.decode(), body, known)
        return message

    def publish_batch(self, caller: Caller, queue: bytes, *parts: bytes) -> bytes:
        """Publish messages given as body, headers and options in turn."""
        answers = super().publish_batch(caller, queue, *parts)
        queue_id = queue.decode("utf-8", "replace")
        for body, headers, answer in zip(parts[::3], parts[1::3], json.loads(answers), strict=True):
            if isinstance(answer, str):
                known = json.loads(headers) if headers else {}
                self._published(queue_id, answer, body, known)
        return answers

    def write_log(
        self, caller: Caller, index: int, level: int, logger: str, message: str, fields: bytes
    ) -> None:
        """Keep the line."""
        known = json.loads(fields) if fields else {}
        entry = logger or caller.entry
        self._logged(LogLine(level_name(level), message, known, entry))

    def log_level(self, logger: str) -> int:
        """Everything is kept."""
        return 1


class Deputy:
    """Answers for the services of whatever world there is when it is asked."""

    def __init__(self, clock: Clock, current: Callable[[], HostServices]) -> None:
        self.clock = clock
        self._current = current

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # Lent functions may be bound once, for all the worlds that are to come.
        def ask(*arguments: Any) -> Any:
            return getattr(self._current(), name)(*arguments)

        return ask
