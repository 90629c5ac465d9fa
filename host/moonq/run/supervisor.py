"""Starts services in order, starts failed ones again with backoff, stops them in reverse.

A service is whatever has `start` and `stop`. One that fails while it starts, for a reason that may
pass, and one that reports a failure later, is started again: after `initial_delay`, then growing
by `backoff_factor` up to `max_delay`. Running longer than `stable_threshold` forgets the past. One
that a broker turns away is given up at once.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from moonq import durations, log, threads
from moonq.clock import Clock
from moonq.errors import MoonqError, Refused, StopTimeout, Unavailable
from moonq.registry.common import Lifecycle

_log = log.get("moonq.supervisor")

ServiceState = Literal["stopped", "running", "waiting", "failed"]


class Service(Protocol):
    """Something that is started and stopped."""

    def start(self) -> None:
        """Begin; raises `MoonqError` when it cannot."""
        ...

    def stop(self, timeout: float | None) -> None:
        """End; raises `StopTimeout` when something did not finish."""
        ...


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """A service that has reached another state, as people see it."""

    id: str
    kind: str
    state: ServiceState
    detail: str = ""
    took: float = 0.0


@dataclass(eq=False, slots=True)
class Managed:
    """A service in the supervisor's care."""

    id: str
    kind: str
    service: Service
    depends_on: tuple[str, ...] = ()
    lifecycle: Lifecycle = field(default_factory=Lifecycle)
    detail: str = ""
    state: ServiceState = "stopped"
    failures: int = 0
    since: float = 0.0
    due: float = 0.0
    problem: str = ""
    down: float | None = None
    """Since when it fails, in the clock's monotonic seconds; None while it does not."""


