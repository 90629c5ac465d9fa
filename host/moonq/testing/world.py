"""What is under test, made anew for each test: queues, states, stores, clock, stubs and logs."""

from __future__ import annotations

import os

from moonq.building import Building
from moonq.clock import Clock
from moonq.registry import Project
from moonq.supervisor import Supervisor
from moonq.testing.results import LogLine
from moonq.testing.services import ServicesUnderTest


class World(Building):
    """The parts of a host without its threads."""

    services: ServicesUnderTest

    def __init__(self, project: Project, clock: Clock) -> None:
        super().__init__(project, clock, os.environ, Supervisor(clock))
        self.logs: list[LogLine] = []
        self.services = ServicesUnderTest(project, clock, self.queues, os.environ, self.logs.append)
        self.services.functions = self.functions
