"""Policies that hold together, and what they decide.

    scope = Scope((may_mail, never_payments))
    scope.evaluate(actor, "queue.info", "app:payments")            # "deny"
    scope.without("app:never_payments").decide(actor, "queue.info", "app:mail").policy

One policy that denies goes before all that allow. A scope never changes: `with_` and `without` make
another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from moonq.run.security.actions import above, spellings
from moonq.run.security.actor import Actor
from moonq.run.security.condition import Case
from moonq.run.security.policy import ALLOW, DENY, UNDEFINED, Effect, Policy

NOTHING: Mapping[str, Any] = MappingProxyType({})
#: Decisions that a declared scope remembers, and one that a script has made, of which there may be
#: hundreds; and the longest action with its resource that is remembered.
MAX_KNOWN = 4096
MAX_KNOWN_OF_MADE = 64
MAX_KEY = 512


class Decision(NamedTuple):
    """What a scope says, and the policy by which it does; None: none speaks of it."""

    effect: Effect
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Policies in the order in which they were added, each id once."""

    policies: tuple[Policy, ...] = ()
    place: str = field(default="", compare=False)
    """Where it is declared, for people; empty for one that a script has made."""
    looks_at_meta: bool = field(default=False, init=False, compare=False, repr=False)
    """Whether decisions hang on more than actor, action and resource."""
    _known: dict[tuple[int, str, str], Decision] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        """See what decisions hang on."""
        looks = any(policy.looks_at_meta() for policy in self.policies)
        object.__setattr__(self, "looks_at_meta", looks)

    def with_(self, *policies: Policy) -> Scope:
        """Return one that has *policies* as well."""
        added = {one.id: one for one in policies}
        kept = (one for one in self.policies if one.id not in added)
        return self._of((*kept, *added.values()))

    def without(self, policy: str) -> Scope:
        """Return one that lacks the policy of this id."""
        return self._of(one for one in self.policies if one.id != policy)

    def contains(self, policy: str) -> bool:
        """Whether the policy of this id is one of its own."""
        return any(one.id == policy for one in self.policies)

    def evaluate(
        self, actor: Actor, action: str, resource: str, meta: Mapping[str, Any] = NOTHING
    ) -> Effect:
        """Say whether *actor* may do *action* with *resource*; undefined: no policy knows."""
        return self.decide(actor, action, resource, meta).effect

    def decide(
        self, actor: Actor, action: str, resource: str, meta: Mapping[str, Any] = NOTHING
    ) -> Decision:
        """Return the same, with the policy that decides."""
        if (meta and self.looks_at_meta) or len(action) + len(resource) > MAX_KEY:
            return self._decided(self.case(actor, action, resource, meta))
        key = actor.serial, action, resource
        known = self._known.get(key)
        if known is None:
            known = self._decided(self.case(actor, action, resource, meta))
            if len(self._known) >= (MAX_KNOWN if self.place else MAX_KNOWN_OF_MADE):
                self._known.clear()
            self._known[key] = known
        return known

    @staticmethod
    def case(actor: Actor, action: str, resource: str, meta: Mapping[str, Any]) -> Case:
        """Return what is asked, as policies look at it."""
        return Case(actor, spellings(action), above(action), resource, meta)

    def _decided(self, case: Case) -> Decision:
        allowing: str | None = None
        for policy in self.policies:
            verdict = policy.verdict(case)
            if verdict == DENY:
                return Decision(DENY, policy.id)
            if verdict == ALLOW and allowing is None:
                allowing = policy.id
        return Decision(ALLOW, allowing) if allowing is not None else Decision(UNDEFINED)

    def _of(self, policies: Iterable[Policy]) -> Scope:
        return Scope(tuple(policies))


class Rights(NamedTuple):
    """In whose name something runs and what that allows; None: nothing is declared of it."""

    actor: Actor | None = None
    scope: Scope | None = None
