"""`security.policy`: one rule, and the groups it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from moonq.kinds.variable import Variable
from moonq.registry import names
from moonq.registry.common import Config
from moonq.registry.draft import Draft, Drafts
from moonq.registry.fields import Ref
from moonq.registry.kind import Kind
from moonq.run.security import actions
from moonq.run.security.patterns import fits, meet
from moonq.run.security.policies import groups_of
from moonq.run.security.policy import Rule
from moonq.text.findings import Finding, error, has_errors
from moonq.text.suggestions import close, question


class Policy(Config):
    """`security.policy`: one rule, and the groups it belongs to."""

    example: ClassVar[str] = """\
name: may_mail
kind: security.policy
policy:
  actions: queue.publish*
  resources: app:mail
  effect: allow
  conditions:
    - {field: actor.meta.role, operator: eq, value: shop}
groups: [shop]
"""

    policy: Rule = Field(description="Who may do what with what, or may not.")
    groups: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list,
        description="Groups that it belongs to; a bare name is one of its own namespace.",
    )


class PolicyKind(Kind):
    """See `Kind`."""

    def finish(self, mine: Iterable[Draft], drafts: Drafts) -> list[Finding]:
        """Find what policies name and there is not: actions, resources, and groups of their own.

        A group without a policy allows nothing, which is hardly what was meant.
        """
        policies = [(draft, draft.config) for draft in mine if isinstance(draft.config, Policy)]
        known = {
            group for draft, one in policies for group in groups_of(one.groups, draft.namespace)
        }
        every = {id_: drafts.kind_of(id_) for id_ in [*drafts, *drafts.implied]}
        every |= {part: draft.kind for draft in drafts.values() for part in draft.parts}
        own = drafts.settings.security.actions
        findings = list(_unknown_groups(drafts, known))
        for draft, policy in policies:
            doubts = list(_doubtful_actions(draft, policy.policy, own))
            findings += doubts
            if not has_errors(doubts):  # With an action unknown, so is what it is done with.
                findings += _idle_resources(draft, policy.policy, drafts, every, own)
        return findings


def _doubtful_actions(draft: Draft, rule: Rule, own: Iterable[str]) -> Iterator[Finding]:
    for at, pattern in enumerate(rule.actions):
        if any(meet(pattern, one) for one in (*actions.known(), *own)):
            continue
        is_foreign = any(meet(pattern, one) for one in actions.FOREIGN)
        yield (_foreign_action if is_foreign else _unknown_action)(draft, at, pattern)


def _idle_resources(
    draft: Draft, rule: Rule, drafts: Drafts, every: Mapping[str, str], own: Iterable[str]
) -> Iterator[Finding]:
    """Yield what the rule is about and there is not, among the kinds that its actions are for."""
    meant = [
        row
        for row in actions.ACTIONS.values()
        if any(fits(one, written) for one in (row.name, *row.also) for written in rule.actions)
    ]
    if any(row.kinds is None for row in meant) or any(
        meet(written, one) for written in rule.actions for one in own
    ):
        return  # What is no entry may be called anything.
    kinds = {kind for row in meant for kind in row.kinds or ()}
    wanted = Ref(() if actions.ENTRY in kinds else tuple(sorted(kinds)))
    fitting = [id_ for id_, kind in every.items() if wanted.accepts(kind)]
    for at, pattern in enumerate(rule.resources):
        if pattern != "*" and not any(fits(id_, pattern) for id_ in fitting):
            yield _no_resource(draft, at, pattern, wanted, fitting, drafts)


def _unknown_action(draft: Draft, at: int, pattern: str) -> Finding:
    likely = question(close(pattern, actions.known()))
    return error(
        "R217",
        f"there is no action `{pattern}`",
        draft.span_of("policy", "actions", at, label="no such action"),
        help=likely or "one of the project's own stands in moonq.yaml, under `security.actions`",
        note="" if likely else f"the actions are {', '.join(sorted(actions.ACTIONS))}",
    )


def _foreign_action(draft: Draft, at: int, pattern: str) -> Finding:
    return error(
        "R219",
        f"nothing here asks for `{pattern}`, so the rule changes nothing about it",
        draft.span_of("policy", "actions", at),
        severity="note",
    )


def _no_resource(
    draft: Draft, at: int, pattern: str, wanted: Ref, fitting: list[str], drafts: Drafts
) -> Finding:
    other = drafts.find(pattern)
    what = wanted.wanted or "entry"
    # Resources are compared with ids, so it is an id that is wanted.
    id_ = names.full(pattern, draft.namespace)
    likely = [id_] if id_ in fitting else names.likely(id_, fitting)
    called = [
        one.id
        for one in drafts.values()
        if isinstance(one.config, Variable) and one.config.variable == pattern
    ]
    return error(
        "R218",
        f"no {what} is called `{pattern}`, so this rule is about nothing",
        draft.span_of("policy", "resources", at, label=f"a {other.kind}" if other else ""),
        help=question((called or likely)[:3]),
        severity="warning",
    )


def _unknown_groups(drafts: Drafts, known: set[str]) -> Iterator[Finding]:
    return (
        _unknown_group(draft, at, draft.full(group), known)
        for draft in drafts.values()
        if draft.config
        for at, group in enumerate(draft.config.lifecycle.security.groups)
        if draft.full(group) not in known
    )


def _unknown_group(draft: Draft, at: int, group: str, known: set[str]) -> Finding:
    return error(
        "R216",
        f"no policy belongs to the group `{group}`, so it allows nothing",
        draft.span_of("lifecycle", "security", "groups", at),
        help=question(names.likely(group, known)[:3]),
        note="a bare name is a group of the own namespace",
        severity="warning",
    )


KIND = PolicyKind("security.policy", Policy)
