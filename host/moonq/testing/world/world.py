"""What is under test, made anew for each test: queues, states, stores, clock, stubs and logs.

A world is a host without threads: its consumers run one delivery at a time, in the order of the
queue, and between two deliveries the clock jumps to what is due next. Drivers that go by a clock of
their own are waited for instead.
"""

from __future__ import annotations

import math
import os
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from moonq.databases.database import Database
from moonq.drivers.base import Driver, Event
from moonq.errors import MoonqError, NotFound
from moonq.kinds import KINDS
from moonq.kinds.database import SqlDatabase
from moonq.model import QueueSpec
from moonq.registry import Entry, Project
from moonq.run.building import Building
from moonq.run.stores.base import Store
from moonq.run.stores.memory import MemoryStore
from moonq.run.supervisor import Supervisor
from moonq.testing.world.bench import Bench
from moonq.testing.world.consumers import DrivenConsumer
from moonq.testing.world.databases import EmptyDatabases, ShutDatabase
from moonq.testing.world.places import Places
from moonq.testing.world.runs import Run
from moonq.testing.world.services import SinkUnderTest
from moonq.testing.world.staged import Staged
from moonq.testing.world.states import StateUnderTest

#: Of stores with a clock of their own: seconds of that clock for which one look waits, and after
#: which a delivery that is due comes no more.
_LOOK = 0.5
_PATIENCE = 40.0


class Shut(MoonqError):
    """A test is not to reach beyond the host."""

    kind = "UNAVAILABLE"


