"""What a driver says of itself before one is made: its entry, its abilities, how to make it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moonq.clock import Clock
from moonq.drivers.base import Capabilities, Driver, Limit
from moonq.drivers.entry import DriverFields

#: What the kind of every driver's entry begins with.
PREFIX = "queue.driver."


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Everything that the rest of moonq needs to know of one kind of driver."""

    kind: str
    """The kind of its entries, such as ``queue.driver.memory``."""
    fields: type[DriverFields]
    """The model of its entries, which also names the options of its queues and consumers."""
    make: Callable[[Any, Clock, Path], Driver]
    """Makes one from an entry's fields, a clock and the project's folder."""
    twin: Callable[[Any, int], DriverFields]
    """Returns the fields of a driver at another place, where it may try things out."""
    litter: Callable[[Any], str]
    """Returns the folder that holds the places of all twins, below the project's; "" is none."""
    limits: Mapping[str, Limit] = field(default_factory=dict)
    """The abilities that the broker does not have by itself, each with the reason."""

    @property
    def name(self) -> str:
        """The short name, such as ``memory``."""
        return self.kind.removeprefix(PREFIX)

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities.but(self.limits)