class Supervisor:
    """Keeps the services of one host."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._services: dict[str, Managed] = {}
        self._changed = threading.Condition()
        # Held while a service is started or stopped: a restart never crosses a stop.
        self._acting = threading.RLock()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def add(self, managed: Managed) -> None:
        """Take a service into care; services are added behind those they depend on."""
        self._services[managed.id] = managed

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Start and stop nothing meanwhile, for services are about to be replaced.

        Raises:
            Unavailable: Everything is being stopped.
        """
        with self._acting:
            if self._stopping:
                raise Unavailable("the host is stopping")
            yield

    def renew(self, services: Sequence[Managed]) -> None:
        """Care for *services* instead, in their order; what they do now is in their state."""
        with self._changed:
            self._services = {managed.id: managed for managed in services}
            self._changed.notify_all()

    def get(self, service_id: str) -> Managed | None:
        """Return a service by its id."""
        return self._services.get(service_id)

    def all(self) -> list[Managed]:
        """Return every service, in start order."""
        return list(self._services.values())

    def down(self) -> list[Managed]:
        """Return what should be running and is not, in start order."""
        return [managed for managed in self.all() if managed.state in ("waiting", "failed")]

    def check(self) -> None:
        """See that whatever fails has done so for no longer than a start may take.

        Raises:
            Unavailable: A service was given up, or did not come up within its `start_timeout`.
        """
        now = self._clock.monotonic()
        for managed in self.down():
            limit = managed.lifecycle.start_timeout
            if managed.down is not None and (
                managed.state == "failed" or now - managed.down >= limit
            ):
                problem, _, hint = managed.problem.partition("\n  hint: ")
                raise Unavailable(f"{managed.id} could not be started: {problem}", hint=hint)

    def start_all(self, told: Callable[[ServiceStatus], None]) -> None:
        """Start every service in order.

        Raises:
            MoonqError: One cannot start and never will; those started before are stopped again.
        """
        with self._changed:
            # What fails later may fail for want of a thread: that which starts it again is there.
            self._care()
        for managed in self.all():
            try:
                self._start(managed, told)
            except MoonqError:
                self.stop_all()
                raise

    def start(self, service_id: str) -> None:
        """Start one service that is not running, now or never.

        Raises:
            MoonqError: It cannot start; it is as it was.
        """
        managed = self._services[service_id]
        with self._acting:
            if not self._ready(managed):
                self._wait_for_others(managed)
                return
            managed.service.start()
            managed.state, managed.since = "running", self._clock.monotonic()

    def stop(self, service_id: str, timeout: float | None = None) -> None:
        """Stop one service and leave it stopped."""
        managed = self._services[service_id]
        with self._acting:
            was, managed.state = managed.state, "stopped"
            if was == "running":
                managed.service.stop(managed.lifecycle.stop_timeout if timeout is None else timeout)

    def failed(self, service_id: str, problem: Exception) -> None:
        """A service reports that it cannot go on; it is started again later."""
        managed = self._services.get(service_id)
        if managed is None:
            return
        with self._changed:
            if managed.state == "running" and not self._stopping:
                self._schedule(managed, problem)

    def stop_all(self, timeout: float | None = None) -> list[StopTimeout]:
        """Stop everything, last started first; returns what did not finish in time."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        problems = []
        with self._acting:
            for managed in reversed(self.all()):
                try:
                    self.stop(managed.id, timeout)
                except StopTimeout as problem:
                    problems.append(problem)
                except MoonqError as problem:
                    _log.error("%s did not stop well: %s", managed.id, problem)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5)
        return problems

    def _start(self, managed: Managed, told: Callable[[ServiceStatus], None]) -> None:
        began = self._clock.monotonic()
        with self._acting:
            if self._ready(managed):
                self._try(managed, insists=False)
            else:
                self._wait_for_others(managed)
        took = self._clock.monotonic() - began
        detail = managed.problem if managed.state != "running" else managed.detail
        told(ServiceStatus(managed.id, managed.kind, managed.state, detail, took))

    def _try(self, managed: Managed, *, insists: bool) -> bool:
        """Start a service; one that fails is tried later if that may help, or if *insists*.

        Raises:
            MoonqError: Trying again does not help.
        """
        try:
            managed.service.start()
        except MoonqError as problem:
            if not (insists or problem.is_worth_waiting):
                raise
            with self._changed:
                self._schedule(managed, problem)
            return False
        managed.state, managed.since = "running", self._clock.monotonic()
        managed.down = None
        return True

    def _ready(self, managed: Managed) -> bool:
        needed = (self._services.get(other) for other in managed.depends_on)
        return all(other is None or other.state == "running" for other in needed)

    def _wait_for_others(self, managed: Managed) -> None:
        with self._changed:
            managed.state, managed.problem = "waiting", "waits for what it depends on"
            managed.due = self._clock.monotonic()
            self._care()

    def _schedule(self, managed: Managed, problem: Exception) -> None:
        now = self._clock.monotonic()
        lifecycle = managed.lifecycle
        stable = managed.state == "running" and now - managed.since > lifecycle.stable_threshold
        managed.failures = 1 if stable else managed.failures + 1
        managed.problem = str(problem)
        managed.down = now if managed.down is None else managed.down
        limit = lifecycle.restart.max_attempts
        if isinstance(problem, Refused):
            # To knock again with the same credentials may lock the account.
            managed.state = "failed"
            _log.error("%s is given up: %s", managed.id, problem)
            return
        if limit and managed.failures > limit:
            managed.state = "failed"
            _log.error("%s is given up after %d restarts: %s", managed.id, limit, problem)
            return
        delay = lifecycle.restart.delay(managed.failures, random.random())
        managed.state, managed.due = "waiting", now + delay
        _log.error(
            "%s failed: %s; starting it again in %s", managed.id, problem, durations.show(delay)
        )
        self._care()

    def _care(self) -> None:
        """Have a thread that starts what waits; called with the lock held."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="moonq-supervisor", daemon=True)
            threads.start(thread)
            self._thread = thread
        self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                managed = self._next()
                if self._stopping:
                    return
                if managed is None:
                    continue
            self._again(managed)

    def _next(self) -> Managed | None:
        """Wait until a service is due, and return it; None after a change."""
        if self._stopping:
            return None  # it was said before this one waited to hear it
        now = self._clock.monotonic()
        waiting = [managed for managed in self.all() if managed.state == "waiting"]
        able = [managed for managed in waiting if self._ready(managed)]
        due = min(able, key=lambda managed: managed.due, default=None)
        if due is not None and due.due <= now:
            return due
        self._clock.wait(self._changed, due.due - now if due is not None else None)
        return None

    def _again(self, managed: Managed) -> None:
        with self._acting:
            if managed.state != "waiting" or self._stopping:
                return
            try:
                managed.service.stop(0)
            except MoonqError as problem:
                _log.warning("%s: %s", managed.id, problem)
            if not self._try(managed, insists=True):
                return
            _log.info("%s runs again", managed.id)
        with self._changed:
            self._changed.notify_all()
