"""Where an actor or a scope is missing, and the words where something may not be done."""

from __future__ import annotations

from moonq.errors import Denied
from moonq.run.security.actions import spellings
from moonq.run.security.actor import Actor
from moonq.run.security.policy import ALLOW, DENY, Policy
from moonq.run.security.scope import Decision, Scope

#: What `security.strict_mode` says of who has no actor or no scope.
ALLOWED = Decision(ALLOW)
DENIED = Decision(DENY)


def refusal(
    entry: str,
    actor: Actor | None,
    scope: Scope | None,
    action: str,
    resource: str,
    decision: Decision,
) -> Denied:
    """Return the error for what *entry* was not allowed to do on behalf of *actor*."""
    who = actor.id if actor else entry
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
    return "no policy allows it", _change(scope, action, resource)


def _change(scope: Scope, action: str, resource: str) -> str:
    """Return what to write where, so that it is allowed."""
    nearest = _nearest(scope, action, resource)
    if nearest is None:
        place = f" ({scope.place})" if scope.place else ""
        return f"allow `{action}` on {resource} in a policy of its scope{place}"
    policy, lacks = nearest
    place = f"{policy.id} ({policy.place})" if policy.place else policy.id
    if not lacks:
        return f"a condition of {place} does not hold"
    added = f"`{action}`" if lacks == "actions" else resource
    return f"add {added} to the {lacks} of {place}"


def _nearest(scope: Scope, action: str, resource: str) -> tuple[Policy, str] | None:
    """Return the policy that allows almost that, and whether resources or actions lack it."""
    family, spelt = action.partition(".")[0], spellings(action)
    found: list[tuple[int, Policy, str]] = []
    for policy in scope.policies:
        acts, is_about = policy.names(spelt), policy.is_about(resource)
        if policy.rule.effect != ALLOW:
            continue
        if acts:
            found.append((0 if is_about else 2, policy, "" if is_about else "resources"))
        elif is_about and any(one.partition(".")[0] == family for one in policy.rule.actions):
            found.append((1, policy, "actions"))
    best = min(found, key=lambda one: one[0], default=None)
    return best and best[1:]
