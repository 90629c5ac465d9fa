"""`queue.queue`: a named line of messages at a driver."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from moonq.drivers import descriptor
from moonq.drivers.base import putter
from moonq.drivers.entry import DriverFields, QueueOptions
from moonq.drivers.weight import OVERHEAD
from moonq.errors import Invalid, MoonqError, Unsupported
from moonq.kinds import driver
from moonq.model import DEDUP_WINDOW, QueueSpec
from moonq.registry.common import Config, Strict
from moonq.registry.draft import Draft, Drafts, Edge
from moonq.registry.fields import Also, Count, Ref, Size, SizeOrNone, Wait, bytes_between, wrong
from moonq.registry.project import Entry, Project
from moonq.registry.sources import FILE
from moonq.run.parts import Parts, Renewal, Service, ServiceKind
from moonq.run.policy import RetryOptions
from moonq.run.queues import Route, Traffic
from moonq.run.schema_files import written
from moonq.run.schemas import Schema
from moonq.text.findings import Finding, error
from moonq.text.wording import plural

KIB = 1024
NAME = "queue.queue"
# The field has the name of the module that knows the family.
AtDriver = Annotated[str, Ref((driver.FAMILY,))]
#: What is put behind a queue's id for its dead letters, where nothing else is said.
DEAD = ".dead"


class DeadLetter(Strict):
    """Where messages go that get no more attempts."""

    queue: Annotated[str, Ref((NAME,))] = Field(
        "",
        description="Which queue of the same driver takes them; unset: the queue's id and `.dead`.",
    )
    max_attempts: Count | None = Field(
        None,
        description="Attempts before a message is a dead letter; `retry.max_attempts` otherwise.",
    )


def _dead_letter(value: Any) -> Any:
    if value is None:
        raise wrong("`dead_letter` has no value", help="write `none`, or leave the line out")
    if isinstance(value, str) and value != "none":
        raise wrong(
            "`dead_letter` must be `none` or a map",
            help=f"write `dead_letter: {{queue: {value}}}` to name a queue",
        )
    return None if value == "none" else value


class Queue(Config):
    """`queue.queue`: a named line of messages at a driver."""

    example: ClassVar[str] = """\
