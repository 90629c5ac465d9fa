"""A driver as somebody else would write it: messages in memory, and few of them."""

from __future__ import annotations

from pathlib import Path

from moonq.clock import Clock
from moonq.drivers.base import Capabilities, Limit
from moonq.drivers.descriptors import Descriptor
from moonq.drivers.entry import DriverFields
from moonq.drivers.memory.driver import MemoryDriver

LIMITS = {
    "durable": Limit("none", "it forgets everything with its process"),
    "move": Limit("none", "it knows nothing of where else messages may lie"),
    "several_hosts": Limit("none", "no other process sees its messages"),
}


class TinyFields(DriverFields):
    """`queue.driver.tiny`: at most so many messages in a queue."""

    room: int = 5


class TinyDriver(MemoryDriver):
    kind = "queue.driver.tiny"
    # What only a driver has whose messages can be moved.
    waiting = adopt = unserved = resting = None  # type: ignore[assignment]

    def capabilities(self) -> Capabilities:
        return Capabilities.but(LIMITS)


def _make(fields: TinyFields, clock: Clock, _root: Path) -> TinyDriver:
    return TinyDriver(clock, max_length=fields.room)


DESCRIPTOR = Descriptor(
    kind="queue.driver.tiny",
    fields=TinyFields,
    make=_make,
    twin=lambda fields, _number: fields.model_copy(update={"room": 10_000}),
    limits=LIMITS,
)
