"""`queue.driver.memory` as an entry, and what it cannot do."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from moonq.drivers.base import Limit
from moonq.drivers.entry import DriverFields, Overflow
from moonq.registry.fields import SizeOrNone, Whole, between, bytes_between

LIMITS = {
    "durable": Limit("none", "it keeps messages in this process only"),
    "several_hosts": Limit("none", "no other process sees them"),
}


class MemoryFields(DriverFields):
    """`queue.driver.memory`: messages live in this process and end with it."""

    example: ClassVar[str] = """\
name: mem
kind: queue.driver.memory
max_length: 50000
"""

    max_length: Annotated[Whole, between(1, 1_000_000_000)] = Field(
        10_000, description="`options.max_length` of queues that say nothing."
    )
    max_bytes: Annotated[SizeOrNone, bytes_between(1024, 1024**4)] = Field(
        256 * 1024**2, description="`max_bytes` of queues that say nothing."
    )
    overflow: Overflow = Field(
        "reject", description="`options.overflow` of queues that say nothing."
    )

    def queue_defaults(self) -> dict[str, Any]:
        """Return the bounds, which every queue in memory has."""
        return {"max_length": self.max_length, "overflow": self.overflow}

    def queue_bytes(self) -> int | None:
        """Return the bound in bytes, which every queue in memory has."""
        return self.max_bytes
