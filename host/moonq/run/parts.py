"""The parts of one host, and what running them asks of a kind of entry.

A kind whose entries are services says how one is made of the host's parts, and what a reload does
with it. Whatever may fail is tried first (`prepare`), then everything changes (`switch`).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, ClassVar

from moonq import log
from moonq.clock import Clock
from moonq.databases.database import Database
from moonq.drivers.base import LOSSES, Driver, Event, Happening
from moonq.metrics import Metrics
from moonq.model import QueueSpec
from moonq.registry.kind import Kind, Kinds
from moonq.registry.project import Entry, Project
from moonq.run.calling.context import CallContext
from moonq.run.calling.lending import Caller
from moonq.run.calling.services import HostServices
from moonq.run.consumer import Consumer
from moonq.run.functions import Functions
from moonq.run.policy import Policy, RetryOptions
from moonq.run.queues import Queues
from moonq.run.security import EVERYTHING, OPERATOR, Policies, Rights, Scope
from moonq.run.stores.base import Store
from moonq.run.supervisor import Supervisor
from moonq.sandbox.state import Limits, LuaState
from moonq.sandbox.states import State

_log = log.get("moonq.host")
#: How events are told that are no counts of messages.
_SAID: dict[Happening, str] = {
    "dead_letter_failed": "a dead letter could not be stored, its message waits",
    "blocked": "the broker takes no messages for now",
    "cancelled": "the broker has ended a subscription",
    "reconnecting": "the broker is away",
    "reconnected": "the broker is back",
}
_LEVELS: dict[Happening, int] = {
    "dead_letter_failed": logging.ERROR,
    "reconnected": logging.INFO,
}


def _nothing(_timeout: float | None) -> None:
    return None


@dataclass(frozen=True)
class Service:
    """What an entry declares, in the supervisor's words: two functions."""

    start: Callable[[], None]
    stop: Callable[[float | None], None] = _nothing
    detail: str = ""


class Parts:
    """What a host consists of, made from its project."""

    #: What a test has of its own: a consumer without threads, and no chance.
    consumer_type: Callable[..., Consumer] = Consumer
    chance: Callable[[], float] = staticmethod(random.random)
    #: Whether what reaches beyond the host is opened with it; else when something first needs it,
    #: as in a private host, which may have been asked for something else.
    opens_early = True
    #: What the host is called among those that share a driver's store.
    host_name = ""

    def __init__(
        self,
        project: Project,
        kinds: Kinds,
        clock: Clock,
        env: Mapping[str, str],
        supervisor: Supervisor,
    ) -> None:
        self.project = project
        self.clock = clock
        self.metrics = Metrics()
        self.queues = Queues(clock, self.metrics)
        self.services = HostServices(project, clock, self.queues, env)
        self.functions = Functions(project, self.services)
        self.services.borrow = self.functions.borrow
        self.policies = Policies(project)
        self.drivers: dict[str, Driver] = {}
        self.consumers: dict[str, Consumer] = {}
        self.supervisor = supervisor
        self._kinds = kinds

    def kind(self, entry: Entry) -> ServiceKind:
        """Return what knows how to run *entry*, which is a service."""
        kind = self._kinds[entry.kind]
        assert isinstance(kind, ServiceKind), f"{entry.kind} is no service"
        return kind

    def new_driver(self, entry: Entry, make: Callable[[], Driver]) -> Driver:
        """Return the driver that *entry* declares, as *make* does it."""
        return make()

    def new_database(self, entry: Entry, make: Callable[[], Database]) -> Database:
        """Return the database that *entry* declares, as *make* does it."""
        return make()

    def new_store(self, _entry: Entry, make: Callable[[], Store]) -> Store:
        """Return the store that *entry* declares, as *make* does it."""
        return make()

    def at_driver(self, spec: QueueSpec) -> QueueSpec:
        """Return what a driver is told of a queue."""
        return spec

    def policy(
        self,
        context: CallContext,
        limits: Limits,
        logger: str,
        chance: Callable[[], float] | None = None,
    ) -> Policy:
        """Return the judge of what the function of *context* makes of messages of its queue.

        A policy of the queue's own has the scope and the sink of *context*. A queue that is not
        declared has the defaults.
        """
        entry = self.project.entries.get(context.serves.decode())
        fields: Any = entry.config if entry else None
        retry: RetryOptions = fields.retry if fields else RetryOptions()
        own = retry.policy
        told = {
            **retry.model_dump(exclude={"policy"}),
            "max_attempts": fields.max_attempts if fields else retry.max_attempts,
            "dead_letter": entry.target("dead_letter") if entry else None,
            "function": context.entry,
            **limits._asdict(),
        }

        def make(is_own: bool) -> State:
            if is_own and own:
                inherited = CallContext(
                    own,
                    serves=context.serves,
                    actor=context.actor,
                    scope=context.scope,
                    sink=context.sink,
                )
                return self.functions.open(own, Caller(inherited))
            return LuaState({}, Limits(timeout=1.0))

        return Policy(told, make, self.clock, chance or self.chance, logger)

    def rights(self, entry: Entry | None) -> Rights:
        """Return what *entry* may do, and in whose name; None is the owner, who may do all."""
        return self.policies.rights(entry) if entry else Rights(OPERATOR, Scope((EVERYTHING,)))

    def dry_policy(self, context: CallContext, consumer: Entry | None) -> Policy:
        """Return the judge of a call by hand as *consumer* would have it, but without jitter.

        Without a consumer the defaults hold.
        """
        limits = self.dry_limits(context.entry, consumer)
        if consumer is not None:
            context = context._replace(serves=(consumer.target("queue") or "").encode())
        logger = consumer.id if consumer else context.entry
        return self.policy(context, limits, logger, lambda: 0.5)

    def dry_limits(self, function: str, consumer: Entry | None) -> Limits:
        """Return what *function* may use where *consumer* runs it."""
        limits = self.functions.limits(function)
        fields: Any = consumer.config if consumer else limits
        return limits._replace(timeout=fields.timeout)

    def on_event(self, driver: str, event: Event) -> None:
        """Count and tell what the driver of this id did by itself."""
        about = driver if event.queue is None else event.queue
        self.metrics.count(event.kind, about, event.count)
        observer = self.metrics.observer
        if observer is not None and event.kind in LOSSES:
            observer.lost(event.kind, about, event.count, event.detail)
        if event.kind != "lease_lost":
            level = _LEVELS.get(event.kind, logging.WARNING)
            said = _SAID.get(event.kind, f"{event.count} {event.kind}")
            _log.log(level, "%s", f"{about}: {said} {event.detail}".rstrip())


