"""Where the queues of a file of tests lie: in memory, or at twins of the declared drivers.

A twin is a driver with the same settings at a place of its own, so that tests may let time pass and
leave nothing behind. It stays open from test to test; each test has queues of its own there.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable
from typing import Any

from moonq.clock import Clock
from moonq.drivers import descriptor
from moonq.drivers.base import Driver, Event
from moonq.drivers.entry import DriverFields
from moonq.drivers.memory.driver import MemoryDriver
from moonq.registry import Entry, Project


class Place:
    """One driver, which is opened when it is first needed."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.on_event: Callable[[Event], None] | None = None
        """Of the test that runs."""
        self._is_open = False

    def open(self) -> Driver:
        """Return the driver, open."""
        if not self._is_open:
            self.driver.open(self._tell)
            self._is_open = True
        return self.driver

    def close(self) -> None:
        """Leave nothing behind."""
        if self._is_open:
            self._is_open = False
            self.driver.close()
            self.driver.erase()

    def _tell(self, event: Event) -> None:
        if self.on_event is not None:
            self.on_event(event)


class StandIns:
    """For each driver of the project one in memory, with its bounds, anew for each test."""

    is_virtual = True
    patience = 0.0

    def place(self, entry: Entry, clock: Clock, _project: Project) -> Place:
        """Return a new one."""
        bounds: dict[str, Any] = {
            "max_length": sys.maxsize,
            **entry.fields(DriverFields).queue_defaults(),
        }
        return Place(MemoryDriver(clock, **bounds))

    def close(self) -> None:
        """Give back what they have."""


class Twins:
    """A twin for each driver that the project declares."""

    def __init__(self, project: Project) -> None:
        kinds = {entry.kind for entry in project.of_kind("queue.driver.")}
        paces = [descriptor(kind).pace for kind in sorted(kinds)]
        self.is_virtual = all(pace.is_virtual for pace in paces)
        """Whether all of them go by the clock that they are given."""
        self.patience = max((pace.patience for pace in paces), default=0.0)
        self._number = secrets.randbelow(1_000_000)
        self._places: dict[str, Place] = {}

    def place(self, entry: Entry, clock: Clock, project: Project) -> Place:
        """Return the twin of the driver that *entry* declares."""
        if entry.id not in self._places:
            driver = descriptor(entry.kind)
            twin = driver.twin(entry.config, self._number + len(self._places))
            self._places[entry.id] = Place(driver.make(twin, clock, project.root))
        return self._places[entry.id]

    def close(self) -> None:
        """Erase them."""
        for place in self._places.values():
            place.close()
        self._places.clear()


Places = StandIns | Twins
