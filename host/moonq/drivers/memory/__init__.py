"""The driver that keeps messages in this process."""

from __future__ import annotations

from pathlib import Path

from moonq.clock import Clock
from moonq.drivers.base import Driver
from moonq.drivers.descriptors import Descriptor
from moonq.drivers.memory.entry import LIMITS, MemoryFields


def _make(fields: MemoryFields, clock: Clock, _root: Path) -> Driver:
    from moonq.drivers.memory.driver import MemoryDriver

    return MemoryDriver(clock, max_length=fields.max_length, overflow=fields.overflow)


DESCRIPTOR = Descriptor(
    kind="queue.driver.memory",
    fields=MemoryFields,
    make=_make,
    twin=lambda fields, _number: fields,
    limits=LIMITS,
)
