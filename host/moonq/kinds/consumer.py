"""`queue.consumer`: serves one queue with one function."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator

from moonq.drivers.entry import ConsumerOptions, DriverFields
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
from moonq.registry.kind import Kind
from moonq.registry.script import Callable
from moonq.text.findings import Finding

#: Unsettled deliveries of a consumer that says nothing; its workers may need more.
PREFETCH = 10


def _worker_memory(count: int) -> str:
    return f"{count} idle Lua states alone need about {round(count * 26 / 1000)} MB (26 KB each)"


Concurrency = Annotated[
    Whole,
    between(
        1,
        1000,
        note=lambda count: _worker_memory(count) if count > 1000 else "",
        help="start with 8; raise `prefetch` (max 10000) if workers wait for messages",
    ),
]


class Consumer(Config):
    """`queue.consumer`: serves one queue with one function."""

    is_service: ClassVar[bool] = True
    options_later: ClassVar[bool] = True

    queue: Annotated[str, Ref(("queue.queue",))]
    func: Annotated[str, Ref(("function.lua",))]
    concurrency: Concurrency = 1
    prefetch: Annotated[Whole, between(1, 10_000)] = Field(
        0, description="unsettled deliveries it may hold; default 10, never below concurrency"
    )
    auto_ack: Flag = Field(False, description="acknowledge before the handler runs: at most once")
    timeout: LimitOrNone = Field(None, description="per message; default: the function's limit")
    lease: Annotated[Limit, seconds_between(1, 12 * 3600)] = 30.0
    options: ConsumerOptions = Field(default_factory=ConsumerOptions)

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


class ConsumerKind(Kind):
    """See `Kind`."""

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
    if "timeout" not in consumer.model_fields_set and isinstance(function, Callable):
        changed["timeout"] = function.limits.timeout
    queue = drafts.config(consumer.queue)
    fields = drafts.config(queue.driver) if isinstance(queue, Queue) else None
    if isinstance(fields, DriverFields):
        changed["options"], findings = driver.options(draft, fields, fields.consumer_options, {})
    draft.config = consumer.model_copy(update=changed)
    return findings


KIND = ConsumerKind("queue.consumer", Consumer, aliases={"consumer": "A consumer"})
