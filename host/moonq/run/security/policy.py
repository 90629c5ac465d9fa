"""One policy: who may, or may not, do what with what, and when.

policy.verdict(case)   # "allow", "deny", or "undefined": it does not speak of the case
policy.steps(case)     # the same in words: what fits, and which condition does not hold
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field

from moonq.registry.common import Strict
from moonq.registry.fields import TEXT, wrong
from moonq.run.security.condition import Case, Condition
from moonq.run.security.patterns import fits, is_pattern

Effect = Literal["allow", "deny", "undefined"]
ALLOW: Effect = "allow"
DENY: Effect = "deny"
UNDEFINED: Effect = "undefined"


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _pattern(text: str) -> str:
    if not is_pattern(text):
        raise wrong(
            f" `{text}` has a `*` before its end",
            help="a `*` stands at the end, for whatever follows: write each one out, or `*` alone",
        )
    return text


Patterns = Annotated[
    list[Annotated[str, Field(min_length=1), AfterValidator(_pattern)]],
    Field(min_length=1),
    BeforeValidator(_listed),
    TEXT,
]


class Rule(Strict):
    """Who may do what with what."""

    actions: Patterns = Field(
        description="What is done, such as `queue.publish`; a `*` at the end fits what follows."
    )
    resources: Patterns = Field(
        description="What it is done with: ids; a `*` at the end fits what follows."
    )
    effect: Literal["allow", "deny"] = Field(
        description="What the rule says; one that denies wins over all that allow."
    )
    conditions: list[Condition] = Field(
        default_factory=list, description="What must hold besides, all of it."
    )


class Step(NamedTuple):
    """What became of one part of a rule: actions, resources, or one of the conditions."""

    part: str
    written: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """A rule with its id."""

    id: str
    rule: Rule
    groups: tuple[str, ...] = ()
    """The ids of the groups that it belongs to."""
    place: str = ""
    """File and line of its rule, for people."""

    def verdict(self, case: Case) -> Effect:
        """Return what it says of *case*."""
        rule = self.rule
        holds = (
            self._acts(case)
            and self.is_about(case.resource)
            and all(condition.holds(case) for condition in rule.conditions)
        )
        return rule.effect if holds else UNDEFINED

    def steps(self, case: Case) -> Iterator[Step]:
        """Yield how it comes to its verdict."""
        rule = self.rule
        yield Step("actions", ", ".join(rule.actions), self._acts(case))
        yield Step("resources", ", ".join(rule.resources), self.is_about(case.resource))
        for condition in rule.conditions:
            yield Step("condition", condition.written(), condition.holds(case))

    def looks_at_meta(self) -> bool:
        """Whether what is told beside actor, action and resource counts."""
        looked_at = (
            fact
            for condition in self.rule.conditions
            for fact in (condition.field, condition.value_from or "")
        )
        return any(fact.startswith("meta.") for fact in looked_at)

    def _acts(self, case: Case) -> bool:
        """Whether the rule is about the action; what is denied is denied with all below it."""
        actions = case.actions if self.rule.effect == ALLOW else (*case.actions, *case.within)
        return self.names(actions)

    def names(self, actions: Iterable[str]) -> bool:
        """Whether its rule has one of *actions*."""
        return any(fits(action, pattern) for action in actions for pattern in self.rule.actions)

    def is_about(self, resource: str) -> bool:
        """Whether its rule has *resource*."""
        return any(fits(resource, pattern) for pattern in self.rule.resources)


EVERYTHING = Policy("moonq:everything", Rule(actions=["*"], resources=["*"], effect="allow"))
"""What the owner of a host goes by, who calls by hand."""
