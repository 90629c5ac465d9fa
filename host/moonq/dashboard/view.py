"""What there is to see at one moment, in numbers; None is one that cannot be known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

SCHEMA = "moonq.top/1"
#: The host, a queue or a consumer; None is a number that is not known.
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """All of it."""

    time: float
    """Seconds since the epoch."""
    seconds: float
    """What rates and times are about: so much of the past."""
    since_start: bool
    """Whether that is the host's whole life."""
    host: Row
    """The process: `project`, `profile`, `pid`, `name`, `up`, `cpu` (cores in use),
    `memory_bytes`; `pids`, where it is several hosts of the project in one;
    `silent_for`: seconds since it last answered, when it should have; of brokers that are paid by
    the call, `call_rate` and `calls_per_message`, of those that were published and done."""
    queues: tuple[Row, ...]
    """`id`, `ready`, `in_flight`, `delayed`, `dead`, `oldest_age`, `in_rate`, `out_rate`,
    `consumers`, `paused`, `problem`; `keeps_dead`: it is where another queue's dead letters lie;
    `elsewhere`: consumers in hosts that are not asked, whose rates are not among these;
    `trend`: how many were ready, one number for each stretch of the last minute."""
    consumers: tuple[Row, ...]
    """`id`, `queue`, `function`, `state`, `workers`, `concurrency`, `ok_rate`, `fail_rate`, `p95`,
    `last_error`, `last_error_age`; `busy`: the share of its workers that was at work, 0 to 1."""
    p50: float | None
    p95: float | None
    p99: float | None

    def total(self, name: str) -> float | None:
        """Return the sum of a rate over all rows that know it."""
        rows = self.queues if name == "in_rate" else self.consumers
        return total(row[name] for row in rows)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data; what is not known is absent."""
        found: dict[str, Any] = _known({"schema": SCHEMA, **asdict(self)})
        return found


def total(numbers: Iterable[float | None]) -> float | None:
    """Return the sum of the numbers that are known, if any is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_known(item) for item in value]
    return value