name: orders
kind: queue.queue
driver: mem
retry: {max_attempts: 5, initial_delay: 1s}
dead_letter: {queue: failed}
options: {max_length: 50000, overflow: block}
"""

    is_service: ClassVar[bool] = True
    options_later: ClassVar[bool] = True

    driver: AtDriver = Field(description="What stores its messages.")
    queue_name: Annotated[str, Field(min_length=1, max_length=80)] | None = Field(
        None, description="What it is called at the broker; unset: as the entry's id."
    )
    codec: Literal["json", "raw"] = Field(
        "json", description="What bodies are; `raw` hands them over as text."
    )
    retry: RetryOptions = Field(
        default_factory=RetryOptions,
        description="How often and how soon a message that failed runs again.",
    )
    dead_letter: Annotated[
        DeadLetter | None, BeforeValidator(_dead_letter), Also({"const": "none"})
    ] = Field(
        default_factory=DeadLetter,
        description="Where messages go that get no more attempts; `none`: they are dropped.",
    )
    dedup_window: Wait = Field(
        DEDUP_WINDOW, description="How long a `dedup_key` keeps out another message with it."
    )
    publish_timeout: Wait = Field(
        5.0, description="How long a publish waits for a broker that is away."
    )
    max_body: Annotated[Size, bytes_between(1, 1024**3)] = Field(
        256 * KIB, description="The largest message, body and headers together."
    )
    max_bytes: Annotated[SizeOrNone, bytes_between(KIB, 1024**4)] = Field(
        None, description="What it and its dead letters may weigh; unset: what its driver says."
    )
    body_schema: Annotated[str, Field(max_length=4096)] | dict[str, Any] | None = Field(
        None,
        alias="schema",
        description="What bodies look like: a JSON Schema, or `file://order.json` that has one.",
    )
    options: QueueOptions = Field(
        default_factory=QueueOptions, description="What only some drivers can do."
    )

    _schema: Schema | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _schema_of_json(self) -> Queue:
        schema = self.body_schema
        if isinstance(schema, str) and not schema.startswith(FILE):
            raise wrong("`schema` must be `file://` and a path, or a JSON Schema")
        if schema is not None and self.codec != "json":
            raise wrong("`schema` is for JSON, and the codec is raw", help="leave one of them out")
        return self

    @property
    def schema_of_bodies(self) -> Schema | None:
        """What each body must fit."""
        return self._schema

    def with_schema(self, schema: Schema) -> Queue:
        """Return the same with its schema compiled."""
        found = self.model_copy()
        found._schema = schema
        return found

    @property
    def max_attempts(self) -> int:
        """Attempts before a message is dead."""
        named = self.dead_letter.max_attempts if self.dead_letter else None
        return named or self.retry.max_attempts


class QueueKind(ServiceKind):
    """A queue is declared at its driver, and known by its id, with its own dead letters."""

    def service(self, parts: Parts, entry: Entry) -> Service:
        """Return the queue, which a stop leaves as it is."""
        made = routes(parts, entry)
        own = made[entry.id]

        def start() -> None:
            own.driver.declare(own.spec)
            parts.queues.add(*made.values())

        fields, dead = entry.fields(Queue), own.spec.dead_letter
        letters = f"dead letters → {dead}" if dead else "no dead letters"
        # A stopped queue can still be looked at; a publish into it finds its driver closed.
        return Service(start, detail=f"queue, {letters} ({plural(fields.max_attempts, 'attempt')})")

    def announce(self, parts: Parts, entry: Entry) -> None:
        """Let messages be routed: while its driver is down, a publish waits and says why."""
        made = routes(parts, entry)
        own = made[entry.id]
        with contextlib.suppress(MoonqError):  # its start will say so
            own.driver.declare(own.spec)
        parts.queues.add(*made.values())

    def prepare(self, renewal: Renewal, entry: Entry) -> None:
        """Declare a queue that is new or different, behind everything else that may fail."""
        made = routes(renewal.new, entry)
        renewal.made |= made
        own, queues = made[entry.id], renewal.old.queues
        before = queues.get(entry.id)
        if before == own:
            return

        def declare() -> None:
            if before is not None:
                renewal.undo.callback(_declare_again, before)
            own.driver.declare(own.spec)

        renewal.last.append(declare)

    def switch(self, renewal: Renewal, entry: Entry) -> None:
        """Let messages go where the new version says."""
        before = renewal.old.project.entries.get(entry.id)
        if before is not None:
            self.remove(renewal, before)
        names = (entry.id, entry.target("dead_letter"))
        renewal.new.queues.add(*(renewal.made[name] for name in names if name in renewal.made))

    def remove(self, renewal: Renewal, entry: Entry) -> None:
        """Forget the queue and its dead letters, as far as the new version does not know them."""
        for name in (entry.id, entry.target("dead_letter")):
            if name and not _is_queue(renewal.new.project, name):
                renewal.old.queues.remove(name)

    def implied(self, draft: Draft) -> str | None:
        """Return the id of the queue's dead letters, unless it names another queue."""
        queue = draft.config
        if isinstance(queue, Queue):
            dead = queue.dead_letter
            if dead is None or (dead.queue and draft.full(dead.queue) != f"{draft.id}{DEAD}"):
                return None
        return f"{draft.id}{DEAD}"

    def finish(self, mine: Iterable[Draft], drafts: Drafts) -> list[Finding]:
        """Name the dead letters, and fill in the options that the driver knows."""
        findings: list[Finding] = []
        named: dict[tuple[str, str], Draft] = {}
        for draft in mine:
            if isinstance(draft.config, Queue):
                findings += _finish(draft, draft.config, drafts)
                name = (draft.config.driver, draft.config.queue_name or draft.id)
                first = named.setdefault(name, draft)
                if first is not draft:
                    findings.append(_same_name(first, draft))
        return findings


def _finish(draft: Draft, queue: Queue, drafts: Drafts) -> list[Finding]:
    findings: list[Finding] = []
    changed: dict[str, Any] = {}
    dead = queue.dead_letter
    if dead:
        target = drafts.config(dead.queue) if dead.queue else None
        if isinstance(target, Queue) and target.driver != queue.driver:
            findings.append(_other_driver(draft, queue, target))
        if not dead.queue:
            id_ = f"{draft.id}{DEAD}"
            draft.edges.append(Edge(("dead_letter", "queue"), "dead_letter", id_, ""))
            changed["dead_letter"] = dead.model_copy(update={"queue": id_})
    fields = drafts.config(queue.driver)
    if isinstance(fields, DriverFields):
        changed["options"], more = driver.options(
            draft, fields, fields.queue_options, fields.queue_defaults()
        )
        findings += more
        if "max_bytes" not in queue.model_fields_set:
            changed["max_bytes"] = fields.queue_bytes()
        elif queue.max_bytes is not None:
            findings += _unkept_bytes(draft, fields)
    queue = queue.model_copy(update=changed)
    if queue.body_schema is not None:
        index = drafts.root / draft.source_of(draft.node.get("schema")).file
        try:
            queue = queue.with_schema(written(index, queue.body_schema, drafts.root))
        except (Invalid, Unsupported) as problem:
            findings.append(_no_schema(draft, problem))
    draft.config = queue
    return findings


