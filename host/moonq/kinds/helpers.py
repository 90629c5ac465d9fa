"""Small entries beside the queues: policies, stores, variables, plain data."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from moonq.registry.common import Config, Strict


class Condition(Strict):
    """When a rule holds: a fact such as `actor.meta.role`, an operator, and what it is held to."""

    field: Annotated[str, Field(pattern=r"^(action|resource|actor\.id|actor\.meta\..+)$")]
    operator: Literal["eq", "ne", "in", "not_in", "exists", "matches"] = "eq"
    value: Any = None


class Rule(Strict):
    """Who may do what with which entries."""

    actions: Annotated[list[str], Field(min_length=1)]
    resources: Annotated[list[str], Field(min_length=1)]
    effect: Literal["allow", "deny"]
    conditions: list[Condition] = Field(default_factory=list)


class Policy(Config):
    """`security.policy`: one rule, and the groups it belongs to."""

    policy: Rule
    groups: list[str] = Field(default_factory=list)


class MemoryStore(Config):
    """`store.memory`: keys and values that end with the process."""

    is_service: ClassVar[bool] = True


class Variable(Config):
    """`env.variable`: one variable of the environment that scripts may read."""

    variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    default: str | None = None


class Data(Config):
    """`registry.entry`: whatever fields you like, for scripts to find."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True, defer_build=True)

    def fields(self) -> dict[str, Any]:
        """Return the free fields."""
        return dict(self.__pydantic_extra__ or {})
