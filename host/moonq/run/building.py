"""Turns the entries of a project into services, each as its kind knows how."""

from __future__ import annotations

import copy

from moonq.errors import Invalid, MoonqError, Unsupported
from moonq.model import UNCOUNTED, QueueInfo, Stored
from moonq.registry.project import Entry, Project
from moonq.run.functions import Functions
from moonq.run.parts import Parts
from moonq.run.patience import Left
from moonq.run.queues import Route
from moonq.run.security import Policies
from moonq.run.starting import ALL, Starting
from moonq.run.supervisor import Managed


class Building(Parts):
    """The parts of one host, put together."""

    #: What was asked for when the host was started; a private one has no consumer at work.
    starting = ALL

    def build(self, starting: Starting = ALL) -> None:
        """Give every service of the project that starts to the supervisor, in start order."""
        self.starting = starting
        self.opens_early = starting.consumers
        if starting.consumers:
            self.services.http.warm()
        self.announce()
        for entry in self.project.start_order():
            if self.starts(entry):
                self.supervisor.add(self.managed(entry))

    def announce(self) -> None:
        """Let all that starts by itself be known, so that asking for it tells why it is not up."""
        for entry in self.project.start_order():
            if self.starts(entry):
                self.kind(entry).announce(self, entry)

    def starts(self, entry: Entry) -> bool:
        """Whether a service starts by itself."""
        asked = entry.lifecycle.auto_start or self.starting.names(entry)
        return asked and not self.left_out(entry)

    def left_out(self, entry: Entry) -> str:
        """Return what was asked for that keeps a service from starting, empty if nothing was."""
        works = self.kind(entry).works
        return self.starting.reason(self.project, entry, works=works)

    def stands(self, entry: Entry) -> bool:
        """Whether a service is up, or will be."""
        return self.supervisor.get(entry.id) is not None or self.starts(entry)

    def renewed(self, project: Project) -> Building:
        """Return a building of another version of the project that shares what outlives a version.

        Nothing of it counts before `take_over`.
        """
        new = copy.copy(self)
        new.project = project
        new.drivers = dict(self.drivers)
        new.functions = Functions(project, self.services)
        new.policies = Policies(project)
        return new

    def take_over(self) -> None:
        """Let scripts see this version's project and functions."""
        self.services.renew(self.project)
        self.services.borrow = self.functions.borrow

    def start(self, service_id: str) -> None:
        """Start one service, which may have been left out so far, behind what it needs.

        Raises:
            Invalid: The entry is no service.
            MoonqError: It cannot start.
        """
        entry = self.project.entries[service_id]
        if not entry.config.is_service:
            raise Invalid(f"{service_id} is a {entry.kind}, which is not started")
        managed = self.supervisor.get(service_id)
        if managed is not None and managed.state == "running":
            return
        for needed in entry.depends_on:
            if self.project.entries[needed].config.is_service:
                self.start(needed)
        if managed is None:
            self.supervisor.add(self.managed(entry))
        self.supervisor.start(service_id)

    def close(self) -> None:
        """Give back what the services leave behind."""
        self.functions.close()
        self.services.http.close()

    def left(self) -> Left:
        """Return what is still to be done where a consumer could see to it."""
        consumers = tuple(self.consumers.values())
        served = {consumer.route.id for consumer in consumers}
        found = {queue: self._counted(queue) for queue in sorted(served)}
        infos = found.values()
        waits = {queue for queue, info in found.items() if info.ready or info.delayed}
        resting = [one for one in consumers if one.route.id in waits and one.status().paused]
        return Left(
            ready=sum((info.ready or 0) + (info.leased or 0) for info in infos),
            delayed=sum(info.delayed or 0 for info in infos),
            running=sum(info.running or 0 for info in infos),
            uncounted=tuple(one for one, info in found.items() if info.message_count is None),
            paused=(
                *(queue for queue in sorted(waits) if found[queue].paused),
                *(one.settings.id for one in resting),
            ),
            down=tuple(managed.id for managed in self.supervisor.down()),
        )

    def next_due(self) -> float | None:
        """Return when the first delayed message may run, in seconds since the epoch, if known."""
        routes = {consumer.route.id: consumer.route for consumer in tuple(self.consumers.values())}
        firsts = map(_first_delayed, routes.values())
        return min((one.due for one in firsts if one and one.due), default=None)

    def _counted(self, queue: str) -> QueueInfo:
        """Return what is in *queue*; while its driver is away that is unknown, and not nothing."""
        try:
            return self.queues.info(queue)
        except MoonqError as problem:
            if not problem.is_worth_waiting:
                raise
            return UNCOUNTED

    def managed(self, entry: Entry) -> Managed:
        """Return the service of *entry* as the supervisor cares for it."""
        service = self.kind(entry).service(self, entry)
        return Managed(
            id=entry.id,
            kind=entry.kind,
            service=service,
            depends_on=entry.depends_on,
            lifecycle=entry.lifecycle,
            detail=service.detail,
        )


def _first_delayed(route: Route) -> Stored | None:
    try:
        found = route.driver.peek(route.spec.name, 1, state="delayed").items
    except MoonqError as problem:
        if not (problem.is_worth_waiting or isinstance(problem, Unsupported)):
            raise
        return None
    return found[0] if found else None
