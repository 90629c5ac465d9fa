"""What is under test, made anew for each test: queues, states, stores, clock, stubs and logs.

A world is a host without threads: its consumers take a step when they are told to, in the order
of the queue, and between two steps the clock jumps to whatever is due next.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

from moonq.drivers.base import Driver, Event
from moonq.drivers.entry import DriverFields
from moonq.errors import NotFound
from moonq.kinds import KINDS
from moonq.model import Delivery, QueueSpec, Verdict, Wait
from moonq.registry import Entry, Project
from moonq.run.building import Building
from moonq.run.supervisor import Supervisor
from moonq.testing.coverage import Hit
from moonq.testing.world.clock import TimeOfTests
from moonq.testing.world.consumers import DrivenConsumer
from moonq.testing.world.faults import Faults
from moonq.testing.world.functions import FunctionsUnderTest
from moonq.testing.world.runs import Run
from moonq.testing.world.services import SinkUnderTest
from moonq.testing.world.standin import StandIn
from moonq.testing.world.states import StateUnderTest
from moonq.testing.world.told import Stub

#: With the declared drivers: how long one look for a delivery waits, in seconds.
_LOOK = 0.05


class Bench(Protocol):
    """The suite, as its world sees it."""

    clock: TimeOfTests
    hit: Hit | None
    """Gathers the lines that run; None without coverage."""

    def answer(self, stub: int, arguments: bytes) -> bytes:
        """Call the function of a stub."""
        ...

    def time_left(self) -> float | None:
        """Return how much real time the running test has left."""
        ...


class World(Building):
    """The parts of a host without its threads; with *token* its drivers are the declared ones."""

    def __init__(self, project: Project, bench: Bench, token: str = "") -> None:
        super().__init__(project, KINDS, bench.clock, os.environ, Supervisor(bench.clock))
        self.stubs: list[Stub] = []
        self.states: set[StateUnderTest] = set()
        self.faults = Faults(bench.clock)
        self.run: Run | None = None
        self.hit = bench.hit
        self._bench = bench
        self._token = token
        self.is_real = bool(token)
        self._running = ""
        self._returned = b""
        self._ended_at: dict[str, float] = {}
        self._driven: dict[str, deque[DrivenConsumer]] = {}
        self.services.sink = self._sink = SinkUnderTest(self.queues, bench.clock)
        self.logs = self._sink.logs
        self.functions = FunctionsUnderTest(project, self.services, self)
        self.services.functions = self.functions
        self.consumer_type = partial(DrivenConsumer, world=self)
        self.chance = lambda: 0.5
        self._furnish()

    def _furnish(self) -> None:
        for entry in self.project.start_order():
            kind = self.kind(entry)
            if not kind.works:
                kind.service(self, entry).start()

    def close(self) -> None:
        """Give back all states, and what was left on the declared drivers."""
        for consumers in self._driven.values():
            for consumer in consumers:
                consumer.close()
        super().close()
        for state in [*self.states]:
            state.close()
        for queue_id in self.queues.ids() if self._token else ():
            route = self.queues.route(queue_id)
            route.driver.purge(route.spec.name)
        for driver in self.drivers.values():
            driver.close()

    # Parts of its own ---------------------------------------------------------------------------

    def new_driver(self, entry: Entry, make: Callable[[], Driver]) -> Driver:
        """Return the declared driver, or one in memory that has its bounds."""
        if self._token:
            return make()
        bounds = {"max_length": sys.maxsize, **entry.fields(DriverFields).queue_defaults()}
        return StandIn(self.clock, self.faults, **bounds)

    def at_driver(self, spec: QueueSpec) -> QueueSpec:
        """Return *spec*, with names of its own at a declared driver."""
        if not self._token:
            return spec
        # Queues of its own: nobody's messages are touched, and nobody else's consumers see ours.
        dead = spec.dead_letter and f"{spec.dead_letter}.{self._token}"
        return spec._replace(name=f"{spec.name}.{self._token}", dead_letter=dead)

    def on_event(self, event: Event) -> None:
        """Remember which messages expired."""
        super().on_event(event)
        if event.kind == "expired" and self.run is not None:
            self.run.dead.append(event.detail)

    # Running ------------------------------------------------------------------------------------

    def drain(self, queue_id: str, most: int, within: float | None) -> Run:
        """Let the consumers of a queue run until nothing is left, or for *within* seconds.

        Raises:
            NotFound: The queue has no consumer.
            ScriptError: A handler does not load.
        """
        run = self._run(queue_id, most, within)
        info = self.queues.info(queue_id)
        run.cut_short = run.deliveries >= most and bool(info.message_count)
        return run

    def step(self, queue_id: str, deliveries: int) -> Run:
        """Let the consumers of a queue run so many deliveries, or fewer when no more come."""
        return self._run(queue_id, deliveries, None)

    def _run(self, queue_id: str, most: int, within: float | None) -> Run:
        consumers = self._consumers(queue_id)
        end = None if within is None else self.clock.monotonic() + within
        before, self.run = self.run, Run(self._sink)
        run = self.run
        try:
            while run.deliveries < most and not self._is_out_of_time():
                if not self._step(consumers) and not self._jump(queue_id, end):
                    break
        finally:
            self.run = before
        return run

    def _step(self, consumers: deque[DrivenConsumer]) -> bool:
        for _ in range(len(consumers)):
            consumer = consumers[0]
            consumers.rotate(-1)
            if consumer.step(_LOOK if self._token else 0.0):
                return True
        return False

    def _jump(self, queue_id: str, end: float | None) -> bool:
        """Let time pass until something is due. False: nothing is, or not before *end*."""
        route = self.queues.route(queue_id)
        now = self.clock.monotonic()
        if not isinstance(route.driver, StandIn):
            return bool(self.queues.info(queue_id).message_count) and (end is None or now < end)
        due = route.driver.next_due(route.spec.name)
        if due is None or (end is not None and due > end):
            self._bench.clock.advance(0.0 if end is None else end - now)
            return False
        self._bench.clock.advance(due - now)
        return due > now

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

    def _is_out_of_time(self) -> bool:
        left = self._bench.time_left()
        return left is not None and left <= 0

    def within_test(self, limit: float | None) -> float | None:
        """Return *limit*, or what the test has left where that is less."""
        left = self._bench.time_left()
        if left is None or limit is None:
            return limit if left is None else left
        return min(limit, left)

    def sleep(
        self, seconds: float, began: float, limit: float | None, fire: Callable[[str], object]
    ) -> None:
        """Let time pass on behalf of a handler that *began* then and may take *limit* seconds."""
        left = None if limit is None else began + limit - self.clock.monotonic()
        if left is None or seconds <= left:
            self._bench.clock.advance(seconds)
        else:
            self._bench.clock.advance(left)
            fire("timeout")

    # What its parts tell ------------------------------------------------------------------------

    def begun(self, delivery: Delivery) -> None:
        """A handler begins."""
        message, now = delivery.message.id, self.clock.monotonic()
        self._running = message
        if self.run is not None:
            self.run.deliveries += 1
            wait = now - self._ended_at.get(message, now)
            self.run.waits.setdefault(message, []).append(round(wait, 6))

    def ended(self, delivery: Delivery, verdict: Verdict) -> None:
        """A delivery was settled."""
        if not isinstance(verdict, Wait):
            self._ended_at[delivery.message.id] = self.clock.monotonic()
        if self.run is not None:
            self.run.settled(delivery.message.id, verdict)

    def returned(self, values: bytes) -> None:
        """A handler returned *values*, as `lua/run/crossing.lua` wrote them."""
        self._returned = values
        if self.run is not None:
            self.run.results[self._running] = values.decode()

    def take_returned(self) -> bytes:
        """Return what was returned last, and forget it."""
        values, self._returned = self._returned, b""
        return values

    def answer(self, stub: int, arguments: bytes) -> bytes:
        """A stub was called in a state under test."""
        return self._bench.answer(stub, arguments)
