"""`queue.queue`: a named line of messages at a driver."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from moonq.drivers.entry import QueueOptions
from moonq.registry.common import Config, Strict
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

KIB = 1024


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
