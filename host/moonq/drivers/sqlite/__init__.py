"""The driver that keeps messages in one file."""

from __future__ import annotations

from pathlib import Path

from moonq.clock import Clock
from moonq.drivers.base import Driver
from moonq.drivers.descriptors import Descriptor, Resting
from moonq.drivers.sqlite.entry import SqliteFields


def _make(fields: SqliteFields, clock: Clock, root: Path) -> Driver:
    from moonq.drivers.sqlite.driver import SqliteDriver

    return SqliteDriver(
        clock,
        root / fields.path,
        durability=fields.durability,
        ballast_mb=fields.ballast_mb,
        min_free_mb=fields.min_free_mb,
    )


def _twin(fields: SqliteFields, number: int) -> SqliteFields:
    """Return another file on the same disk."""
    path = f"{fields.path}.doctor/{number}.db"
    return fields.model_copy(update={"path": path, "ballast_mb": 0})


def _rest(fields: SqliteFields, root: Path) -> Resting | None:
    from moonq.drivers.sqlite.inspecting import rest

    return rest(root / fields.path)


def _compact(fields: SqliteFields, root: Path) -> None:
    from moonq.drivers.sqlite.inspecting import compact

    compact(root / fields.path)


DESCRIPTOR = Descriptor(
    kind="queue.driver.sqlite",
    fields=SqliteFields,
    make=_make,
    twin=_twin,
    rest=_rest,
    compact=_compact,
)
