"""When a rule holds: a fact of the case, an operator, and what the fact is held to.

    {field: actor.meta.role, operator: in, value: [auditor, boss]}
    {field: meta.owner, operator: eq, value_from: actor.id}

A fact that is absent fulfils no operator but those that deny (`ne`, `nin`, `nexists`, `ncontains`,
`nmatches`): each of them is what its opposite is not.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from moonq.registry.common import Strict
from moonq.registry.fields import wrong
from moonq.run.security.actor import Actor
from moonq.run.security.patterns import fits, is_pattern
from moonq.text.suggestions import close, question

#: What a condition may look at, beside the names in `actor.meta` and `meta`.
FACTS = ("action", "resource", "actor.id")
_MAPS = ("actor.meta.", "meta.")
Operator = Literal[
    "eq", "ne", "lt", "gt", "lte", "gte", "in", "nin", "not_in", "exists", "nexists",
    "contains", "ncontains", "matches", "nmatches",
]  # fmt: skip


class Case(NamedTuple):
    """Who wants to do what with what."""

    actor: Actor
    actions: tuple[str, ...]
    """Every spelling of the action."""
    within: tuple[str, ...]
    """Wider actions, see `actions.Action`."""
    resource: str
    meta: Mapping[str, Any]

    def fact(self, field: str) -> Any:
        """Return what *field* names; None where there is no such fact."""
        if field == "resource":
            return self.resource
        if field == "actor.id":
            return self.actor.id
        _, _, path = field.removeprefix("actor.").partition(".")
        found: Any = self.actor.meta if field.startswith("actor.") else self.meta
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return found


class Condition(Strict):
    """When a rule holds."""

    field: str = Field(
        description="The fact: `action`, `resource`, `actor.id`, `actor.meta.NAME` or `meta.NAME`."
    )
    operator: Operator = Field("eq", description="How the fact is compared.")
    value: Any = Field(None, description="What it is compared with.")
    value_from: str | None = Field(
        None, description="The fact that it is compared with, instead of `value`."
    )

    @field_validator("field", "value_from")
    @classmethod
    def _is_a_fact(cls, written: str | None) -> str | None:
        if written is None or written in FACTS or _noted(written):
            return written
        name = written.removeprefix("actor.").removeprefix("meta.")
        first, _, rest = name.partition(".")
        name = rest if rest and close(first, ["meta"]) else name
        is_near = name and name != written
        likely = [f"actor.meta.{name}"] if is_near else close(written, FACTS)
        raise wrong(
            " must be `action`, `resource`, `actor.id`, or `actor.meta.` or `meta.` and a name",
            help=question(likely),
        )

    @model_validator(mode="after")
    def _has_a_fitting_value(self) -> Condition:
        if self.value_from is not None and "value" in self.model_fields_set:
            raise wrong("`value` and `value_from` stand side by side", help="keep one of them")
        base = BASES.get(self.operator, self.operator)
        is_given = self.value_from is not None or "value" in self.model_fields_set
        if base == "exists":
            if self.value_from is not None or not isinstance(self.value, bool | None):
                raise wrong(f"`{self.operator}` takes no value, or true or false")
        elif not is_given:
            raise wrong(
                f"`{self.operator}` compares with nothing",
                help="write `value`, or `value_from` and the name of another fact",
            )
        elif self.value_from is None:
            if self.value is None:
                raise wrong(
                    f"`{self.operator}` compares with null, which no fact is",
                    help="`exists` and `nexists` ask whether there is one",
                )
            self._check_value(base)
        return self

    def _check_value(self, base: str) -> None:
        value = self.value
        if base == "in" and not isinstance(value, list):
            raise wrong(f"`value` of `{self.operator}` must be a list", help=f"write [{value}]")
        if base in _ORDERS and _kind(value) is None:
            raise wrong(f"`value` of `{self.operator}` must be a number or a text")
        if base == "matches" and not (isinstance(value, str) and _may_be_meant(value)):
            raise wrong(
                f"`value` of `{self.operator}` must be a text, with a `*` at its end or none",
                help="a regular expression it is not: `app:*` fits what begins with `app:`",
            )

    def holds(self, case: Case) -> bool:
        """Whether *case* fulfils it."""
        base = BASES.get(self.operator, self.operator)
        found = self._is(base, case)
        return found if base == self.operator else not found

    def written(self) -> str:
        """Return it as people read it: `actor.meta.role eq "auditor"`."""
        if self.value_from is not None:
            return f"{self.field} {self.operator} {self.value_from}"
        value = json.dumps(self.value, ensure_ascii=False, default=str)
        is_given = "value" in self.model_fields_set
        return f"{self.field} {self.operator}{f' {value}' if is_given else ''}"

    def _is(self, base: str, case: Case) -> bool:
        wanted = self.value if self.value_from is None else None
        if base == "exists":
            return (self._facts(self.field, case) != []) == (wanted is not False)
        wants = [wanted] if self.value_from is None else self._facts(self.value_from, case)
        holds = _OPERATORS[base]
        return any(holds(fact, want) for fact in self._facts(self.field, case) for want in wants)

    @staticmethod
    def _facts(field: str, case: Case) -> list[Any]:
        """Return the fact, none where it is absent, each spelling of the action."""
        if field == "action":
            return list(case.actions)
        fact = case.fact(field)
        return [] if fact is None else [fact]


def _may_be_meant(pattern: str) -> bool:
    """Whether it is a pattern, and does not look like a regular expression."""
    return is_pattern(pattern) and not (pattern.startswith("^") or pattern.endswith((".*", "$")))


def _noted(field: str) -> bool:
    return any(field.startswith(one) and all(field[len(one) :].split(".")) for one in _MAPS)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal; Python takes `true` for 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def holds(fact: Any, value: Any) -> bool:
        kinds = {_kind(fact), _kind(value)}
        return len(kinds) == 1 and None not in kinds and compare(fact, value)

    return holds


def _kind(value: Any) -> type | None:
    """Return what may be compared with its like: numbers, texts; nothing else."""
    if isinstance(value, bool):
        return None
    return float if isinstance(value, int | float) else str if isinstance(value, str) else None


def _contains(fact: Any, value: Any) -> bool:
    if isinstance(fact, str):
        return isinstance(value, str) and value in fact
    return isinstance(fact, list | tuple | Mapping) and any(_same(one, value) for one in fact)


_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "lt": _ordered(operator.lt),
    "gt": _ordered(operator.gt),
    "lte": _ordered(operator.le),
    "gte": _ordered(operator.ge),
}
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    **_ORDERS,
    "eq": _same,
    "in": lambda fact, value: _contains(value, fact) and not isinstance(value, str),
    "contains": _contains,
    "matches": lambda fact, value: (
        isinstance(fact, str) and isinstance(value, str) and fits(fact, value)
    ),
}
#: Operators that deny, and what they deny.
BASES: Mapping[str, str] = {
    "ne": "eq",
    "nin": "in",
    "not_in": "in",
    "nexists": "exists",
    "ncontains": "contains",
    "nmatches": "matches",
}