@dataclass
class Renewal:
    """A reload under way: the parts that are, those that are to be, and what was prepared."""

    old: Parts
    new: Parts
    anew: frozenset[str]
    """The services that begin again with other code or settings."""
    retire: Callable[[Consumer], None]
    """Lets a consumer finish what it has begun, beside its successor."""
    undo: ExitStack = field(default_factory=ExitStack)
    """Takes back what was made on renewal."""
    last: list[Callable[[], None]] = field(default_factory=list)
    """What others can see of it: done when nothing else is left to fail."""
    made: dict[str, Any] = field(default_factory=dict)
    """What a kind has prepared, by the entry's id."""
    problems: list[str] = field(default_factory=list)
    workers: int = 0
    finishing: int = 0

    def is_new(self, entry: Entry) -> bool:
        """Whether the version that is has no such entry, or one of another kind."""
        before = self.old.project.entries.get(entry.id)
        return before is None or before.kind != entry.kind


class ServiceKind(Kind):
    """A kind whose entries are started and stopped."""

    #: Whether it takes messages: a host without consumers leaves it out, a reload begins it anew.
    works: ClassVar[bool] = False
    #: Whether it goes on through a reload as it is; new fields count from the host's next start.
    outlasts: ClassVar[bool] = False

    def service(self, parts: Parts, entry: Entry) -> Service:
        """Return the service that *entry* declares, not started."""
        raise NotImplementedError

    def announce(self, parts: Parts, entry: Entry) -> None:
        """Make *entry* known before anything is started."""

    def prepare(self, renewal: Renewal, entry: Entry) -> None:
        """Make what *entry* needs in the new version, as far as it may fail.

        Raises:
            MoonqError: It does not work; what was made until then is undone.
        """

    def switch(self, renewal: Renewal, entry: Entry) -> None:
        """Put what was prepared in its place."""

    def remove(self, renewal: Renewal, entry: Entry) -> None:
        """Forget *entry*, which the new version does not have."""
