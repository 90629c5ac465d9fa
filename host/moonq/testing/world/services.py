"""What the scripts of a world under test reach: the host's services, and a record of their use."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moonq.clock import Clock
from moonq.run.queues import Queues
from moonq.run.services import HostServices
from moonq.run.sinks import Published, Recording, level_name
from moonq.sandbox.context import Line
from moonq.testing.results import LogLine


class SinkUnderTest(Recording):
    """Publishes into the world's queues and tells of it; keeps what is logged."""

    def __init__(
        self,
        queues: Queues,
        clock: Clock,
        published: Published,
        logged: Callable[[LogLine], None],
    ) -> None:
        super().__init__(queues, clock, published)
        self._logged = logged

    def write_log(self, line: Line) -> None:
        """Keep the line."""
        fields = json.loads(line.fields) if line.fields else {}
        self._logged(LogLine(level_name(line.level), line.message, fields, line.logger))

    def log_level(self, logger: str) -> int:
        """Everything is kept."""
        return 1


class CurrentServices(HostServices):
    """The services of whatever world there is when they are asked for something.

    Lent functions may be bound to it once, for all the worlds that are to come.
    """

    def __init__(self, current: Callable[[], HostServices]) -> None:
        self._current = current

    def __getattribute__(self, name: str) -> Any:
        current = object.__getattribute__(self, "_current")
        return getattr(current(), name)
