"""The delivery contract as code: what every driver must keep, case by case.

    for case in CASES:
        case.prove(Scene(lambda clock: MemoryDriver(clock)))

Needs nothing but the package, so that users can hold their own driver against it
(`moonq doctor --driver ID`); moonq's own tests run the same cases over every driver.
"""

from __future__ import annotations

from moonq.conformance import (
    bytes as bytes_,
)
from moonq.conformance import (
    clocks,
    dead_letters,
    dedup,
    delay,
    flow,
    groups,
    inspection,
    moving,
    overflow,
    peers,
    priority,
    publishing,
    settling,
    stopping,
    ttl,
)
from moonq.conformance.case import Case, cases_of
from moonq.conformance.scene import Scene

__all__ = ["CASES", "Case", "Scene"]

TOPICS = (
    publishing,
    settling,
    dead_letters,
    delay,
    ttl,
    priority,
    dedup,
    groups,
    flow,
    overflow,
    bytes_,
    stopping,
    clocks,
    inspection,
    moving,
    peers,
)
CASES: tuple[Case, ...] = tuple(case for topic in TOPICS for case in cases_of(topic))
