"""`queue.consumer`: serves one queue with one function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from moonq.drivers.base import LEASE
from moonq.drivers.entry import ConsumerOptions, DriverFields
from moonq.errors import MoonqError, ScriptError
from moonq.kinds import driver
from moonq.kinds.queue import Queue
from moonq.registry.common import Config
from moonq.registry.draft import Draft, Drafts
from moonq.registry.fields import (
    Flag,
    Limit,
    LimitOrNone,
    Ref,
    Whole,
    between,
    seconds_between,
    wrong,
)
from moonq.registry.lua import runtime
from moonq.registry.project import Entry, Project
from moonq.registry.script import Runnable
from moonq.run import consumer as running
from moonq.run.calling.context import CallContext
from moonq.run.calling.lending import Caller
from moonq.run.parts import Parts, Renewal, Service, ServiceKind
from moonq.run.queues import Route
from moonq.run.settling import ConsumerSettings
from moonq.sandbox.state import Limits, ScriptFault, Stopped
from moonq.sandbox.states import PROCESS, THREAD, State
from moonq.text.findings import Finding, error

#: Unsettled deliveries of a consumer that says nothing; its workers may need more.
PREFETCH = 10
MOST_WORKERS = 1000


def _worker_memory(count: int) -> str:
    return f"{count} idle Lua states alone need about {round(count * 26 / 1000)} MB (26 KB each)"


Concurrency = Annotated[
    Whole,
    between(
        1,
        MOST_WORKERS,
        note=lambda count: _worker_memory(count) if count > MOST_WORKERS else "",
        help="start with 8; raise `prefetch` (max 10000) if workers wait for messages",
    ),
]


class Consumer(Config):
    """`queue.consumer`: serves one queue with one function."""

    example: ClassVar[str] = """\
