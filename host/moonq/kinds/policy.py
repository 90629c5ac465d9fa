"""`security.policy`: one rule, and the groups it belongs to."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from moonq.registry.common import Config
from moonq.registry.draft import Draft, Drafts
from moonq.registry.kind import Kind
from moonq.run.security import Rule
from moonq.text.findings import Finding, error
from moonq.text.suggestions import close, question


class Policy(Config):
    """`security.policy`: one rule, and the groups it belongs to."""

    policy: Rule
    groups: list[str] = Field(default_factory=list)


class PolicyKind(Kind):
    """See `Kind`."""

    def finish(self, mine: Iterable[Draft], drafts: Drafts) -> list[Finding]:
        """Find groups without policies: they allow nothing, which is hardly what was meant."""
        policies = (draft.config for draft in mine if isinstance(draft.config, Policy))
        known = {group for policy in policies for group in policy.groups}
        return [
            _unknown_group(draft, at, group, known)
            for draft in drafts.values()
            if draft.config
            for at, group in enumerate(draft.config.lifecycle.security.groups)
            if group not in known
        ]


def _unknown_group(draft: Draft, at: int, group: str, known: set[str]) -> Finding:
    return error(
        "R216",
        f"no policy belongs to the group `{group}`, so it allows nothing",
        draft.span_of("lifecycle", "security", "groups", at),
        help=question(close(group, known)),
        severity="warning",
    )


KIND = PolicyKind("security.policy", Policy)
