"""Boots a project: registry -> services in order -> stop.

host = Host(load("shop"))
host.start()
host.call("app:publish_orders", '{"count": 3}')
host.wait(stop, until_idle=True)
host.stop()
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from moonq import log
from moonq.clock import Clock, SystemClock
from moonq.drivers.base import Driver
from moonq.errors import StopTimeout
from moonq.kinds import KINDS, load
from moonq.kinds.consumer import scaled
from moonq.registry.picking import picked
from moonq.registry.project import Entry, Project
from moonq.run.building import Building
from moonq.run.calling.calls import Call, CallResult, consumer_of
from moonq.run.consumer import Consumer
from moonq.run.patience import Patience
from moonq.run.reload import Reload, ReloadReport, Retired
from moonq.run.security import Rights
from moonq.run.starting import ALL, Starting
from moonq.run.supervisor import ServiceStatus, Supervisor
from moonq.sandbox import native
from moonq.sandbox.state import Fault

__all__ = ["CallResult", "Fault", "Host", "ReloadReport", "ServiceStatus", "StopReport"]

_log = log.get("moonq.host")
#: How often `wait` looks whether everything is idle, in seconds: at the most, and at the least.
_LOOK, _SELDOM = 0.02, 0.5
#: How long a signal may wait to be heard, in seconds.
_HEAR = 0.25


@dataclass(frozen=True, slots=True)
class StopReport:
    """What a host did between its start and its stop."""

    acked: int
    retried: int
    dead: int
    handed_back: int
    up: float
    unfinished: tuple[str, ...] = ()
    denied: int = 0
    """How often policies have refused something to scripts."""
    killed: int = 0
    """How many messages have lost the process that they ran in."""


class Host:
    """One process that serves one project, called *name* among others that share a store."""

    def __init__(
        self,
        project: Project,
        clock: Clock | None = None,
        *,
        env: Mapping[str, str] = os.environ,
        name: str = "",
    ) -> None:
        self.project = project
        self.name = name
        self.clock = clock or SystemClock()
        self.supervisor = Supervisor(self.clock)
        self._building = Building(project, KINDS, self.clock, env, self.supervisor)
        self._building.host_name = name
        self.queues = self._building.queues
        self.metrics = self._building.metrics
        self.functions = self._building.functions
        self.services = self._building.services
        self.consumers = self._building.consumers
        """The consumers that were started, by id."""
        self._began = 0.0
        self._calls: set[Call] = set()
        self._env = env
        self._reloading = threading.Lock()
        self._retired = Retired()

    def start(
        self,
        on_service: Callable[[ServiceStatus], None] | None = None,
        *,
        consumers: bool = True,
        starting: Starting = ALL,
    ) -> None:
        """Start every service with `auto_start` that *starting* does not leave out, in order.

        Raises:
            MoonqError: Something cannot start; nothing is left running.
        """
        self._began = self.clock.monotonic()
        native.codec()  # it may be demanded and missing, and no restart would change that
        self._building.build(starting if consumers else starting._replace(consumers=False))
        self.supervisor.start_all(on_service or (lambda _: None))

    @property
    def drivers(self) -> Mapping[str, Driver]:
        """The drivers of the project by their entries' ids, open or not."""
        return self._building.drivers

    def left_out(self) -> dict[str, str]:
        """Return the services that do not start, each with what keeps it from that."""
        found = {entry: self._building.left_out(entry) for entry in self.project.start_order()}
        return {entry.id: reason for entry, reason in found.items() if reason}

    def finishing(self) -> list[Consumer]:
        """Return consumers that a reload has replaced and that still have something at work."""
        return self._retired.finishing()

    def announce(self) -> None:
        """Let all queues be known before a service is started alone."""
        self._building.announce()

    def start_service(self, service_id: str) -> None:
        """Start one service of the project that is not running.

        Raises:
            MoonqError: It cannot start.
        """
        self._building.start(service_id)

    def reload(self, only: Iterable[str] = ()) -> ReloadReport:
        """Read the project again and replace what has changed; messages stay where they are.

        With *only* these entries, ids or bare names: all others stay as they are, and so do the
        settings.

        Raises:
            ProjectInvalid: It has errors; nothing has changed.
            NotFound: There is no entry of that name; nothing has changed.
            Invalid: These entries do not fit to the others as they are; nothing has changed.
            MoonqError: Something in it does not work; nothing has changed.
        """
        with self._reloading:
            before = self.project
            path = before.path or before.root
            project = load(path, env=self._env, profile=before.profile, said=before.said)
            return self._become(picked(before, project, only) if only else project)

    def scale(self, consumer: str, workers: int) -> ReloadReport:
        """Let *consumer*, an id, have so many *workers* until the next reload.

        Raises:
            MoonqError: They do not work, or do not fit into the process; nothing has changed.
        """
        with self._reloading:
            return self._become(scaled(self.project, consumer, workers))

    def _become(self, project: Project) -> ReloadReport:
        building, report = Reload(self._building, self._retired).to(project)
        self._building, self.project = building, building.project
        self.functions = building.functions
        return report

    def call(  # noqa: PLR0913 - the ways in which a call can be asked for
        self,
        function: str,
        arguments: str = "",
        *,
        as_message: bool = False,
        headers: Mapping[str, Any] | None = None,
        send: bool = True,
        record: bool = False,
        real: bool = False,
        stubs: tuple[str, str] | None = None,
        consumer: str = "",
        rights: Rights | None = None,
        message_id: str = "",
        trace: bool = False,
        begun: Callable[[Call], None] = lambda _: None,
    ) -> CallResult:
        """Call *function* once with a JSON value, outside of any queue.

        It may do what *consumer* may, or what *rights* say. With *as_message* it gets a message
        around its argument as *consumer* (by default the one that names it) would hand it, and the
        result says what would
        become of that message. Without *send* nothing is written anywhere: the result shows what
        would have been, and what reaches beyond the host ends the call unless it is *real*, or
        *stubs* (name and text of a Lua file) answer for it. With *record* it shows what was really
        published. The message is called *message_id* where that is given. With *trace* the
        result has the lines that ran. *begun* gets the call, which it may cut off.

        Raises:
            NotFound: There is no such function, or no such consumer.
            Invalid: The argument is not JSON, or a consumer must be named.
        """
        entry = self.project.id_of(function, "function.lua")
        by = consumer_of(self.project, entry, consumer) if as_message or consumer else None
        call = Call(
            self._building,
            entry,
            send=send,
            record=record,
            real=real,
            stubs=stubs,
            consumer=by,
            rights=rights,
            message_id=message_id,
            trace=trace,
        )
        self._calls.add(call)
        begun(call)
        try:
            return call.run(arguments, (headers or {}) if as_message else None)
        finally:
            self._calls.discard(call)

    def rights(self, consumer: Entry | None) -> Rights:
        """Return what *consumer* may do, and in whose name; None is the owner, who may do all."""
        return self._building.rights(consumer)

    def wind_up(self) -> None:
        """Let running calls see that they should end; call it before `stop`, from anywhere."""
        for call in tuple(self._calls):
            call.wind_up()

    def wait(
        self,
        stop: threading.Event,
        *,
        until_idle: bool,
        told: Callable[[str], None] = lambda _: None,
        idle_timeout: float | None = None,
    ) -> None:
        """Wait until *stop* is set, or (until_idle) all work is done.

        Work is what is ready, delayed or running in a queue that has a consumer. *told* gets a
        sentence about what is waited for whenever nothing has moved for a second.

        Raises:
            Unavailable: Something could not start, so nobody knows whether there is work.
            IdleTimeout: Nothing has moved for *idle_timeout* seconds.
        """
        if not until_idle:
            # Not without a limit: a signal that another thread gets does not wake this one, and
            # its handler runs here or nowhere.
            while not stop.wait(_HEAR):
                pass
            return
        patience = Patience(self.clock, told, idle_timeout)
        idle_before, pause = False, _LOOK
        while not stop.wait(pause):
            began, published = self.clock.monotonic(), self.queues.published
            self.supervisor.check()
            left = self._building.left()
            idle = left.is_nothing and published == self.queues.published
            if idle and idle_before:
                return
            idle_before = idle
            if not idle:
                patience.look(left, self._progress(), self._due_in)
            # Counting a long queue takes its time: no more than a twentieth of all, if it can be.
            pause = min(max(_LOOK, 20 * (self.clock.monotonic() - began)), _SELDOM)

    def _progress(self) -> tuple[int, ...]:
        report = self.report()
        return (report.acked, report.retried, report.dead, report.handed_back)

    def _due_in(self) -> float | None:
        due = self._building.next_due()
        return None if due is None else due - self.clock.now()

    def stop(self, *, timeout: float | None = None) -> StopReport:
        """Stop every service, last started first, and say what was done.

        Raises:
            StopTimeout: Handlers did not finish in time; their messages were handed back.
        """
        if self._retired.finishing():
            # Nothing new begins while the handlers of replaced consumers come to their end.
            for consumer in tuple(self.consumers.values()):
                consumer.retire()
        problems = self._retired.stop(timeout)
        problems += self.supervisor.stop_all(timeout)
        self._building.close()
        report = self.report()
        if problems:
            raise _joined(problems)
        return report

    def stop_now(self) -> None:
        """Cut off what runs; a `stop` under way returns at once."""
        for call in tuple(self._calls):
            call.cut_off()
        for consumer in (*self.consumers.values(), *self._retired.finishing()):
            consumer.stop_now()

    def report(self) -> StopReport:
        """Return what was done so far."""
        metrics = self.metrics
        return StopReport(
            acked=self._retired.acked()
            + sum(consumer.acked() for consumer in tuple(self.consumers.values())),
            retried=metrics.total("retried"),
            dead=metrics.total("dead"),
            handed_back=metrics.total("handed_back"),
            up=self.clock.monotonic() - self._began,
            denied=metrics.total("denied"),
            killed=metrics.total("killed"),
        )


def _joined(problems: list[StopTimeout]) -> StopTimeout:
    if len(problems) == 1:
        return problems[0]
    return StopTimeout("; ".join(problem.message for problem in problems), hint=problems[0].hint)
