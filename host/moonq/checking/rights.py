"""What looks wrong about who may do what, in entries and policies that are each right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from moonq.kinds.consumer import Consumer
from moonq.kinds.policy import Policy as PolicyFields
from moonq.registry import names
from moonq.registry.common import Security
from moonq.registry.draft import Draft, Drafts
from moonq.run.security import Policy
from moonq.run.security.actions import spellings
from moonq.run.security.patterns import fits
from moonq.run.security.policies import groups_of, has_scope
from moonq.text.findings import Finding, error

#: What publishing asks: all of them must be allowed.
PUBLISH = ("queue.publish", "queue.publish.queue")


def rights(drafts: Drafts) -> Iterator[Finding]:
    """Yield what is hardly meant: half a right to publish, an actor without a scope, and the like.

    A strict project forbids all to whoever has no rights; a bare name of a group is not that of
    another namespace.
    """
    policies = _policies(drafts)
    queues = [id_ for id_, draft in drafts.items() if draft.kind == "queue.queue"]
    for draft in drafts.values():
        if draft.config is None:
            continue
        security = draft.config.lifecycle.security
        yield from _unlimited(draft, security, is_strict=drafts.settings.security.strict_mode)
        yield from _namesakes(draft, security, policies.values())
        if has_scope(security):
            scope = _scope(draft, security, policies)
            yield from _half_allowed(draft, scope, queues, drafts)


def _policies(drafts: Drafts) -> Mapping[str, Policy]:
    return {
        id_: Policy(id_, config.policy, groups_of(config.groups, draft.namespace))
        for id_, draft in drafts.items()
        if isinstance(config := draft.config, PolicyFields)
    }


def _scope(draft: Draft, security: Security, policies: Mapping[str, Policy]) -> list[Policy]:
    groups = set(groups_of(security.groups, draft.namespace))
    return [
        policy
        for id_, policy in policies.items()
        if id_ in security.policies or groups & set(policy.groups)
    ]


def _half_allowed(
    draft: Draft, scope: list[Policy], queues: list[str], drafts: Drafts
) -> Iterator[Finding]:
    """Yield that one of the two actions of publishing is allowed on a queue, and not the other.

    One that is allowed on many queues by a pattern may go with the other on a few of them.
    """
    open_ = [queue for queue in queues if not any(_first(scope, "deny", a, queue) for a in PUBLISH)]
    found = {queue: [_first(scope, "allow", a, queue) for a in PUBLISH] for queue in open_}
    may_publish = any(all(pair) for pair in found.values())
    for queue, pair in found.items():
        for policy, has, missing in zip(pair, PUBLISH, reversed(PUBLISH), strict=True):
            if policy is None or all(pair) or (may_publish and queue not in policy.rule.resources):
                continue
            at = drafts[policy.id].span_of("policy", "actions", label="add it here", primary=False)
            lines = ", ".join([*policy.rule.actions, missing])
            yield error(
                "R223",
                f"`{draft.id}` may `{has}` on `{queue}`, but not `{missing}`: it cannot publish",
                draft.span_of("lifecycle", "security"),
                at,
                help=f"write `actions: [{lines}]` in `{policy.id}` ({at.file}:{at.line})",
                note="publishing asks for both",
                severity="warning",
            )
            return


def _first(scope: list[Policy], effect: str, action: str, resource: str) -> Policy | None:
    """Return a policy of *scope* that may have this effect, whatever its conditions."""
    return next(
        (
            policy
            for policy in scope
            if policy.rule.effect == effect and policy.names(spellings(action))
            if any(fits(resource, pattern) for pattern in policy.rule.resources)
        ),
        None,
    )


def _unlimited(draft: Draft, security: Security, *, is_strict: bool) -> Iterator[Finding]:
    if security.actor is not None and not has_scope(security):
        much = "nothing: `security.strict_mode` is on" if is_strict else "everything"
        yield error(
            "R224",
            f"`{draft.id}` acts as `{security.actor.id}` with neither policies nor groups,"
            f" so it may do {much}",
            draft.span_of("lifecycle", "security"),
            help="add `policies:` with what it needs; `policies: []` allows nothing",
            severity="warning",
        )
    elif is_strict and not has_scope(security) and isinstance(draft.config, Consumer):
        yield error(
            "R225",
            f"`{draft.id}` may do nothing: `security.strict_mode` is on and it has no rights",
            draft.span(None),
            help="give it `lifecycle: {security: {actor: {id: …}, policies: […]}}`",
            severity="warning",
        )


def _namesakes(draft: Draft, security: Security, policies: Iterable[Policy]) -> Iterator[Finding]:
    """Yield the groups that are called by a bare name and have namesakes elsewhere."""
    known = sorted({group for policy in policies for group in policy.groups})
    for at, group in enumerate(security.groups):
        others = [one for one in known if names.bare(one) == group and one != draft.full(group)]
        if ":" not in group and others and draft.full(group) in known:
            yield error(
                "R226",
                f"`{group}` is `{draft.full(group)}` only: {', '.join(others)} counts no longer",
                draft.span_of("lifecycle", "security", "groups", at),
                help=f"write `{draft.full(group)}`, and `{others[0]}` beside it if that is meant",
                severity="note",
            )