name: orders.consumer
kind: queue.consumer
queue: orders
func: process_order
concurrency: 4
"""

    is_service: ClassVar[bool] = True
    options_later: ClassVar[bool] = True

    queue: Annotated[str, Ref(("queue.queue",))] = Field(description="Whose messages it handles.")
    func: Annotated[str, Ref(("function.lua",))] = Field(
        description="The handler: what is called with each message."
    )
    concurrency: Concurrency = Field(
        1, description="How many messages are handled at once, each by a worker of its own."
    )
    prefetch: Annotated[Whole, between(1, 10_000)] = Field(
        0,
        description="How many unsettled messages it may hold; unset: 10, or `concurrency` if that"
        " is more.",
    )
    auto_ack: Flag = Field(
        False,
        description="True acknowledges before the handler runs, so that a failure is not tried"
        " again; a kill of the host in the same moment may still start it twice.",
    )
    timeout: LimitOrNone = Field(
        None, description="How long a message may take; unset: the limit of the function."
    )
    lease: Annotated[Limit, seconds_between(1, 12 * 3600)] = Field(
        LEASE, description="After a crash its messages run again within this time and 10 s."
    )
    isolation: Literal["thread", "process"] | None = Field(
        None, description="`process`: each worker can be killed; unset: as the function says."
    )
    options: ConsumerOptions = Field(
        default_factory=ConsumerOptions,
        description="What only some drivers can do: nothing so far.",
    )

    @field_validator("prefetch")
    @classmethod
    def _feeds_every_worker(cls, prefetch: int, info: Any) -> int:
        concurrency = info.data.get("concurrency", 1)
        if prefetch < concurrency:
            raise wrong(
                f"`prefetch` is {prefetch}, but {concurrency} workers wait for messages",
                help=f"write {concurrency} or more, or leave it out",
            )
        return prefetch


class ConsumerKind(ServiceKind):
    """A consumer begins anew when what it works with has changed; the old one finishes beside it.

    The old one takes no more, hands back what has not begun, and is gone with its last message.
    """

    works = True

    def service(self, parts: Parts, entry: Entry) -> Service:
        """Return the consumer, whose function is opened when it starts."""

        def start() -> None:
            consumer = make(parts, entry, parts.queues.route(entry.fields(Consumer).queue))
            load(parts, consumer)
            consumer.start()
            parts.consumers[entry.id] = consumer

        def stop(timeout: float | None) -> None:
            consumer = parts.consumers.get(entry.id)
            if consumer is not None:
                consumer.stop(timeout)

        settings = _settings(parts, entry)
        workers = f"{settings.concurrency} worker{'s' if settings.concurrency > 1 else ''}"
        if settings.isolation == PROCESS:
            workers += " in processes" if settings.concurrency > 1 else " in a process"
        detail = f"{workers} · prefetch {settings.prefetch} · {settings.function}"
        return Service(start, stop, detail)

    def prepare(self, renewal: Renewal, entry: Entry) -> None:
        """Open the function of one that begins anew."""
        if entry.id in renewal.anew:
            route = renewal.made[entry.fields(Consumer).queue]
            consumer = renewal.made[entry.id] = make(renewal.new, entry, route)
            renewal.undo.callback(consumer.discard)
            load(renewal.new, consumer)

    def switch(self, renewal: Renewal, entry: Entry) -> None:
        """Let one that begins anew work in the place of the old one."""
        if entry.id not in renewal.anew:
            return
        consumer = renewal.made[entry.id]
        if self._retire(renewal, entry):
            consumer.pause()
        renewal.new.consumers[entry.id] = consumer
        managed = renewal.new.supervisor.get(entry.id)
        if managed is None or managed.state == "stopped":
            consumer.discard()
            return
        managed.state = "running"
        try:
            consumer.start()
        except MoonqError as problem:
            renewal.problems.append(f"{entry.id}: {problem.message}")
            renewal.new.supervisor.failed(entry.id, problem)

    def remove(self, renewal: Renewal, entry: Entry) -> None:
        """Take the consumer out of work."""
        self._retire(renewal, entry)

    def _retire(self, renewal: Renewal, entry: Entry) -> bool:
        """Take a consumer out of work; returns whether it was paused."""
        consumer = renewal.old.consumers.pop(entry.id, None)
        if consumer is None:
            return False
        status = consumer.status()
        renewal.workers += status.workers
        renewal.retire(consumer)
        renewal.finishing += len(consumer.running())
        return status.paused

    def finish(self, mine: Iterable[Draft], drafts: Drafts) -> list[Finding]:
        """Fill in the prefetch, the function's own time limit, and the driver's options."""
        findings: list[Finding] = []
        for draft in mine:
            if isinstance(draft.config, Consumer):
                findings += _finish(draft, draft.config, drafts)
        return findings


def _finish(draft: Draft, consumer: Consumer, drafts: Drafts) -> list[Finding]:
    findings: list[Finding] = []
    changed: dict[str, Any] = {}
    if not consumer.prefetch:
        changed["prefetch"] = max(PREFETCH, consumer.concurrency)
    function = drafts.config(consumer.func)
    if "timeout" not in consumer.model_fields_set and isinstance(function, Runnable):
        changed["timeout"] = function.limits.timeout
    if consumer.isolation is None and isinstance(function, Runnable):
        changed["isolation"] = function.isolation
    queue = drafts.config(consumer.queue)
    fields = drafts.config(queue.driver) if isinstance(queue, Queue) else None
    if isinstance(fields, DriverFields):
        changed["options"], findings = driver.options(draft, fields, fields.consumer_options, {})
        refusal = fields.refuse_timeout(changed.get("timeout", consumer.timeout))
        if refusal is not None:
            span = draft.span(draft.node.get("timeout"))
            findings = [*findings, error("R207", refusal.message, span, help=refusal.hint or "")]
    draft.config = consumer.model_copy(update=changed)
    return findings


def scaled(project: Project, consumer: str, workers: int) -> Project:
    """Return *project* with another `concurrency` of *consumer*, an id, as if its entry said so.

    Its `prefetch` grows where it would be too small for them.
    """
    entry = project.entries[consumer]
    fields = entry.fields(Consumer)
    if fields.concurrency == workers:
        return project
    written = fields.prefetch if entry.node.get("prefetch") else PREFETCH
    changed = {"concurrency": workers, "prefetch": max(written, workers)}
    other = replace(entry, config=fields.model_copy(update=changed))
    return replace(project, entries={**project.entries, consumer: other})


# Running ------------------------------------------------------------------------------------------


def make(parts: Parts, entry: Entry, route: Route) -> running.Consumer:
    """Return a consumer that is not started yet."""
    settings = _settings(parts, entry)

    def open_state(caller: Caller, on_abandoned: Callable[[], None]) -> State:
        return parts.functions.open(
            settings.function,
            caller,
            decodes=route.decodes,
            on_abandoned=on_abandoned,
            timeout=entry.lifecycle.start_timeout,
            isolation=settings.isolation,
        )

    rights = parts.rights(entry)
    context = CallContext(
        settings.function, serves=route.id.encode(), actor=rights.actor, scope=rights.scope
    )
    return parts.consumer_type(
        settings,
        route,
        parts.policy(context, Limits(settings.timeout, settings.memory), entry.id),
        open_state,
        parts.clock,
        parts.metrics,
        lambda problem: parts.supervisor.failed(entry.id, problem),
        rights,
    )


def load(parts: Parts, made: running.Consumer) -> None:
    """Open the function of a consumer.

    Raises:
        ScriptError: It does not load; shows where.
    """
    function = made.settings.function
    try:
        made.prepare()
    except ScriptFault as raised:
        texts = [entry.script for entry in parts.project.entries.values() if entry.script]
        message = raised.fault.message
        finding = runtime.finding(message, texts, code="H406")
        raise ScriptError(f"{function} does not load: {message}", finding=finding) from None
    except Stopped as stopped:
        raise ScriptError(
            f"{function}: loading its file was stopped ({stopped.words or stopped.reason})",
            hint="do the slow work in the handler, not at the top of the file",
        ) from None


def _settings(parts: Parts, entry: Entry) -> ConsumerSettings:
    # Loading has filled in what the entry leaves out: prefetch, and the function's own timeout.
    fields = entry.fields(Consumer)
    return ConsumerSettings(
        entry.id,
        fields.func,
        fields.concurrency,
        fields.prefetch,
        fields.auto_ack,
        fields.timeout,
        fields.lease,
        parts.functions.limits(fields.func).memory,
        entry.lifecycle.stop_timeout,
        fields.isolation or THREAD,
    )


KIND = ConsumerKind("queue.consumer", Consumer, aliases={"consumer": "A consumer"})
