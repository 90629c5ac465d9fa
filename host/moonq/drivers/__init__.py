"""The drivers: whatever stores messages, one folder each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from moonq.clock import Clock
from moonq.drivers.base import Driver
from moonq.drivers.entry import DriverFields
from moonq.drivers.memory.entry import MemoryFields
from moonq.drivers.sqlite.entry import SqliteFields


class Descriptor(NamedTuple):
    """One driver: its entry's kind and fields, and what makes it."""

    kind: str
    fields: type[DriverFields]
    make: Callable[[Any, Clock, Path], Driver]


def _memory(fields: MemoryFields, clock: Clock, _root: Path) -> Driver:
    from moonq.drivers.memory.driver import MemoryDriver

    return MemoryDriver(clock, max_length=fields.max_length, overflow=fields.overflow)


def _sqlite(fields: SqliteFields, clock: Clock, root: Path) -> Driver:
    from moonq.drivers.sqlite.driver import SqliteDriver

    return SqliteDriver(
        clock,
        root / fields.path,
        durability=fields.durability,
        ballast_mb=fields.ballast_mb,
        min_free_mb=fields.min_free_mb,
    )


_DRIVERS = (
    Descriptor("queue.driver.memory", MemoryFields, _memory),
    Descriptor("queue.driver.sqlite", SqliteFields, _sqlite),
)


def kinds() -> dict[str, type[DriverFields]]:
    """Return the kinds of entries that declare a driver, and the models of their fields."""
    return {one.kind: one.fields for one in _DRIVERS}


def descriptor(kind: str) -> Descriptor:
    """Return what is known of the driver that entries of *kind* declare."""
    return next(one for one in _DRIVERS if one.kind == kind)
