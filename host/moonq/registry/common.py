"""What every entry has: name, kind, meta, and a lifecycle where it is a service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from moonq.registry.fields import Flag, Number, Ref, Share, Wait, Whole, between, wrong
from moonq.text.secrets import masked


class Strict(BaseModel):
    """A map whose keys are all known; values are checked and then never change."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, defer_build=True, hide_input_in_errors=True
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Yield the fields as a traceback may show them."""
        yield from ((name, masked(value, name or "")) for name, value in super().__repr_args__())


class Restart(Strict):
    """How soon a service that failed is started again."""

    initial_delay: Wait = Field(1.0, description="before the first restart")
    max_delay: Wait = Field(90.0, description="the longest wait")
    backoff_factor: Annotated[Number, between(1, 1000)] = Field(2.0, description="growth")
    jitter: Share = Field(0.1, description="share of the wait that is left to chance")
    max_attempts: Annotated[Whole, between(0, 1_000_000)] = Field(
        0, description="restarts before the service is given up; 0 is never"
    )

    def delay(self, failures: int, chance: float) -> float:
        """Return the seconds before the start after failure number *failures*."""
        grown = self.initial_delay * self.backoff_factor ** min(failures - 1, 64)
        return min(grown, self.max_delay) * (1 - self.jitter + 2 * self.jitter * chance)


class Actor(Strict):
    """In whose name a service acts."""

    id: Annotated[str, Field(min_length=1)]
    meta: dict[str, Any] = Field(default_factory=dict)


class Security(Strict):
    """What a service may do."""

    actor: Actor | None = None
    policies: Annotated[list[str], Ref(("security.policy",), called="depends_on")] = Field(
        default_factory=list
    )
    groups: list[Annotated[str, Field(min_length=1)]] = Field(default_factory=list)


class Lifecycle(Strict):
    """When a service starts, what it waits for, and how long it may take to stop."""

    auto_start: Flag = Field(True, description="started at boot; false waits for a command")
    depends_on: Annotated[list[str], Ref(called="depends_on")] = Field(default_factory=list)
    requires: Annotated[list[str], Ref(called="depends_on")] = Field(
        default_factory=list, description="another word for depends_on"
    )
    start_timeout: Wait = 10.0
    stop_timeout: Wait = 10.0
    restart: Restart = Field(default_factory=Restart)
    stable_threshold: Wait = Field(5.0, description="running this long forgets old failures")
    security: Security = Field(default_factory=Security)

    @model_validator(mode="after")
    def _no_entry_twice(self) -> Lifecycle:
        both = set(self.depends_on) & set(self.requires)
        if both:
            raise wrong(
                f"`{min(both)}` stands in depends_on and in requires",
                help="they mean the same: keep one",
            )
        return self


class Config(Strict):
    """The checked fields of one entry; every kind is a subclass."""

    #: Services are started and stopped; the other entries are only looked up.
    is_service: ClassVar[bool] = False
    #: Whether only another entry's model can check its `options`.
    options_later: ClassVar[bool] = False

    name: str
    kind: str
    meta: dict[str, Any] = Field(default_factory=dict)
    lifecycle: Lifecycle = Field(default_factory=Lifecycle)
