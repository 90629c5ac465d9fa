"""Drivers, queues and consumers.

Every driver says which options its queues and consumers know, so that a key which means nothing to
the chosen driver is refused by name.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from moonq.registry.common import Config, Strict
from moonq.registry.fields import (
    DAY,
    Count,
    Flag,
    Limit,
    LimitOrNone,
    Number,
    Ref,
    Share,
    Size,
    Wait,
    Whole,
    between,
    bytes_between,
    seconds_between,
    wrong,
)

Overflow = Literal["reject", "block", "drop_oldest"]
KIB = 1024


class QueueOptions(Strict):
    """What a queue may ask of every driver; a driver that cannot do it says so."""

    max_length: Annotated[Whole, between(1, 1_000_000_000)] | None = Field(
        None, description="messages it may hold; unset is unlimited"
    )
    overflow: Overflow = Field("reject", description="what a publish to a full queue does")
    ttl: Limit | None = Field(None, description="longest wait before the first start")
    on_expire: Literal["dead_letter", "drop"] = "dead_letter"
    group_on_failure: Literal["block", "skip"] = "block"

    def own(self) -> dict[str, Any]:
        """Return the options that only this driver has."""
        shared = QueueOptions.model_fields
        return {name: value for name, value in self if name not in shared}


class ConsumerOptions(Strict):
    """What a consumer may ask of its driver: nothing, so far."""


class Driver(Config):
    """Whatever stores messages."""

    is_service: ClassVar[bool] = True
    queue_options: ClassVar[type[QueueOptions]] = QueueOptions
    consumer_options: ClassVar[type[ConsumerOptions]] = ConsumerOptions

    def queue_defaults(self) -> dict[str, Any]:
        """Return the options of a queue that says nothing about them."""
        return {}

    def twin(self, number: int) -> Driver:
        """Return the same driver with a place of its own, where it may try things out."""
        return self

    @property
    def litter(self) -> str:
        """The folder that holds the places of all twins, below the project's."""
        return ""


class MemoryDriver(Driver):
    """`queue.driver.memory`: messages live in this process and end with it."""

    max_length: Annotated[Whole, between(1, 1_000_000_000)] = Field(
        10_000, description="default of its queues"
    )
    overflow: Overflow = Field("reject", description="default of its queues")

    def queue_defaults(self) -> dict[str, Any]:
        """Return the bounds, which every queue in memory has."""
        return {"max_length": self.max_length, "overflow": self.overflow}


class SqliteQueueOptions(QueueOptions):
    """What a queue may ask of the SQLite driver."""

    durable: Literal[True] = Field(True, description="always true: the file is on the disk")

    def own(self) -> dict[str, Any]:
        """Return nothing: whatever the file holds is durable."""
        return {}


class SqliteDriver(Driver):
    """`queue.driver.sqlite`: messages live in one file of this machine."""

    queue_options: ClassVar[type[QueueOptions]] = SqliteQueueOptions

    path: Annotated[str, Field(min_length=1, max_length=4096)] = Field(
        ".moonq/queues.db", description="the file, from the project's folder"
    )
    durability: Literal["full", "normal"] = Field(
        "full", description="normal survives the process, but perhaps not a power cut"
    )
    ballast_mb: Annotated[Whole, between(0, 10_000)] = Field(
        16, description="room kept for acknowledgements when the disk is full"
    )
    min_free_mb: Annotated[Whole, between(0, 1_000_000)] = Field(
        0, description="publishes are refused while less is free"
    )

    def twin(self, number: int) -> Driver:
        """Return the same driver with another file, on the same disk."""
        path = f"{self.litter}/{number}.db"
        return self.model_copy(update={"path": path, "ballast_mb": 0})

    @property
    def litter(self) -> str:
        """The folder of the twins' files."""
        return f"{self.path}.doctor"

    @field_validator("path")
    @classmethod
    def _is_a_file(cls, path: str) -> str:
        if path == ":memory:" or path.startswith("file:") or path.endswith("/") or "\0" in path:
            raise wrong(
                f"`path` must name a file, not {path!r}",
                help="write a path such as `.moonq/queues.db`; memory is a queue.driver.memory",
            )
        return path


class Retry(Strict):
    """How often and how soon a message that failed runs again."""

    max_attempts: Count = 10
    max_interruptions: Count = 5
    initial_delay: Annotated[Wait, seconds_between(0.1, 365 * DAY)] = 2.0
    factor: Annotated[Number, between(1, 1000)] = 3.0
    max_delay: Annotated[Wait, seconds_between(0.1, 365 * DAY)] = 900.0
    jitter: Share = 0.2
    policy: Annotated[str | None, Ref(("function.lua",))] = Field(
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

    queue: Annotated[str, Ref(("queue.queue",))] = Field("", description="default: <queue>.dead")
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
    options_from: ClassVar[str] = "queue_options"

    driver: Annotated[str, Ref(("queue.driver.",))]
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
    options_from: ClassVar[str] = "consumer_options"

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
