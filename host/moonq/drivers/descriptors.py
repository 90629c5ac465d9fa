"""What a driver says of itself before one is made: its entry, its abilities, how to make it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moonq.clock import Clock
from moonq.drivers.base import Capabilities, Driver, Limit
from moonq.drivers.entry import DriverFields
from moonq.drivers.pace import VIRTUAL, Pace
from moonq.model import QueueSpec

#: What the kind of every driver's entry begins with.
PREFIX = "queue.driver."


@dataclass(frozen=True, slots=True)
class Resting:
    """What a driver has on this machine's disk, looked at without opening it."""

    unserved: Mapping[str, int]
    """As `Driver.unserved` counts them."""
    size_bytes: int = 0
    parts: Mapping[str, int] = field(default_factory=dict)
    """What takes the room, in bytes by what it is for; the largest queues by their name."""
    notes: tuple[str, ...] = ()
    """What an operator should know of it, and do."""


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
    """Returns the fields of a driver at another place, of that number, to try things out at.

    The same settings but for the place: another file, another prefix of names at the same broker.
    What is done there, `erase` included, must touch nothing at the place of the entry itself."""
    pace: Pace = VIRTUAL
    """How the suite lets time pass for it: `FAST` where the store goes by a clock of its own."""
    limits: Mapping[str, Limit] = field(default_factory=dict)
    """The abilities that the broker does not have by itself, each with the reason."""

    rest: Callable[[Any, Path], Resting | None] = lambda _fields, _root: None
    """Returns what lies on this machine's disk, which is not touched; None: nothing does.

    Raises `MoonqError` when it cannot be read."""
    reach: Callable[[Any, Path], str] | None = None
    """Asks the broker of an entry's fields who it is, and changes nothing: a line for people.

    Raises `MoonqError` when it does not answer or turns us away. None: there is no broker."""
    advise: Callable[[Any, Sequence[QueueSpec]], Sequence[str]] | None = None
    """Looks at the project's queues at the broker of an entry's fields, and changes nothing.

    Returns what an operator should know of them and do. Raises `MoonqError` when one cannot be
    used. None: there is nothing that only the broker knows."""
    compact: Callable[[Any, Path], None] | None = None
    """Makes what lies there as small as it can be; no host may be at it."""

    @property
    def name(self) -> str:
        """The short name, such as ``memory``."""
        return self.kind.removeprefix(PREFIX)

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities.but(self.limits)
