"""Replaces what has changed in a running host: whole Lua states, never patched ones.

report = host.reload()              # raises ProjectInvalid or ScriptError: nothing has changed
report.replaced                     # ("app:worker",)

Everything is read, checked and tried first: handlers are loaded, queues declared. Then each kind
of entry puts what it has made into its place; see `run.parts` and the kinds.
"""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from moonq import log, threads
from moonq.errors import MoonqError, StopTimeout
from moonq.registry.project import Entry, Project
from moonq.run.building import Building
from moonq.run.changes import Changes
from moonq.run.consumer import Consumer
from moonq.run.parts import Renewal
from moonq.run.supervisor import Managed

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
    """Drivers and settings whose new fields count from the host's next start."""
    problems: tuple[str, ...] = ()
    """What did not start; the supervisor tries it again."""
    took: float = 0.0
    settings: tuple[str, ...] = ()
    """Settings of `moonq.yaml` that are others."""

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
        waiting = threading.Thread(target=self._outlast, args=(consumer,), name=name, daemon=True)
        if not threads.has_started(waiting):
            self._outlast(consumer)  # the reload takes as long as its last message, then

    def _outlast(self, consumer: Consumer) -> None:
        # The first to stop it reports what did not finish; here it only has to be gone.
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

        def stop(consumer: Consumer) -> StopTimeout | None:
            try:
                consumer.stop(timeout)
            except StopTimeout as problem:
                return problem
            except MoonqError as problem:
                _log.error("%s did not stop well: %s", consumer.settings.id, problem)
            return None

        left = self.finishing()
        with ThreadPoolExecutor(len(left) or 1) as pool:
            return [problem for problem in pool.map(stop, left) if problem is not None]


class Reload:
    """One change of a host from a project to its next version."""

    def __init__(self, building: Building, retired: Retired) -> None:
        self._old = building
        self._supervisor = building.supervisor
        self._retired = retired

    def to(self, project: Project) -> tuple[Building, ReloadReport]:
        """Change to *project*; returns the building that stands now.

        Raises:
            MoonqError: Something in it does not work; nothing has changed.
        """
        began = time.perf_counter()
        changes = Changes(self._old.project, project)
        new = self._old.renewed(project)
        with self._supervisor.exclusively():
            renewal = Renewal(self._old, new, self._anew(new, changes), self._retired.add)
            try:
                self._try(renewal, new)
            except BaseException:
                renewal.undo.close()
                new.functions.close()
                raise
            self._switch(renewal, new, changes)
        self._old.functions.close()
        entries = project.entries
        outlasting = (
            name
            for name in changes.changed
            if entries[name].config.is_service and new.kind(entries[name]).outlasts
        )
        report = ReloadReport(
            changes.added,
            changes.removed,
            changes.changed,
            tuple(sorted(renewal.anew - {*changes.added}, key=[*entries].index)),
            renewal.workers,
            renewal.finishing,
            (*outlasting, *changes.lasting),
            tuple(renewal.problems),
            time.perf_counter() - began,
            changes.settings,
        )
        return new, report

    def _anew(self, new: Building, changes: Changes) -> frozenset[str]:
        """Return the consumers that begin with the new version."""
        working = [entry for entry in new.project.start_order() if new.kind(entry).works]
        return frozenset(entry.id for entry in working if self._begins(new, entry, changes))

    def _begins(self, new: Building, entry: Entry, changes: Changes) -> bool:
        if self._supervisor.get(entry.id) is None:
            return new.starts(entry) and entry.id in changes.added
        return changes.touches(entry.id)

    def _try(self, renewal: Renewal, new: Building) -> None:
        """Do what may still fail."""
        for entry in new.project.start_order():
            if new.stands(entry):
                new.kind(entry).prepare(renewal, entry)
        for step in renewal.last:
            step()

    def _switch(self, renewal: Renewal, new: Building, changes: Changes) -> None:
        """Do what does not fail any more."""
        new.take_over()
        for gone in changes.gone:
            if gone.config.is_service:
                self._old.kind(gone).remove(renewal, gone)
        standing = [entry for entry in new.project.start_order() if new.stands(entry)]
        self._supervisor.renew(self._services(renewal, new, changes))
        for entry in standing:
            new.kind(entry).switch(renewal, entry)

    def _services(self, renewal: Renewal, new: Building, changes: Changes) -> list[Managed]:
        """Return what the supervisor cares for from now on, in start order."""
        # A driver that is gone stays open: its messages are there when it comes back.
        gone = (self._supervisor.get(name) for name in changes.removed if name in new.drivers)
        services = [managed for managed in gone if managed is not None]
        different = {*renewal.anew, *changes.changed}
        for entry in new.project.start_order():
            known = self._supervisor.get(entry.id)
            keeps = new.kind(entry).outlasts and not renewal.is_new(entry)
            if known is not None and (keeps or entry.id not in different):
                services.append(known)
            elif new.stands(entry):
                managed = new.managed(entry)
                managed.state = known.state if known is not None else "running"
                managed.since = new.clock.monotonic()
                services.append(managed)
        return services
