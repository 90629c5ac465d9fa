"""The policies of one project, and what `lifecycle.security` of an entry means by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, cast

from moonq.errors import Ambiguous, Invalid, NotFound
from moonq.registry import names
from moonq.registry.common import Security
from moonq.registry.hidden import written
from moonq.registry.project import Entry, Project
from moonq.registry.yaml.nodes import Map, Node
from moonq.run.security.actor import OPERATOR, Actor
from moonq.run.security.policy import EVERYTHING, Policy, Rule
from moonq.run.security.scope import Rights, Scope
from moonq.text.suggestions import close, question

KIND = "security.policy"
#: What groups are called where a kind of entries is named: each is the sum of its policies.
GROUP = "security.group"
#: The actors of consoles begin so.
CONSOLE = "console:"


class Fields(Protocol):
    """What an entry of a policy says."""

    policy: Rule
    groups: list[str]


class Policies:
    """All `security.policy` entries of a project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._by_id = {entry.id: _policy(entry) for entry in project.of_kind(KIND)}

    def get(self, policy: str) -> Policy | None:
        """Return the policy of this id."""
        return self._by_id.get(policy)

    def group(self, group: str) -> Scope | None:
        """Return the policies of the group of this id; None: it has none."""
        found = tuple(one for one in self._by_id.values() if group in one.groups)
        return Scope(found) if found else None

    def group_id(self, name: str) -> str:
        """Return the id of a group; where nobody knows its namespace, a bare name that is unique.

        Raises:
            NotFound: There is none.
            Ambiguous: Several are called so.
        """
        known = sorted({group for one in self._by_id.values() for group in one.groups})
        same = [one for one in known if name in (one, names.bare(one))]
        if name in same or len(same) == 1:
            return name if name in same else same[0]
        if same:
            raise Ambiguous(f"{name!r} is ambiguous: {', '.join(same)}", hint="write the full id")
        likely = question(names.likely(name, known)[:3])
        raise NotFound(f"no policy is of a group {name!r}", hint=likely)

    def acting(self, who: str) -> list[tuple[Entry | None, Rights]]:
        """Return the services that act as *who*, an actor's id, with what they may do.

        A service without an actor is its own. None stands for the owner of the host at a console.

        Raises:
            NotFound: Nobody does.
        """
        services = (one for one in self._project.entries.values() if one.config.is_service)
        every = [(entry, self.rights(entry)) for entry in services]
        found: list[tuple[Entry | None, Rights]] = [
            (entry, one) for entry, one in every if who == (one.actor.id if one.actor else entry.id)
        ]
        if who == OPERATOR.id or who.startswith(CONSOLE):
            found.append((None, Rights(Actor(who), Scope((EVERYTHING,)))))
        if not found:
            actors = sorted({one.actor.id for _, one in every if one.actor})
            likely = question(close(who, {*actors, *(entry.id for entry, _ in every)}))
            listed = f"the actors are {', '.join(actors)}" if actors else ""
            raise NotFound(f"nobody acts as {who!r}", hint=likely or listed)
        return found

    def named(self, who: str, groups: Iterable[str] = ()) -> Rights:
        """Return the rights of *who*: an actor, or a service by its id with the actor that it has.

        With *groups* their policies hold instead, and *who* may be anybody.

        Raises:
            NotFound: There is no such group; or without groups, nobody acts so.
            Invalid: Several services act so, with different rights.
        """
        ids = [self.group_id(group) for group in groups]
        if ids:
            policies = (one for one in self._by_id.values() if not {*ids}.isdisjoint(one.groups))
            return Rights(self._known(who), Scope(tuple(policies)))
        entry = self._project.entries.get(who)
        if entry is not None and entry.config.is_service:
            rights = self.rights(entry)
            return rights._replace(actor=rights.actor or Actor(who))
        found = self.acting(who)
        (entry, rights), others = found[0], found[1:]
        if any(one != rights for _, one in others):
            ids = [one.id for one, _ in found if one]
            hint = f"name one of them instead: {', '.join(ids)}"
            raise Invalid(f"several services act as {who}, with different rights", hint=hint)
        return rights

    def _known(self, who: str) -> Actor:
        """Return the actor *who* with what is noted of it where it is declared."""
        try:
            found = self.acting(who)
        except NotFound:
            return Actor(who)
        return next((one.actor for _, one in found if one.actor), Actor(who))

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
            Actor(actor.id, actor.meta, _told(entry, actor.meta)) if actor else Actor(entry.id),
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


def _told(entry: Entry, meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the *meta* of the actor of *entry* as far as it is written in the file."""
    node: Node | None = entry.node
    for key in ("lifecycle", "security", "actor", "meta"):
        node = node.get(key) if isinstance(node, Map) else None
    told: Mapping[str, Any] = written(node, meta)
    return told


def _place(entry: Entry, *path: str) -> str:
    file, line, _ = entry.place(*path)
    return f"{file}:{line}"
