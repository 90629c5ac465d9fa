"""What a world under test offers to scripts: the host's services, and a record of their use."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from moonq.clock import Clock
from moonq.queues import Queues
from moonq.registry import Project
from moonq.sandbox.lend import Caller
from moonq.services import HostServices
from moonq.testing.results import LogLine

_LEVELS = {1: "debug", 2: "info", 3: "warn", 4: "error"}


class ServicesUnderTest(HostServices):
    """The services of a host; whatever is logged goes to *logged*."""

    def __init__(
        self,
        project: Project,
        clock: Clock,
        queues: Queues,
        env: Mapping[str, str],
        logged: Callable[[LogLine], None],
    ) -> None:
        super().__init__(project, clock, queues, env)
        self._logged = logged

    def write_log(
        self, caller: Caller, index: int, level: int, logger: str, message: str, fields: bytes
    ) -> None:
        """Keep the line."""
        known = json.loads(fields) if fields else {}
        entry = logger or caller.entry
        self._logged(LogLine(_LEVELS.get(level, "info"), message, known, entry))

    def log_level(self, logger: str) -> int:
        """Everything is kept."""
        return 1


class Deputy:
    """Answers for the services of whatever world there is at the moment."""

    def __init__(self, current: Callable[[], HostServices]) -> None:
        self._current = current

    def __getattr__(self, name: str) -> Any:
        return getattr(self._current(), name)
