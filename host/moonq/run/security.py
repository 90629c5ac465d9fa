"""Who may do what: the policies of a project, as a consumer's `lifecycle.security` names them.

    scope = policies.scope(entry.lifecycle.security)    # None: nothing is restricted
    scope.require("queue.publish", "app:payments")      # raises Denied

A consumer without `security` may do everything its modules offer. One with it may do what an
`allow` policy of its scope grants and no `deny` policy forbids. `lends.actions` has all actions; in
policies, actions and resources are patterns in which `*` stands for any text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, NamedTuple, Protocol, cast

from pydantic import Field, field_validator

from moonq.errors import Denied
from moonq.registry.common import Security, Strict
from moonq.registry.fields import wrong
from moonq.registry.project import Project
from moonq.text.suggestions import close, question

KIND = "security.policy"
#: What a condition may look at, beside the names in the actor's `meta`.
FACTS = ("action", "resource", "actor.id")


class Condition(Strict):
    """When a rule holds: a fact such as `actor.meta.role`, an operator, and what it is held to."""

    field: str
    operator: Literal["eq", "ne", "in", "not_in", "exists", "matches"] = "eq"
    value: Any = None

    @field_validator("field")
    @classmethod
    def _is_a_fact(cls, field: str) -> str:
        name = field.removeprefix("actor.").removeprefix("meta.")
        if field in FACTS or (name and field == f"actor.meta.{name}"):
            return field
        is_near = name and name != field
        likely = [f"actor.meta.{name}"] if is_near else close(field, FACTS)
        raise wrong(
            " must be `action`, `resource`, `actor.id` or `actor.meta.` and a name",
            help=question(likely),
        )


class Rule(Strict):
    """Who may do what with which entries."""

    actions: Annotated[list[str], Field(min_length=1)]
    resources: Annotated[list[str], Field(min_length=1)]
    effect: Literal["allow", "deny"]
    conditions: list[Condition] = Field(default_factory=list)


class Policy(Protocol):
    """What a policy's entry says."""

    policy: Rule
    groups: list[str]


def fits(text: str, pattern: str) -> bool:
    """Whether an action or a resource is what *pattern* of a policy means."""
    return fnmatchcase(text, pattern)


class Decision(NamedTuple):
    """What the policies of a scope say, and which of them decides; None: none speaks of it."""

    allows: bool
    policy: str | None


@dataclass(frozen=True, slots=True)
class Scope:
    """An actor with the policies that hold for it."""

    actor: str
    meta: Mapping[str, Any]
    policies: Mapping[str, Policy]
    """By id."""
    _known: dict[tuple[str, str], Decision] = field(default_factory=dict)

    def require(self, action: str, resource: str) -> None:
        """Let the actor do *action* with *resource*.

        Raises:
            Denied: No policy allows it, or one forbids it.
        """
        decision = self._known.get((action, resource))
        if decision is None:
            decision = self._known[action, resource] = self._decide(action, resource)
        if decision.allows:
            return
        by = decision.policy
        raise Denied(
            f"{self.actor} may not {action} {resource}: "
            + (f"{by} denies it" if by else "no policy of its scope allows it"),
            hint="" if by else f"allow `{action}` on {resource} in a security.policy of its scope",
            decision={"actor": self.actor, "action": action, "resource": resource, "policy": by},
        )

    def _decide(self, action: str, resource: str) -> Decision:
        """Return what the policies say: one that denies goes before all that allow."""
        fitting: dict[str, str] = {}
        for id_, policy in self.policies.items():
            if self._applies(policy, action, resource):
                fitting.setdefault(policy.policy.effect, id_)
        allows = "allow" in fitting and "deny" not in fitting
        return Decision(allows, fitting.get("allow" if allows else "deny"))

    def _applies(self, policy: Policy, action: str, resource: str) -> bool:
        rule = policy.policy
        facts = {
            "action": action,
            "resource": resource,
            "actor": {"id": self.actor, "meta": self.meta},
        }
        return (
            any(fits(action, pattern) for pattern in rule.actions)
            and any(fits(resource, pattern) for pattern in rule.resources)
            and all(_holds(condition, facts) for condition in rule.conditions)
        )


class Policies:
    """All `security.policy` entries of a project."""

    def __init__(self, project: Project) -> None:
        self._by_id = {entry.id: cast(Policy, entry.config) for entry in project.of_kind(KIND)}

    def scope(self, security: Security, service: str) -> Scope | None:
        """Return what *security* of the entry *service* means; None restricts nothing."""
        if not (security.actor or security.policies or security.groups):
            return None
        wanted = set(security.groups)
        chosen = {
            id_: policy
            for id_, policy in self._by_id.items()
            if id_ in security.policies or wanted & set(policy.groups)
        }
        actor = security.actor
        return Scope(actor.id if actor else service, dict(actor.meta) if actor else {}, chosen)


def _holds(condition: Condition, facts: Mapping[str, Any]) -> bool:
    fact: Any = facts
    for name in condition.field.split("."):
        fact = fact.get(name) if isinstance(fact, Mapping) else None
    return _OPERATORS[condition.operator](fact, condition.value)


def _in(fact: Any, value: Any) -> bool:
    return isinstance(value, list | str) and fact in value


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda fact, value: bool(fact == value),
    "ne": lambda fact, value: bool(fact != value),
    "in": _in,
    "not_in": lambda fact, value: not _in(fact, value),
    "exists": lambda fact, value: (fact is not None) == (value is not False),
    "matches": lambda fact, value: isinstance(fact, str) and fits(fact, str(value)),
}
