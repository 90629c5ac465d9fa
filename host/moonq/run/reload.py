"""Replaces what has changed in a running host: whole Lua states, never patched ones.

report = host.reload()              # raises ProjectInvalid or ScriptError: nothing has changed
report.replaced                     # ("app:worker",)

Everything is read, checked and tried first: handlers are loaded, queues declared. Then, per
consumer, the old one takes no more and hands its buffer back, and the new one begins; messages in
flight finish on the old code, beside it. Queues keep their messages because their drivers stay;
a driver's own fields count from the host's next start.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

from moonq import log
from moonq.drivers.base import Driver
from moonq.drivers.entry import DriverFields
from moonq.errors import MoonqError, StopTimeout
from moonq.kinds.consumer import Consumer as ConsumerFields
from moonq.registry.project import Entry, Project
from moonq.run.building import Building
from moonq.run.changes import Changes
from moonq.run.consumer import Consumer
from moonq.run.queues import Route
from moonq.run.supervisor import Managed, Supervisor

_log = log.get("moonq.host")


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """What a reload did."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    """Consumers that work with other code or other settings now."""
    workers: int = 0
    """How many workers those had."""
    finishing: int = 0
    """How many messages finish on the old code."""
    needs_restart: tuple[str, ...] = ()
    """Drivers whose new fields count from the host's next start."""
    problems: tuple[str, ...] = ()
    """What did not start; the supervisor tries it again."""
    took: float = 0.0

    def object(self) -> dict[str, Any]:
        """Return it as plain data."""
        found = asdict(self)
        took = found.pop("took")
        return {**found, "took_ms": round(took * 1000, 1)}


