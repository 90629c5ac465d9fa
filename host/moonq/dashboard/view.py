"""What there is to see at one moment, in numbers; None is one that nobody can know."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

SCHEMA = "moonq.top/1"


@dataclass(frozen=True, slots=True)
class HostView:
    """The process."""

    project: str
    profile: str
    pid: int
    up: float
    cpu: float | None
    """Cores in use."""
    memory_bytes: int | None
    silent_for: float = 0.0
    """Seconds since it last answered, when it should have."""


@dataclass(frozen=True, slots=True)
class QueueView:
    """One queue."""

    id: str
    ready: int | None
    in_flight: int | None
    delayed: int | None
    dead: int | None
    oldest_age: float | None
    in_rate: float | None
    out_rate: float | None
    consumers: tuple[str, ...]
    keeps_dead: bool
    """It is where another queue's dead letters lie."""
    paused: bool
    problem: str
    trend: tuple[int | None, ...]
    """How many were ready, one number for each stretch of the last minute."""


@dataclass(frozen=True, slots=True)
class ConsumerView:
    """One consumer."""

    id: str
    queue: str
    function: str
    state: str
    workers: int | None
    concurrency: int
    busy: float | None
    """The share of its workers that was at work, 0 to 1."""
    ok_rate: float | None
    fail_rate: float | None
    p95: float | None
    last_error: str
    last_error_age: float | None


@dataclass(frozen=True, slots=True)
class View:
    """All of it."""

    time: float
    """Seconds since the epoch."""
    seconds: float
    """What rates and times are about: so much of the past."""
    since_start: bool
    """Whether that is the host's whole life."""
    host: HostView
    queues: tuple[QueueView, ...]
    consumers: tuple[ConsumerView, ...]
    p50: float | None
    p95: float | None
    p99: float | None

    def total(self, name: str) -> float | None:
        """Return the sum of a rate over all rows that know it."""
        rows = self.queues if name == "in_rate" else self.consumers
        known = [rate for row in rows if (rate := getattr(row, name)) is not None]
        return sum(known) if known else None

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data; what is not known is absent."""
        found: dict[str, Any] = _known({"schema": SCHEMA, **asdict(self)})
        return found


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_known(item) for item in value]
    return value
