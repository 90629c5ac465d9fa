"""How the suite lets time pass for a kind of driver: as it says, or really, but faster."""

from __future__ import annotations

from typing import NamedTuple


class Pace(NamedTuple):
    """How the suite runs over one kind of driver."""

    is_virtual: bool = True
    """Whether the driver goes by the clock that it was given, in everything."""
    grain: float = 0.01
    """The shortest time that it tells apart, in seconds of that clock; longer than `patience`."""
    tolerance: float = 0.001
    """By how much a moment may be off."""
    patience: float = 0.0
    """How long a look for messages waits."""
    at_once: int = 1
    """How many cases run side by side, each at a twin of its own."""


VIRTUAL = Pace()
FAST = Pace(is_virtual=False, grain=1.5, tolerance=2.0, patience=0.5, at_once=16)
