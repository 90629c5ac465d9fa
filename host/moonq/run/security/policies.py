"""The policies of one project, and what `lifecycle.security` of an entry means by them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, cast

from moonq.registry import names
from moonq.registry.common import Security
from moonq.registry.project import Entry, Project
from moonq.run.security.actor import Actor
from moonq.run.security.policy import Policy, Rule
from moonq.run.security.scope import Rights, Scope

KIND = "security.policy"


class Fields(Protocol):
    """What an entry of a policy says."""

    policy: Rule
    groups: list[str]


class Policies:
    """All `security.policy` entries of a project."""

    def __init__(self, project: Project) -> None:
        self._by_id = {entry.id: _policy(entry) for entry in project.of_kind(KIND)}

    def get(self, policy: str) -> Policy | None:
        """Return the policy of this id."""
        return self._by_id.get(policy)

    def group(self, group: str) -> Scope | None:
        """Return the policies of the group of this id; None: it has none."""
        found = tuple(one for one in self._by_id.values() if group in one.groups)
        return Scope(found) if found else None

    def rights(self, entry: Entry) -> Rights:
        """Return in whose name *entry* runs, and what it may do.

        Without `security` neither is known. Without an actor the entry is its own; without
        `policies` and `groups` there is no scope.
        """
        security = entry.lifecycle.security
        actor = security.actor
        if actor is None and not has_scope(security):
            return Rights()
        return Rights(
            Actor(actor.id, actor.meta) if actor else Actor(entry.id),
            self._scope(security, entry) if has_scope(security) else None,
        )

    def _scope(self, security: Security, entry: Entry) -> Scope:
        groups = {names.full(group, entry.namespace) for group in security.groups}
        chosen = [
            policy
            for id_, policy in self._by_id.items()
            if id_ in security.policies or groups & set(policy.groups)
        ]
        return Scope(tuple(chosen), _place(entry, "lifecycle", "security"))


def has_scope(security: Security) -> bool:
    """Whether *security* says what may be done, be it nothing at all."""
    return not security.model_fields_set.isdisjoint({"policies", "groups"})


def groups_of(groups: Iterable[str], namespace: str) -> tuple[str, ...]:
    """Return the ids of *groups* as an entry of *namespace* writes them."""
    return tuple(names.full(group, namespace) for group in groups)


def _policy(entry: Entry) -> Policy:
    fields = cast(Fields, entry.config)
    groups = groups_of(fields.groups, entry.namespace)
    return Policy(entry.id, fields.policy, groups, _place(entry, "policy"))


def _place(entry: Entry, *path: str) -> str:
    file, line, _ = entry.place(*path)
    return f"{file}:{line}"