class World(Building):
    """The parts of a host without its threads; *token* is in the names of its queues."""

    def __init__(
        self,
        project: Project,
        bench: Bench,
        places: Places,
        token: str = "",
        real: bool = False,
    ) -> None:
        super().__init__(project, KINDS, bench.clock, os.environ, Supervisor(bench.clock))
        self.bench = bench
        self.is_virtual = places.is_virtual
        self._places = places
        self._token = token
        self._driven: dict[str, deque[DrivenConsumer]] = {}
        self._heard = 0.0
        self.services.sink = self._sink = SinkUnderTest(self.queues, bench.clock)
        self.logs = self._sink.logs
        self.reaches_out = real
        self.services.is_timed = not places.is_virtual
        self.opens_early = False
        self.services.shut = None if real else self._refuse
        self.functions.state_type = partial(StateUnderTest, bench=bench)
        self.functions.isolates = False
        self.consumer_type = partial(DrivenConsumer, bench=bench)
        self.chance = lambda: 0.5
        self._emptied = EmptyDatabases()
        self._furnish()

    def _furnish(self) -> None:
        for entry in self.project.start_order():
            kind = self.kind(entry)
            if not kind.works:
                kind.service(self, entry).start()

    def close(self) -> None:
        """Give back all states."""
        for consumers in self._driven.values():
            for consumer in consumers:
                consumer.close()
        super().close()
        for state in [*self.bench.states]:
            state.close()
        for driver in self.drivers.values():
            driver.close()
        for database in self.services.databases.values():
            database.close()
        self._emptied.close()

    def _refuse(self, would: str, line: str) -> None:
        """Keep the test from the outside, and let it know."""
        words = f"it would {would}, and tests are shut to the outside"
        self.bench.refused.append(f"{words}: write {line}, or run with --real")
        raise Shut(words, hint=f"write {line}, or run with --real")

    # Its own parts -------------------------------------------------------------------------------

    def new_driver(self, entry: Entry, _make: Callable[[], Driver]) -> Driver:
        """Return the twin of the declared driver, or one in memory that has its bounds."""
        place = self._places.place(entry, self.clock, self.project)
        return cast("Driver", Staged(place, self.bench.faults, self.bench.ledger))

    def new_database(self, entry: Entry, make: Callable[[], Database]) -> Database:
        """Return what refuses every statement, until the test asks for a database of its own."""
        return make() if self.reaches_out else ShutDatabase(entry)

    def open_database(self, entry: Entry) -> None:
        """Put an empty database in the place of the declared one, until the end of the test.

        What a server keeps only the server can play, so a run that reaches out has that one itself.
        """
        is_file = entry.fields(SqlDatabase).url.startswith("sqlite:")
        if is_file or not self.reaches_out:
            self.services.databases[entry.id] = self._emptied.database(entry, self.project)

    def new_store(self, entry: Entry, _make: Callable[[], Store]) -> Store:
        """Return an empty store in memory, in the time of the test."""
        most = getattr(entry.config, "max_bytes", None)
        return MemoryStore(entry.id, self.clock, most or sys.maxsize)

    def at_driver(self, spec: QueueSpec) -> QueueSpec:
        """Return *spec*, under names of this test at a declared driver.

        Options of a driver that memory stands in for mean nothing.
        """
        if not self._token:
            return spec._replace(options={})
        dead = spec.dead_letter and f"{spec.dead_letter}.{self._token}"
        return spec._replace(name=f"{spec.name}.{self._token}", dead_letter=dead)

    def shown(self, name: str) -> str:
        """Return what the project calls a queue that its driver calls *name*."""
        return name.removesuffix(f".{self._token}") if self._token else name

    def on_event(self, driver: str, event: Event) -> None:
        """Remember which messages expired, and which had to go."""
        super().on_event(driver, event)
        if event.kind == "expired" and self.bench.run is not None:
            self.bench.run.dead.append(event.detail)
        if event.kind == "dropped" and event.queue is not None:
            staged: Any = self.drivers[driver]
            self.bench.ledger.dropped(staged.spec(event.queue), event.count)

    # Running ------------------------------------------------------------------------------------

    def drain(self, queue_id: str, most: int, within: float | None) -> Run:
        """Let consumers run until nothing is left, or for *within* seconds.

        They are those of one queue, or all of the project where *queue_id* is empty.

        Raises:
            NotFound: There is no consumer.
            ScriptError: A handler does not load.
        """
        queues = [queue_id] if queue_id else self._served()
        run = self._run(queues, most, within)
        if run.deliveries >= most:
            infos = ((queue, self.queues.info(queue)) for queue in queues)
            run.left = [queue for queue, info in infos if info.message_count != 0]
        return run

    def step(self, queue_id: str, deliveries: int) -> Run:
        """Let the consumers of a queue run so many deliveries, or fewer when no more come."""
        return self._run([queue_id], deliveries, None)

    def _run(self, queues: list[str], most: int, within: float | None) -> Run:
        consumers = deque(consumer for queue in queues for consumer in self._consumers(queue))
        end = None if within is None else self.clock.monotonic() + within
        before, run = self.bench.run, Run(self._sink)
        self.bench.run = run
        self._rest(consumers, is_over=True)
        try:
            while run.deliveries < most and not self.bench.is_out_of_time():
                if run.deliveries and self._is_done(queues):
                    break
                if not self._step(queues, consumers) and not self._jump(queues, end):
                    break
        finally:
            self.bench.run = before
            self._rest(consumers)
        return run

    def _is_done(self, queues: list[str]) -> bool:
        """Whether to look again would be to wait for nothing."""
        names = (self.queues.route(queue).spec.name for queue in queues)
        return not self.is_virtual and not any(map(self.bench.ledger.count, names))

    def _rest(self, consumers: deque[DrivenConsumer], *, is_over: bool = False) -> None:
        """Let no driver fetch ahead what no step has asked for."""
        if self._token:
            self._heard = self.clock.monotonic()
            for consumer in consumers:
                consumer.rest(is_over=is_over)

    def _step(self, queues: list[str], consumers: deque[DrivenConsumer]) -> bool:
        if self._look(consumers):
            return True
        return self._is_behind(queues) and self._look(consumers)

    def _is_behind(self, queues: list[str]) -> bool:
        """Whether something is due that was not there, for its driver was still settling."""
        if not (self._token and self.is_virtual):
            return False
        routes = [self.queues.route(queue) for queue in queues]
        due = [route for route in routes if self.bench.ledger.due(route.spec.name)]
        for route in due:
            route.driver.info(route.spec.name)  # counts what was settled, so waits for it
        return bool(due)

    def _look(self, consumers: deque[DrivenConsumer]) -> bool:
        for _ in range(len(consumers)):
            consumer = consumers[0]
            consumers.rotate(-1)
            if consumer.step(0.0 if self.is_virtual else _LOOK):
                self._heard = self.clock.monotonic()
                return True
        return False

    def _jump(self, queues: list[str], end: float | None) -> bool:
        """Let time pass until something is due. False: nothing is, or not before *end*."""
        now = self.clock.monotonic()
        ledger, specs = self.bench.ledger, [self.queues.route(queue).spec for queue in queues]
        for spec in specs:
            ledger.expired(spec)
        is_due = any(ledger.due(spec.name) for spec in specs)
        if not self.is_virtual and is_due and now - self._heard < _PATIENCE:
            return end is None or now < end
        due = min((ledger.next_due(spec.name) for spec in specs), default=math.inf)
        if due == math.inf or (end is not None and due > end):
            self.bench.advance(0.0 if end is None else end - now)
            return False
        self.bench.advance(due - now)
        self._heard = self.clock.monotonic()
        return True

    def _served(self) -> list[str]:
        """Return the queues that have consumers, each once."""
        consumers = self.project.of_kind("queue.consumer")
        queues = dict.fromkeys(entry.target("queue") for entry in consumers)
        if not queues:
            raise NotFound("no consumer is declared here, so there is nothing to run")
        return [queue for queue in queues if queue]

    def _consumers(self, queue_id: str) -> deque[DrivenConsumer]:
        if queue_id not in self._driven:
            entries = [
                entry
                for entry in self.project.of_kind("queue.consumer")
                if entry.target("queue") == queue_id
            ]
            if not entries:
                raise NotFound(f"no consumer serves {queue_id}, so there is nothing to run")
            for entry in entries:
                self.kind(entry).service(self, entry).start()
            started = (self.consumers[entry.id] for entry in entries)
            self._driven[queue_id] = deque(
                consumer for consumer in started if isinstance(consumer, DrivenConsumer)
            )
        return self._driven[queue_id]
