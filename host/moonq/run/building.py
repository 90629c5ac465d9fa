"""Turns the entries of a project into services: the one place that knows every kind."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping

from moonq import drivers, log
from moonq.clock import Clock
from moonq.drivers.base import Driver, Event
from moonq.drivers.entry import DriverFields
from moonq.errors import Invalid, MoonqError, ScriptError
from moonq.kinds.consumer import Consumer as ConsumerFields
from moonq.kinds.queue import Queue as QueueFields
from moonq.kinds.store import MemoryStore as MemoryStoreFields
from moonq.metrics import Metrics
from moonq.model import QueueSpec
from moonq.registry.common import Lifecycle
from moonq.registry.project import Entry, Project
from moonq.run.consumer import Consumer
from moonq.run.context import CallContext
from moonq.run.functions import Functions
from moonq.run.lending import Caller
from moonq.run.policy import Policy, RetryOptions
from moonq.run.queues import Queues, Route
from moonq.run.security import Policies, Scope
from moonq.run.services import HostServices
from moonq.run.settling import ConsumerSettings
from moonq.run.stores import MemoryStore
from moonq.run.supervisor import Managed, RestartPolicy, Supervisor
from moonq.sandbox.state import Limits, LuaState, ScriptFault, Stopped

_log = log.get("moonq.host")


class Building:
    """The parts of one host, made from its project."""

    #: What a test has of its own: a consumer without threads, and no chance.
    consumer_type: Callable[..., Consumer] = Consumer
    chance: Callable[[], float] = staticmethod(random.random)

    def __init__(
        self,
        project: Project,
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
        self.services.functions = self.functions
        self.drivers: dict[str, Driver] = {}
        self.consumers: dict[str, Consumer] = {}
        self.with_consumers = True
        """Whether consumers start with the rest; a private host has none at work."""
        self._policies = Policies(project)
        self._supervisor = supervisor

    def build(self, *, consumers: bool = True) -> None:
        """Give every service of the project to the supervisor, in start order."""
        self.with_consumers = consumers
        for entry in self.project.start_order():
            if entry.lifecycle.auto_start and (
                consumers or not isinstance(entry.config, ConsumerFields)
            ):
                self._supervisor.add(self.managed(entry))

    def renewed(self, project: Project) -> Building:
        """Return a building of another version of the project that shares what outlives a version.

        Nothing of it counts before `take_over`.
        """
        new = copy.copy(self)
        new.project = project
        new.drivers = dict(self.drivers)
        new.functions = Functions(project, self.services)
        new._policies = Policies(project)
        return new

    def take_over(self) -> None:
        """Let scripts see this version's project and functions."""
        self.services.renew(self.project, self.functions)

    def all_queues(self) -> set[str]:
        """Return the ids of all queues, those among them that nobody wrote down."""
        declared = {entry.id for entry in self.project.of_kind("queue.queue")}
        return declared | set(self.project.implied)

    def start(self, service_id: str) -> None:
        """Start one service, which may have been left out so far, behind what it needs.

        Raises:
            Invalid: The entry is no service.
            MoonqError: It cannot start.
        """
        entry = self.project.entries[service_id]
        if not entry.config.is_service:
            raise Invalid(f"{service_id} is a {entry.kind}, which is not started")
        managed = self._supervisor.get(service_id)
        if managed is not None and managed.state == "running":
            return
        for needed in entry.depends_on:
            if self.project.entries[needed].config.is_service:
                self.start(needed)
        if managed is None:
            self._supervisor.add(self.managed(entry))
        self._supervisor.start(service_id)

    def service(self, entry: Entry) -> _Service:
        """Return the service that *entry* declares, not started."""
        if isinstance(entry.config, DriverFields):
            return self._driver(entry)
        makers = {
            QueueFields: self._queue,
            ConsumerFields: self._consumer,
            MemoryStoreFields: self._store,
        }
        return makers[type(entry.config)](entry)

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
        service = self.service(entry)
        return Managed(
            id=entry.id,
            kind=entry.kind,
            service=service,
            depends_on=entry.depends_on,
            restart=_restart(entry.lifecycle),
            stop_timeout=entry.lifecycle.stop_timeout,
            detail=service.detail,
        )

    def _driver(self, entry: Entry) -> _Service:
        driver = self.drivers.get(entry.id)
        if driver is None:
            driver = self.drivers[entry.id] = self._new_driver(entry)
        return _Service(
            lambda: driver.open(self._on_event), lambda _: driver.close(), detail=entry.kind
        )

    def _new_driver(self, entry: Entry) -> Driver:
        return drivers.descriptor(entry.kind).make(entry.config, self.clock, self.project.root)

    def _on_event(self, event: Event) -> None:
        self.metrics.count(event.kind, event.queue, event.count)
        observer = self.metrics.observer
        if observer is not None:
            observer.lost(event.kind, event.queue, event.count, event.detail)
        if event.kind != "lease_lost":
            _log.warning("%s: %d %s %s", event.queue, event.count, event.kind, event.detail)

    def _queue(self, entry: Entry) -> _Service:
        fields = entry.fields(QueueFields)
        route = self.route(entry)

        def start() -> None:
            route.driver.declare(route.spec)
            self.add_routes(route)

        spec = route.spec
        dead = f"dead letters → {spec.dead_letter}" if spec.dead_letter else "no dead letters"
        detail = f"queue, {dead} ({fields.max_attempts} attempts)"
        # A stopped queue can still be looked at; a publish into it finds its driver closed.
        return _Service(start, lambda _: None, detail=detail)

    def route(self, entry: Entry) -> Route:
        """Return where the messages of a queue go."""
        fields = entry.fields(QueueFields)
        return Route(
            entry.id,
            self.drivers[fields.driver],
            self._spec(entry),
            decodes=fields.codec == "json",
            publish_timeout=fields.publish_timeout,
            max_body=fields.max_body,
            content_type="application/json" if fields.codec == "json" else "text/plain",
        )

    def add_routes(self, route: Route) -> None:
        """Make a queue known, with the dead letters that nobody declared."""
        self.queues.add(route)
        fields = self.project.entries[route.id].fields(QueueFields)
        letters = fields.dead_letter.queue if fields.dead_letter else None
        if letters and letters not in self.project.entries:
            self.queues.add(dead_route(route, letters))

    def _spec(self, entry: Entry) -> QueueSpec:
        return queue_spec(self.project, entry)

    def _store(self, entry: Entry) -> _Service:
        def start() -> None:
            self.services.stores[entry.id] = MemoryStore(entry.id, self.clock)

        return _Service(start, lambda _: None, detail=entry.kind)

    def _consumer(self, entry: Entry) -> _Service:
        fields = entry.fields(ConsumerFields)
        settings = self._consumer_settings(entry, fields)

        def start() -> None:
            consumer = self.consumer(entry, self.queues.route(fields.queue))
            self.load(consumer)
            consumer.start()
            self.consumers[entry.id] = consumer

        def stop(timeout: float | None) -> None:
            consumer = self.consumers.get(entry.id)
            if consumer is not None:
                consumer.stop(timeout)

        workers = f"{settings.concurrency} worker{'s' if settings.concurrency > 1 else ''}"
        detail = f"{workers} · prefetch {settings.prefetch} · {settings.function}"
        return _Service(start, stop, detail=detail)

    def consumer(self, entry: Entry, route: Route) -> Consumer:
        """Return a consumer that is not started yet."""
        settings = self._consumer_settings(entry, entry.fields(ConsumerFields))
        return self.consumer_type(
            settings,
            route,
            self._policy(self.project.entries[route.id].fields(QueueFields)),
            self._state_maker(settings.function, route, entry.lifecycle.start_timeout),
            self.clock,
            self.metrics,
            lambda problem: self._supervisor.failed(entry.id, problem),
            self.scope(entry),
        )

    def scope(self, entry: Entry) -> Scope | None:
        """Return what the handler of a consumer may do; None restricts nothing."""
        return self._policies.scope(entry.lifecycle.security, entry.id)

    def load(self, consumer: Consumer) -> None:
        """Open the function of *consumer*.

        Raises:
            ScriptError: It does not load; shows where.
        """
        function = consumer.settings.function
        try:
            consumer.prepare()
        except ScriptFault as raised:
            raise self._script_error(function, raised) from None
        except Stopped as stopped:
            raise ScriptError(
                f"{function}: loading its file was stopped ({stopped.reason})",
                hint="do the slow work in the handler, not at the top of the file",
            ) from None

    def _consumer_settings(self, entry: Entry, fields: ConsumerFields) -> ConsumerSettings:
        # Loading has filled in what the entry leaves out: prefetch, and the function's own timeout.
        return ConsumerSettings(
            entry.id,
            fields.func,
            fields.concurrency,
            fields.prefetch,
            fields.auto_ack,
            fields.timeout,
            self.functions.limits(fields.func).memory,
            entry.lifecycle.stop_timeout,
        )

    def _state_maker(
        self, function: str, route: Route, start_timeout: float
    ) -> Callable[[Caller, Callable[[], None]], LuaState]:
        def make(caller: Caller, on_abandoned: Callable[[], None]) -> LuaState:
            return self.functions.open(
                function,
                caller,
                decodes=route.decodes,
                on_abandoned=on_abandoned,
                timeout=start_timeout,
            )

        return make

    def _policy(self, queue: QueueFields) -> Policy:
        retry = queue.retry
        options = RetryOptions(
            queue.max_attempts,
            retry.max_interruptions,
            retry.initial_delay,
            retry.factor,
            retry.max_delay,
            retry.jitter,
        )

        def make(own: bool) -> LuaState:
            if own and retry.policy:
                return self.functions.open(retry.policy, Caller(CallContext(retry.policy)))
            return LuaState({}, Limits(timeout=1.0))

        return Policy(options, make, self.chance)

    def _script_error(self, function: str, raised: ScriptFault) -> MoonqError:
        from moonq.registry.lua import runtime

        texts = [entry.script for entry in self.project.entries.values() if entry.script]
        finding = runtime.finding(raised.fault.message, texts, code="H406")
        return ScriptError(f"{function} does not load: {raised.fault.message}", finding=finding)