def _unkept_bytes(draft: Draft, fields: DriverFields) -> list[Finding]:
    """Return what is wrong with `max_bytes` at a driver that cannot count them."""
    limit = descriptor(fields.kind).limits.get("max_bytes")
    if limit is None or limit.ability != "none":
        return []
    return [
        error(
            "R231",
            f"`max_bytes` cannot be kept by a {fields.kind}: {limit.reason}",
            draft.span(draft.node.get("max_bytes")),
            help="leave it out, or use a queue.driver.redis or sqlite, which can",
        )
    ]


def _no_schema(draft: Draft, problem: MoonqError) -> Finding:
    return error(
        "R228",
        f"`schema`: {problem.message}",
        draft.span_of("schema"),
        help=problem.hint or "write a JSON Schema (https://json-schema.org), draft 2020-12",
    )


def _other_driver(draft: Draft, queue: Queue, target: Queue) -> Finding:
    # A dead letter must be stored and its source settled in one step of one driver.
    return error(
        "R214",
        f"`dead_letter.queue` must be a queue of the same driver, `{queue.driver}`",
        draft.span_of("dead_letter", "queue", label=f"at {target.driver}"),
        help=f"leave `queue` out for the default, `{draft.id}{DEAD}`",
    )


def _same_name(first: Draft, second: Draft) -> Finding:
    # They would eat each other's messages.
    return error(
        "R215",
        f"`{first.id}` and `{second.id}` have the same name at their driver",
        second.span(second.node.get("queue_name"), "the second one"),
        first.span(first.node.get("queue_name"), "the first one", primary=False),
        help="give one of them another `queue_name`",
    )


# Running ------------------------------------------------------------------------------------------


def routes(parts: Parts, entry: Entry) -> dict[str, Route]:
    """Return where the messages of a queue go, and its dead letters if theirs is not declared.

    Those then take what the queue takes.
    """
    fields = entry.fields(Queue)
    is_json = fields.codec == "json"
    store = driver.of(parts, fields.driver)
    own = Route(
        entry.id,
        store,
        parts.at_driver(_spec(parts.project, entry)),
        decodes=is_json,
        publish_timeout=fields.publish_timeout,
        max_body=min(fields.max_body, (fields.max_bytes or sys.maxsize) - OVERHEAD),
        content_type="application/json" if is_json else "text/plain",
        schema=fields.schema_of_bodies,
        put=putter(store),
    )
    letters, name = entry.target("dead_letter"), own.spec.dead_letter
    if not letters or not name or letters in parts.project.entries:
        return {entry.id: own}
    dead = replace(
        own,
        id=letters,
        spec=QueueSpec(name),
        letters_of=entry.id,
        schema=None,
        traffic=Traffic(),
    )
    return {entry.id: own, letters: dead}


def _spec(project: Project, entry: Entry) -> QueueSpec:
    fields = entry.fields(Queue)
    options, dead = fields.options, entry.target("dead_letter")
    return QueueSpec(
        name=_name_at_driver(project, entry.id),
        dead_letter=_name_at_driver(project, dead) if dead else None,
        dedup_window=fields.dedup_window,
        max_bytes=fields.max_bytes,
        options=options.own(),
        **{name: getattr(options, name) for name in QueueOptions.model_fields},
    )


def _name_at_driver(project: Project, queue_id: str) -> str:
    entry = project.entries.get(queue_id)
    return (entry.fields(Queue).queue_name if entry else None) or queue_id


def specs_at(project: Project, driver_id: str) -> list[QueueSpec]:
    """Return what the project's queues ask of a driver; they name their dead letters."""
    queues = project.of_kind(NAME)
    return [_spec(project, one) for one in queues if one.fields(Queue).driver == driver_id]


def names_at(project: Project) -> dict[str, set[str]]:
    """Return what the project's queues, dead letters included, are called at each driver."""
    found: dict[str, set[str]] = {entry.id: set() for entry in project.of_kind(driver.FAMILY)}
    for entry in project.of_kind(NAME):
        dead = entry.target("dead_letter")
        names = [entry.id, dead] if dead else [entry.id]
        found[entry.fields(Queue).driver] |= {_name_at_driver(project, name) for name in names}
    return found


def _is_queue(project: Project, name: str) -> bool:
    entry = project.entries.get(name)
    return name in project.implied or (entry is not None and entry.kind == NAME)


def _declare_again(before: Route) -> None:
    with contextlib.suppress(MoonqError):
        before.driver.declare(before.spec)


KIND = QueueKind(NAME, Queue, aliases={"queue": "A queue"})
