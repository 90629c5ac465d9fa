"""Replaces what has changed in a running host: whole Lua states, never patched ones.

report = host.reload()              # raises ProjectInvalid or ScriptError: nothing has changed
report.replaced                     # ("app:worker",)

Everything is read, checked and tried first. Then, per consumer, the old one takes no more and hands
its buffer back, and the new one begins; messages in flight finish on the old code, beside it.
Queues keep their messages because their drivers stay. A driver's own fields need a new start.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from moonq import log
from moonq.building import Building
from moonq.changes import Changes
from moonq.consumer import Consumer
from moonq.errors import MoonqError, StopTimeout
from moonq.registry import queue_kinds
from moonq.registry.project import Entry, Project
from moonq.supervisor import Managed, Supervisor

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
        self._finishing: dict[Consumer, threading.Thread] = {}
        self._acked = 0
        self._problems: list[StopTimeout] = []

    def add(self, consumer: Consumer, when_done: Callable[[], None] = lambda: None) -> None:
        """Let *consumer* take no more, hand back what has not begun, and finish the rest."""
        consumer.take_no_more()
        thread = threading.Thread(
            target=self._finish,
            args=(consumer, when_done),
            name=f"{consumer.settings.id}-old",
            daemon=True,
        )
        with self._lock:
            self._finishing[consumer] = thread
        thread.start()

    def _finish(self, consumer: Consumer, when_done: Callable[[], None]) -> None:
        try:
            consumer.stop()
        except StopTimeout as problem:
            _log.error("%s (old code)", problem.message)
            self._problems.append(problem)
        except MoonqError as problem:
            _log.error("%s did not stop well: %s", consumer.settings.id, problem)
        with self._lock:
            del self._finishing[consumer]
            self._acked += consumer.acked()
        when_done()

    def acked(self) -> int:
        """How many messages they acknowledged in their lives."""
        with self._lock:
            return self._acked + sum(consumer.acked() for consumer in self._finishing)

    def stop(self) -> list[StopTimeout]:
        """Wait until all have finished; each has its own limit."""
        with self._lock:
            threads = list(self._finishing.values())
        for thread in threads:
            thread.join()
        problems, self._problems = self._problems, []
        return problems if threads else []

    def stop_now(self) -> None:
        """Do not wait for their handlers any longer."""
        with self._lock:
            consumers = list(self._finishing)
        for consumer in consumers:
            consumer.stop_now()


class Reload:
    """One change of a host from a project to its next version."""

    def __init__(self, building: Building, supervisor: Supervisor, retired: Retired) -> None:
        self._old = building
        self._supervisor = supervisor
        self._retired = retired
        self._workers = self._finishing = 0
        self._problems: list[str] = []

    def to(self, project: Project) -> tuple[Building, ReloadReport]:
        """Change to *project*; returns the building that stands now.

        Raises:
            MoonqError: Something in it does not work; nothing has changed.
        """
        began = time.perf_counter()
        changes = Changes(self._old.project, project)
        if not changes:
            # Positions and settings may differ all the same.
            return self._old, ReloadReport(took=time.perf_counter() - began)
        new = self._old.renewed(project)
        touched = [entry for entry in self._consumers(project) if self._begins_anew(entry, changes)]
        for entry in touched:
            new.try_handler(entry)
        self._open_drivers(new, changes)
        self._declare(new)
        self._switch(new, changes, touched)
        return new, ReloadReport(
            changes.added,
            changes.removed,
            changes.changed,
            tuple(entry.id for entry in touched if entry.id not in changes.added),
            self._workers,
            self._finishing,
            tuple(name for name in changes.changed if _is_driver(project.entries[name])),
            tuple(self._problems),
            time.perf_counter() - began,
        )

    @staticmethod
    def _consumers(project: Project) -> list[Entry]:
        return [one for one in project.start_order() if isinstance(one.config, _CONSUMER)]

    def _begins_anew(self, entry: Entry, changes: Changes) -> bool:
        if entry.id not in self._old.project.entries:
            return self._starts(entry)
        return changes.touches(entry.id)

    def _starts(self, entry: Entry) -> bool:
        """Whether a new service starts by itself."""
        wanted = self._old.with_consumers or not isinstance(entry.config, _CONSUMER)
        return entry.lifecycle.auto_start and wanted

    # What may still fail --------------------------------------------------------------------------

    def _open_drivers(self, new: Building, changes: Changes) -> None:
        opened: list[str] = []
        try:
            for entry in new.project.start_order():
                if _is_driver(entry) and entry.id not in self._old.drivers:
                    new.service(entry).start()
                    opened.append(entry.id)
        except MoonqError:
            for name in opened:
                new.drivers.pop(name).close()
            raise

    def _declare(self, new: Building) -> None:
        """Declare every queue as the new project has it, or all as they were."""
        try:
            for entry in new.project.of_kind("queue.queue"):
                if self._is_declared(new, entry):
                    new.declare(entry)
        except MoonqError:
            for entry in self._old.project.of_kind("queue.queue"):
                if entry.id in self._old.queues.ids():
                    self._old.declare(entry)
            raise

    def _is_declared(self, new: Building, entry: Entry) -> bool:
        return entry.id in new.queues.ids() or self._starts(entry)

    # What does not fail any more ------------------------------------------------------------------

    def _switch(self, new: Building, changes: Changes, touched: list[Entry]) -> None:
        old = self._old
        new.take_over()
        anew = {entry.id for entry in touched}
        running = {one.id for one in self._supervisor.all() if one.state in {"running", "failed"}}
        for name in [*anew, *changes.removed]:
            self._retire(name)
        for name in set(old.all_queues()) - set(new.all_queues()):
            old.queues.remove(name)
        for entry in new.project.of_kind("queue.queue"):
            if self._is_declared(new, entry):
                new.add_routes(entry)
        for name in changes.removed:
            old.services.stores.pop(name, None)
        added = set(changes.added)
        self._supervisor.renew(self._care(new, changes, anew))
        for entry in new.project.start_order():
            if entry.id in added and self._starts(entry) and not _is_driver(entry):
                self._start(entry.id)
            elif entry.id in anew & running:
                self._start(entry.id)
        old.close()

    def _retire(self, name: str) -> None:
        consumer = self._old.consumers.pop(name, None)
        if consumer is None:
            return
        status = consumer.status()
        self._workers += status.workers
        if status.paused:
            self._old.paused.add(name)
        self._retired.add(consumer)
        self._finishing += len(consumer.running())

    def _care(self, new: Building, changes: Changes, anew: set[str]) -> list[Managed]:
        """Return what the supervisor cares for from now on, in start order."""
        # A driver that is gone stays open: its messages are there when it comes back.
        gone = [self._supervisor.get(name) for name in changes.removed if name in new.drivers]
        services = [managed for managed in gone if managed is not None]
        for entry in new.project.start_order():
            known = self._supervisor.get(entry.id)
            if known is not None and entry.id not in anew and not _is_queue(entry):
                services.append(known)
            elif known is not None or self._starts(entry):
                services.append(self._managed(new, entry, known))
        return services

    @staticmethod
    def _managed(new: Building, entry: Entry, known: Managed | None) -> Managed:
        managed = new.managed(entry)
        if known is not None:
            managed.state, managed.problem = known.state, known.problem
            managed.failures, managed.since, managed.due = known.failures, known.since, known.due
        if isinstance(entry.config, _CONSUMER) and managed.state in {"running", "failed"}:
            managed.state = "stopped"
        elif _is_driver(entry):
            managed.state = "running"
        return managed

    def _start(self, name: str) -> None:
        try:
            self._supervisor.start(name)
        except MoonqError as problem:
            # It was tried with success a moment ago, so the next time may go well.
            self._problems.append(f"{name}: {problem.message}")
            self._supervisor.again(name, problem)


_CONSUMER = queue_kinds.Consumer


def _is_driver(entry: Entry) -> bool:
    return isinstance(entry.config, queue_kinds.Driver)


def _is_queue(entry: Entry) -> bool:
    return isinstance(entry.config, queue_kinds.Queue)
