"""Turns the entries of a project into services, each as its kind knows how."""

from __future__ import annotations

import copy

from moonq.errors import Invalid
from moonq.registry.project import Entry, Project
from moonq.run.functions import Functions
from moonq.run.parts import Parts
from moonq.run.security import Policies
from moonq.run.supervisor import Managed


class Building(Parts):
    """The parts of one host, put together."""

    #: Whether consumers start with the rest; a private host has none at work.
    with_consumers = True

    def build(self, *, consumers: bool = True) -> None:
        """Give every service of the project to the supervisor, in start order."""
        self.with_consumers = consumers
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
        return entry.lifecycle.auto_start and (self.with_consumers or not self.kind(entry).works)

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

    def is_idle(self) -> bool:
        """Whether nothing is ready, delayed or running where a consumer could see to it."""
        served = {consumer.route.id for consumer in self.consumers.values()}
        published = self.queues.published
        counts = [self.queues.info(queue).message_count for queue in served]
        return not any(counts) and published == self.queues.published

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
