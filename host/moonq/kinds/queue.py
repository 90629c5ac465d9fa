"""`queue.queue`: a named line of messages at a driver."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from moonq.drivers.entry import DriverFields, QueueOptions
from moonq.kinds import driver
from moonq.registry.common import Config, Strict
from moonq.registry.draft import Draft, Drafts, Edge, error
from moonq.registry.fields import (
    DAY,
    Count,
    Number,
    Ref,
    Share,
    Size,
    Wait,
    between,
    bytes_between,
    seconds_between,
    wrong,
)
from moonq.registry.kind import Kind
from moonq.text.findings import Finding

KIB = 1024
NAME = "queue.queue"
#: What is put behind a queue's id for its dead letters, where nothing else is said.
DEAD = ".dead"


class Retry(Strict):
    """How often and how soon a message that failed runs again."""

    max_attempts: Count = 10
    max_interruptions: Count = 5
    initial_delay: Annotated[Wait, seconds_between(0.1, 365 * DAY)] = 2.0
    factor: Annotated[Number, between(1, 1000)] = 3.0
    max_delay: Annotated[Wait, seconds_between(0.1, 365 * DAY)] = 900.0
    jitter: Share = 0.2
    policy: Annotated[str | None, Ref(("function.lua",), called="policy")] = Field(
        None, description="a function from failure to decision, instead of the numbers above"
    )

    @model_validator(mode="after")
    def _grows(self) -> Retry:
        if self.initial_delay > self.max_delay:
            raise wrong(
                "`initial_delay` is longer than `max_delay`",
                help="a retry waits initial_delay first and max_delay at most",
            )
        return self


class DeadLetter(Strict):
    """Where messages go that get no more attempts."""

    queue: Annotated[str, Ref((NAME,))] = Field("", description="default: <queue>.dead")
    max_attempts: Count | None = Field(None, description="instead of retry.max_attempts")


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

    is_service: ClassVar[bool] = True
    options_later: ClassVar[bool] = True

    driver: Annotated[str, Ref((driver.FAMILY,))]
    queue_name: Annotated[str, Field(min_length=1, max_length=80)] | None = Field(
        None, description="its name at the broker; default: the entry's id"
    )
    codec: Literal["json", "raw"] = Field("json", description="raw hands the body over as text")
    retry: Retry = Field(default_factory=Retry)
    dead_letter: Annotated[DeadLetter | None, BeforeValidator(_dead_letter)] = Field(
        default_factory=DeadLetter
    )
    dedup_window: Wait = 300.0
    publish_timeout: Wait = 5.0
    max_body: Annotated[Size, bytes_between(1, 1024**3)] = 256 * KIB
    options: QueueOptions = Field(default_factory=QueueOptions)

    @property
    def max_attempts(self) -> int:
        """Attempts before a message is dead."""
        named = self.dead_letter.max_attempts if self.dead_letter else None
        return named or self.retry.max_attempts


class QueueKind(Kind):
    """See `Kind`."""

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
    draft.config = queue.model_copy(update=changed)
    return findings


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


KIND = QueueKind(NAME, Queue, aliases={"queue": "A queue"})
