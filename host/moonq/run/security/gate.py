"""Where an actor or a scope is missing, and the words where something may not be done."""

from __future__ import annotations

from moonq.errors import Denied
from moonq.run.security.actions import spellings
from moonq.run.security.actor import Actor
from moonq.run.security.policy import ALLOW, DENY
from moonq.run.security.scope import Decision, Scope

#: What `security.strict_mode` says of who has no actor or no scope.
ALLOWED = Decision(ALLOW)
DENIED = Decision(DENY)
_UNNAMED = "a caller without an actor"


def refusal(
    actor: Actor | None, scope: Scope | None, action: str, resource: str, decision: Decision
) -> Denied:
    """Return the error for what was not allowed."""
    who = actor.id if actor else _UNNAMED
    why, hint = _reason(actor, scope, action, resource, decision)
    return Denied(
        f"{who} may not {action} {resource}: {why}",
        hint=hint,
        decision={
            "actor": actor.id if actor else None,
            "action": action,
            "resource": resource,
            "policy": decision.policy,
        },
    )


def _reason(
    actor: Actor | None, scope: Scope | None, action: str, resource: str, decision: Decision
) -> tuple[str, str]:
    """Return why it may not, and what to do."""
    if decision.policy is not None:
        return f"{decision.policy} denies it", ""
    if actor is None or scope is None:
        missing = "actor" if actor is None else "scope"
        return (
            f"security.strict_mode is on and there is no {missing}",
            "give its consumer `lifecycle.security` with an actor and policies",
        )
    place = _to_change(scope, action) or scope.place
    where = f" in {place}" if place else " in a policy of its scope"
    return "no policy allows it", f"allow `{action}` on {resource}{where}"


def _to_change(scope: Scope, action: str) -> str:
    """Return the place of a policy that allows *action* with something else."""
    return next(
        (
            f"{policy.place}: policy {policy.id}"
            for policy in scope.policies
            if policy.place and policy.rule.effect == ALLOW
            if policy.names(spellings(action))
        ),
        "",
    )
