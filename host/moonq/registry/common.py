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

    initial_delay: Wait = Field(1.0, description="The wait before the first restart.")
    max_delay: Wait = Field(90.0, description="The longest wait between two restarts.")
    backoff_factor: Annotated[Number, between(1, 1000)] = Field(
        2.0, description="By what the wait grows with each failure."
    )
    jitter: Share = Field(0.1, description="Which share of the wait is left to chance.")
    max_attempts: Annotated[Whole, between(0, 1_000_000)] = Field(
        0, description="After so many restarts in a row the service is given up; 0: never."
    )

    def delay(self, failures: int, chance: float) -> float:
        """Return the seconds before the start after failure number *failures*."""
        grown = self.initial_delay * self.backoff_factor ** min(failures - 1, 64)
        return min(grown, self.max_delay) * (1 - self.jitter + 2 * self.jitter * chance)


class Actor(Strict):
    """In whose name a service acts."""

    id: Annotated[str, Field(min_length=1)] = Field(
        description="The name by which policies know it, as `actor.id`."
    )
    meta: dict[str, Any] = Field(
        default_factory=dict, description="What policies may ask about it, as `actor.meta.NAME`."
    )


class Security(Strict):
    """What a service may do."""

    actor: Actor | None = Field(None, description="In whose name it acts; unset: in nobody's.")
    policies: Annotated[list[str], Ref(("security.policy",), called="depends_on")] = Field(
        default_factory=list, description="The policies that say what it may do."
    )
    groups: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list, description="Groups of policies that say so, too."
    )


class Lifecycle(Strict):
    """When a service starts, what it waits for, and how long it may take to stop."""

    auto_start: Flag = Field(
        True, description="Whether it is started with the host; false waits for a command."
    )
    depends_on: Annotated[list[str], Ref(called="depends_on")] = Field(
        default_factory=list, description="Services that are started before it, and stopped after."
    )
    requires: Annotated[list[str], Ref(called="depends_on")] = Field(
        default_factory=list, description="Another word for `depends_on`."
    )
    start_timeout: Wait = Field(10.0, description="How long its start may take.")
    stop_timeout: Wait = Field(
        10.0, description="How long what it has at work may go on when it is stopped."
    )
    restart: Restart = Field(
        default_factory=Restart, description="How soon it is started again when it failed."
    )
    stable_threshold: Wait = Field(
        5.0, description="Once it has run this long, old failures are forgotten."
    )
    security: Security = Field(
        default_factory=Security, description="In whose name it acts, and what it may do."
    )

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
    #: A small entry of the kind in YAML, without the dash of the list; for the manual.
    example: ClassVar[str] = ""

    name: str = Field(description="Its name; with the namespace of its file it is the id.")
    kind: str = Field(description="What it is.")
    meta: dict[str, Any] = Field(
        default_factory=dict,
        description="Whatever you like to note, such as `comment`; scripts find entries by it.",
    )
    lifecycle: Lifecycle = Field(
        default_factory=Lifecycle,
        description="When the service starts, what it waits for, and how long a stop may take.",
    )
