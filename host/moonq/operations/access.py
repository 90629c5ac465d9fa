"""Who may do what: the evaluation that a script would meet, policy by policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moonq.errors import NotFound
from moonq.registry.project import Entry, Project
from moonq.run.calling.lends import declared
from moonq.run.calling.services import HostServices
from moonq.run.security import (
    ALLOW,
    ALLOWED,
    DENIED,
    EVERYTHING,
    OPERATOR,
    Actor,
    Decision,
    Policy,
    Rights,
    Scope,
    actions,
    refusal,
)
from moonq.run.security.condition import Case
from moonq.run.security.patterns import fits
from moonq.text.suggestions import close, question

#: The actors of consoles begin so.
CONSOLE = "console:"


def explain(
    services: HostServices, who: str, action: str, resource: str, meta: Mapping[str, Any], at: str
) -> dict[str, Any]:
    """Return `cases`: for each entry that acts as *who* (or only for *at*) what comes of it.

    Raises:
        NotFound: Nobody acts as *who*; names whom it may stand for.
    """
    row = actions.find(action)
    id_ = _resolved(services, row, resource)
    known = _rights(services, who, at)
    return {
        "actor": who,
        "action": row.name if row else action,
        "asked": action,
        "is_known": row is not None,
        "likely": [] if row or _is_own(services, action) else close(action, actions.known()),
        "spellings": list(actions.spellings(action)),
        "together_with": _together(row),
        "resource": id_,
        "meta": dict(meta),
        "strict_mode": services.is_strict,
        "cases": [_case(services, entry, one, action, id_, meta) for entry, one in known],
    }


def _is_own(services: HostServices, action: str) -> bool:
    return any(fits(action, one) for one in services.project.settings.security.actions)


def _resolved(services: HostServices, row: actions.Action | None, resource: str) -> str:
    """Return the id that a script would be asked about; what is no entry stays as it is."""
    for kind in (row.kinds or ()) if row else ():
        try:
            return services.entry_id(resource, kind)
        except NotFound:
            continue
    return resource


def _together(row: actions.Action | None) -> list[str]:
    """Return the other actions that the same functions ask for, all of which must be allowed."""
    asked = [one.actions for one in declared() if row is not None and row.name in one.actions]
    return [*dict.fromkeys(one for all_ in asked for one in all_ if row and one != row.name)]


def _rights(services: HostServices, who: str, at: str) -> list[tuple[Entry | None, Rights]]:
    project = services.project
    found = {
        entry.id: (entry, services.policies.rights(entry))
        for entry in project.entries.values()
        if entry.config.is_service
    }
    if at:
        id_ = project.resolve(at).id
        found = {id_: found[id_]} if id_ in found else {}
    cases: list[tuple[Entry | None, Rights]] = [
        (entry, rights)
        for entry, rights in found.values()
        if (rights.actor.id if rights.actor else entry.id) == who
    ]
    if not at and (who == OPERATOR.id or who.startswith(CONSOLE)):
        cases.append((None, Rights(Actor(who), Scope((EVERYTHING,)))))
    if not cases:
        raise NotFound(
            f"nobody acts as {who!r}{f' in {at}' if at else ''}", hint=_hint(project, who)
        )
    return cases


def _hint(project: Project, who: str) -> str:
    actors = {
        security.actor.id
        for entry in project.entries.values()
        if (security := entry.lifecycle.security).actor
    }
    consumers = {entry.id for entry in project.of_kind("queue.consumer")}
    likely = question(close(who, actors | consumers))
    return likely or (f"the actors are {', '.join(sorted(actors))}" if actors else "")


def _case(
    services: HostServices,
    entry: Entry | None,
    rights: Rights,
    action: str,
    resource: str,
    meta: Mapping[str, Any],
) -> dict[str, Any]:
    actor, scope = rights
    decision = _decided(services, rights, action, resource, meta)
    is_allowed = decision.effect == ALLOW
    problem = (
        None
        if is_allowed
        else refusal(entry.id if entry else "", actor, scope, action, resource, decision)
    )
    lacking = [
        one
        for one in _together(actions.find(action))
        if _decided(services, rights, one, resource, meta).effect != ALLOW
    ]
    file, line, _ = entry.place("lifecycle", "security") if entry else ("", 0, 0)
    case = Scope.case(actor, action, resource, meta) if actor else None
    return {
        "entry": entry.id if entry else None,
        "place": f"{file}:{line}" if file else None,
        "actor": {"id": actor.id, "meta": dict(actor.meta)} if actor else None,
        "has_scope": scope is not None,
        "effect": decision.effect,
        "allowed": is_allowed,
        "policy": decision.policy,
        "why": problem.message if problem else "",
        "help": problem.hint if problem else "",
        "lacking": lacking,
        "policies": [_policy(one, case) for one in scope.policies] if scope and case else [],
    }


def _decided(
    services: HostServices, rights: Rights, action: str, resource: str, meta: Mapping[str, Any]
) -> Decision:
    actor, scope = rights
    if actor is None or scope is None:
        return DENIED if services.is_strict else ALLOWED
    return scope.decide(actor, action, resource, meta)


def _policy(policy: Policy, case: Case) -> dict[str, Any]:
    return {
        "id": policy.id,
        "place": policy.place or None,
        "groups": list(policy.groups),
        "effect": policy.rule.effect,
        "verdict": policy.verdict(case),
        "steps": [step._asdict() for step in policy.steps(case)],
    }
