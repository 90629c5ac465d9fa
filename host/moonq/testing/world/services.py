"""What the scripts of a world under test reach: the host's services, and a record of their use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moonq.clock import Clock
from moonq.run.calling.services import HostServices
from moonq.run.calling.sinks import Line, Recording, level_name
from moonq.run.queues import Queues
from moonq.testing.results import LogLine


class SinkUnderTest(Recording):
    """Publishes into the world's queues and tells of it; keeps what is logged."""

    def __init__(self, queues: Queues, clock: Clock) -> None:
        super().__init__(queues, clock)
        self.logs: list[LogLine] = []

    def write_log(self, line: Line) -> None:
        """Keep the line."""
        self.logs.append(LogLine(level_name(line.level), line.message, line.known(), line.logger))

    def write_denial(self, line: Line) -> None:
        """Keep the line."""
        self.write_log(line)

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
