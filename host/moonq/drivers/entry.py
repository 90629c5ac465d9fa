"""What an entry of a driver may say, whatever the driver.

Every driver says which options its queues and consumers know, so that a key which means nothing to
the chosen driver is refused by name.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from moonq.errors import MoonqError, Unsupported
from moonq.registry.common import Config, Strict
from moonq.registry.fields import Limit, Whole, between

Overflow = Literal["reject", "block", "drop_oldest"]


class QueueOptions(Strict):
    """What a queue may ask of every driver; a driver that cannot do it says so."""

    max_length: Annotated[Whole, between(1, 1_000_000_000)] | None = Field(
        None,
        description="How many messages it may hold; unset: what its driver says, or any number.",
    )
    overflow: Overflow = Field("reject", description="What a publish into a full queue does.")
    ttl: Limit | None = Field(
        None, description="How long a message may wait for its first start; unset: for ever."
    )
    on_expire: Literal["dead_letter", "drop"] = Field(
        "dead_letter", description="What becomes of a message that waited longer."
    )
    group_on_failure: Literal["block", "skip"] = Field(
        "block", description="Whether a message that failed holds up the others of its group."
    )

    def own(self) -> dict[str, Any]:
        """Return the options that only this driver has."""
        shared = QueueOptions.model_fields
        return {name: value for name, value in self if name not in shared}


class ConsumerOptions(Strict):
    """What a consumer may ask of its driver: nothing, so far."""


class DriverFields(Config):
    """Whatever stores messages."""

    is_service: ClassVar[bool] = True
    queue_options: ClassVar[type[QueueOptions]] = QueueOptions
    consumer_options: ClassVar[type[ConsumerOptions]] = ConsumerOptions
    longest_timeout: ClassVar[float | None] = None
    """Seconds for which a handler may run at most; None: for as long as it likes."""

    def queue_defaults(self) -> dict[str, Any]:
        """Return the options of a queue that says nothing about them."""
        return {}

    def queue_bytes(self) -> int | None:
        """Return `max_bytes` of a queue that says nothing about it; None: it has no bound."""
        return None

    def refuse_timeout(self, timeout: float | None) -> MoonqError | None:
        """Return why a handler may not run for *timeout* seconds (None: no limit); None: it may."""
        longest = self.longest_timeout
        if longest is None or (timeout is not None and timeout <= longest):
            return None
        said = "`none`" if timeout is None else f"{timeout / 3600:g} h"
        return Unsupported(
            f"a {self.kind} has a message run for {longest / 3600:g} h at most, so the handler's"
            f" `timeout` cannot be {said}",
            hint=f"write `timeout: {longest / 3600:g}h` or less",
        )


def refusing(problem: MoonqError) -> type[DriverFields]:
    """Return the model of a driver that could not be loaded: every entry meets *problem*."""

    class Refused(DriverFields):
        @model_validator(mode="before")
        @classmethod
        def refuse(cls, _: Any) -> Any:
            raise problem

    return Refused