class Retired:
    """Consumers that were replaced, until their last message has ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._finishing: set[Consumer] = set()
        self._acked = 0

    def add(self, consumer: Consumer) -> None:
        """Let *consumer* take no more, hand back what has not begun, and finish the rest."""
        consumer.retire()
        with self._lock:
            self._finishing.add(consumer)
        name = f"{consumer.settings.id}-old"
        threading.Thread(target=self._outlast, args=(consumer,), name=name, daemon=True).start()

    def _outlast(self, consumer: Consumer) -> None:
        # Whoever stops it first tells of what did not finish; here it only has to be gone.
        with contextlib.suppress(MoonqError):
            consumer.outlast()
        with self._lock:
            self._finishing.discard(consumer)
            self._acked += consumer.acked()

    def acked(self) -> int:
        """How many messages they acknowledged in their lives."""
        with self._lock:
            return self._acked + sum(consumer.acked() for consumer in self._finishing)

    def finishing(self) -> list[Consumer]:
        """Those that still have something at work."""
        with self._lock:
            return list(self._finishing)

    def stop(self, timeout: float | None) -> list[StopTimeout]:
        """Stop those that are left, all at once; returns what did not finish in time."""
        problems: list[StopTimeout] = []

        def stop(consumer: Consumer) -> None:
            try:
                consumer.stop(timeout)
            except StopTimeout as problem:
                problems.append(problem)

        threads = [threading.Thread(target=stop, args=(consumer,)) for consumer in self.finishing()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return problems


class Reload:
    """One change of a host from a project to its next version."""

    def __init__(self, building: Building, supervisor: Supervisor, retired: Retired) -> None:
        self._old = building
        self._supervisor = supervisor
        self._retired = retired
        # What was made on trial, and has to go again where the trial fails.
        self._drivers: dict[str, Driver] = {}
        self._declared: list[Route] = []
        self._prepared: dict[str, Consumer] = {}
        self._workers = self._finishing = 0
        self._problems: list[str] = []

    def to(self, project: Project) -> tuple[Building, ReloadReport]:
        """Change to *project*; returns the building that stands now.

        Raises:
            MoonqError: Something in it does not work; nothing has changed.
        """
        began = time.perf_counter()
        changes = Changes(self._old.project, project)
        new = self._old.renewed(project)
        with self._supervisor.exclusively():
            anew = [entry for entry in _consumers(project) if self._begins_anew(entry, changes)]
            try:
                routes = self._try(new, anew)
            except BaseException:
                self._undo(new)
                raise
            self._switch(new, routes, anew, changes)
        self._old.functions.close()
        report = ReloadReport(
            changes.added,
            changes.removed,
            changes.changed,
            tuple(entry.id for entry in anew if entry.id not in changes.added),
            self._workers,
            self._finishing,
            tuple(name for name in changes.changed if _is_driver(project.entries[name])),
            tuple(self._problems),
            time.perf_counter() - began,
        )
        return new, report

    def _begins_anew(self, entry: Entry, changes: Changes) -> bool:
        if self._supervisor.get(entry.id) is None:
            return self._starts(entry) and entry.id in changes.added
        return changes.touches(entry.id)

    def _starts(self, entry: Entry) -> bool:
        """Whether a new service starts by itself."""
        wanted = self._old.with_consumers or not _is_consumer(entry)
        return entry.lifecycle.auto_start and wanted

    def _stands(self, entry: Entry) -> bool:
        """Whether a service is up, or will be."""
        return self._supervisor.get(entry.id) is not None or self._starts(entry)

    # What may still fail --------------------------------------------------------------------------

    def _try(self, new: Building, anew: list[Entry]) -> dict[str, Route]:
        """Open new drivers, load handlers, declare queues; returns the queues' new routes."""
        for entry in new.project.start_order():
            if _is_driver(entry) and entry.id not in new.drivers and self._starts(entry):
                service = new.service(entry)
                service.start()
                self._drivers[entry.id] = new.drivers[entry.id]
        queues = [entry for entry in new.project.of_kind("queue.queue") if self._stands(entry)]
        routes = {entry.id: new.route(entry) for entry in queues}
        for entry in anew:
            route = routes[entry.fields(ConsumerFields).queue]
            consumer = self._prepared[entry.id] = new.consumer(entry, route)
            new.load(consumer)
        known = self._old.queues.ids()
        for route in routes.values():
            if route.id not in known or self._old.queues.route(route.id) != route:
                self._declared.append(route)
                route.driver.declare(route.spec)
        return routes

    def _undo(self, new: Building) -> None:
        """Let everything be as if nothing had been tried."""
        for consumer in self._prepared.values():
            consumer.discard()
        known = self._old.queues.ids()
        for route in self._declared:
            if route.id in known:
                before = self._old.queues.route(route.id)
                with contextlib.suppress(MoonqError):
                    before.driver.declare(before.spec)
        for driver in self._drivers.values():
            driver.close()
        new.functions.close()

    # What does not fail any more ------------------------------------------------------------------

    def _switch(
        self, new: Building, routes: dict[str, Route], anew: list[Entry], changes: Changes
    ) -> None:
        old = self._old
        new.take_over()
        for name in old.all_queues() - new.all_queues():
            old.queues.remove(name)
        for route in routes.values():
            new.add_routes(route)
        for name in changes.removed:
            self._retire(name)
            old.services.stores.pop(name, None)
        self._supervisor.renew(self._services(new, anew, changes))
        for entry in new.project.start_order():
            if entry.id in changes.added and _is_store(entry) and self._starts(entry):
                self._supervisor.start(entry.id)
        for entry in anew:
            self._begin(new, entry)

    def _begin(self, new: Building, entry: Entry) -> None:
        """Let the prepared consumer work in the place of the old one."""
        paused = self._retire(entry.id)
        consumer = self._prepared[entry.id]
        if paused:
            consumer.pause()
        new.consumers[entry.id] = consumer
        managed = self._supervisor.get(entry.id)
        if managed is not None and managed.state != "stopped":
            managed.state = "running"
            try:
                consumer.start()
            except MoonqError as problem:
                self._problems.append(f"{entry.id}: {problem.message}")
                self._supervisor.failed(entry.id, problem)
        else:
            consumer.discard()

    def _retire(self, name: str) -> bool:
        """Take a consumer out of work; returns whether it was paused."""
        consumer = self._old.consumers.pop(name, None)
        if consumer is None:
            return False
        status = consumer.status()
        self._workers += status.workers
        self._retired.add(consumer)
        self._finishing += len(consumer.running())
        return status.paused

    def _services(self, new: Building, anew: list[Entry], changes: Changes) -> list[Managed]:
        """Return what the supervisor cares for from now on, in start order."""
        # A driver that is gone stays open: its messages are there when it comes back.
        gone = (self._supervisor.get(name) for name in changes.removed if name in new.drivers)
        services = [managed for managed in gone if managed is not None]
        replaced = {entry.id for entry in anew}
        for entry in new.project.start_order():
            known = self._supervisor.get(entry.id)
            keeps = _is_driver(entry) or not (entry.id in replaced or entry.id in changes.changed)
            if known is not None and keeps:
                services.append(known)
            elif self._stands(entry):
                services.append(self._managed(new, entry, known))
        return services

    def _managed(self, new: Building, entry: Entry, known: Managed | None) -> Managed:
        managed = new.managed(entry)
        if known is not None:
            managed.state = known.state
        elif not _is_store(entry):
            managed.state = "running"
        managed.since = new.clock.monotonic()
        return managed


def _consumers(project: Project) -> list[Entry]:
    return [entry for entry in project.start_order() if _is_consumer(entry)]


def _is_consumer(entry: Entry) -> bool:
    return isinstance(entry.config, ConsumerFields)


def _is_driver(entry: Entry) -> bool:
    return isinstance(entry.config, DriverFields)


def _is_store(entry: Entry) -> bool:
    return entry.kind == "store.memory"