class _Service:
    """Two functions as a service."""

    def __init__(
        self,
        start: Callable[[], None],
        stop: Callable[[float | None], None],
        *,
        detail: str = "",
    ) -> None:
        self.start = start
        self.stop = stop
        self.detail = detail


def queue_spec(project: Project, entry: Entry) -> QueueSpec:
    """Return what the driver needs to know of a queue."""
    fields = entry.fields(QueueFields)
    options = fields.options
    dead = fields.dead_letter.queue if fields.dead_letter else None
    return QueueSpec(
        name=_name_at_driver(project, entry.id),
        dead_letter=_name_at_driver(project, dead) if dead else None,
        max_length=options.max_length,
        overflow=options.overflow,
        ttl=options.ttl,
        on_expire=options.on_expire,
        dedup_window=fields.dedup_window,
        group_on_failure=options.group_on_failure,
        options=options.own(),
    )


def _name_at_driver(project: Project, queue_id: str) -> str:
    entry = project.entries.get(queue_id)
    return (entry.fields(QueueFields).queue_name if entry else None) or queue_id


def dead_route(route: Route, queue_id: str) -> Route:
    """Return the route of a queue's implicit dead letters, which *queue_id* stands for."""
    assert route.spec.dead_letter is not None
    spec = QueueSpec(name=route.spec.dead_letter)
    return Route(queue_id, route.driver, spec, route.decodes)


def _restart(lifecycle: Lifecycle) -> RestartPolicy:
    restart = lifecycle.restart
    return RestartPolicy(
        restart.initial_delay,
        restart.max_delay,
        restart.backoff_factor,
        restart.jitter,
        restart.max_attempts,
        lifecycle.stable_threshold,
    )
