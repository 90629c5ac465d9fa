"""Actors, scopes and policies; scripts have numbers of them, see `run.security.held`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from struct import pack, unpack_from
from typing import Any

from moonq.errors import Invalid, NotFound
from moonq.run.calling.lending import Caller, lent
from moonq.run.security import Actor, Policy, Scope
from moonq.run.security.policies import GROUP, KIND
from moonq.sandbox.lend import name

#: Bytes of an actor's id, of its meta, and of the meta of a question, as JSON.
MAX_ID = 255
MAX_META = 4 * 1024
MAX_CASE = 64 * 1024


def _of_actor(_: bytes, meta: bytes = b"", *__: object) -> Mapping[str, Any]:
    """Return what policies see of an actor that is to be made: its own meta."""
    return _object(meta, MAX_META)


@lent(action=None, writes=False, waits=False)
def security_actor(caller: Caller) -> int | None:
    """Return the actor in whose name the script runs, if there is one."""
    actor = caller.context.actor
    return caller.held.number(actor) if actor is not None else None


@lent(action=None, writes=False, waits=False)
def security_scope(caller: Caller) -> int | None:
    """Return the scope that the script runs within, if there is one."""
    scope = caller.context.scope
    return caller.held.number(scope) if scope is not None else None


@lent(action=None, writes=False, waits=False)
def security_can(caller: Caller, action: bytes, resource: bytes, meant: bytes, meta: bytes) -> bool:
    """Say whether the script may do that; *meant* is the resource as an id, if it is one."""
    asked = name(action)
    about = caller.host.resource_id(asked, name(resource), name(meant))
    return caller.may(asked, about, _object(meta, MAX_CASE))


@lent(action="security.actor.create", meta=_of_actor, writes=False, waits=False)
def security_new_actor(caller: Caller, id_: bytes, meta: bytes) -> int:
    """Make an actor."""
    if not 0 < len(id_) <= MAX_ID:
        raise Invalid(f"the id of an actor has 1 to {MAX_ID} bytes, not {len(id_)}")
    return caller.held.number(Actor(name(id_), _object(meta, MAX_META)))


@lent(action="security.policy.get", names=KIND, writes=False, waits=False)
def security_policy(caller: Caller, policy: bytes) -> int:
    """Return a policy of the project."""
    found = caller.host.policies.get(name(policy))
    if found is None:
        raise NotFound(f"{name(policy)} is no policy")
    return caller.held.number(found)


@lent(action="security.policy_group.get", names=GROUP, writes=False, waits=False)
def security_named_scope(caller: Caller, group: bytes) -> int:
    """Return the scope of all policies of a group."""
    found = caller.host.policies.group(name(group))
    if found is None:
        raise NotFound(f"no policy is of a group {name(group)!r}")
    return caller.held.number(found)


@lent(action="security.scope.create", resource="custom", writes=False, waits=False)
def security_new_scope(caller: Caller, policies: bytes) -> int:
    """Make a scope of policies, whose numbers are packed."""
    chosen = (caller.held.get(number, Policy) for number in _unpacked(policies))
    return caller.held.number(Scope().with_(*chosen))


@lent(action="security.scope.create", resource="with", writes=False, waits=False)
def security_scope_with(caller: Caller, scope: int, policy: int) -> int:
    """Make a scope that has a policy as well."""
    held = caller.held
    return held.number(held.get(scope, Scope).with_(held.get(policy, Policy)))


@lent(action="security.scope.create", resource="without", writes=False, waits=False)
def security_scope_without(caller: Caller, scope: int, policy: bytes) -> int:
    """Make a scope that lacks the policy of an id."""
    return caller.held.number(caller.held.get(scope, Scope).without(name(policy)))


@lent(action=None, writes=False, waits=False)
def security_scope_contains(caller: Caller, scope: int, policy: bytes) -> bool:
    """Say whether the policy of an id is in a scope."""
    return caller.held.get(scope, Scope).contains(name(policy))


@lent(action=None, writes=False, waits=False)
def security_scope_policies(caller: Caller, scope: int) -> bytes:
    """Return the numbers of a scope's policies, packed."""
    numbers = [caller.held.number(one) for one in caller.held.get(scope, Scope).policies]
    return pack(f"<{len(numbers)}q", *numbers)


@lent(action=None, writes=False, waits=False)
def security_scope_evaluate(
    caller: Caller, scope: int, actor: int, action: bytes, resource: bytes, meta: bytes
) -> bytes:
    """Say what a scope decides about a case: allow, deny or undefined."""
    asked, about, facts = _case(caller, action, resource, meta)
    held = caller.held
    who = held.get(actor, Actor)
    return held.get(scope, Scope).evaluate(who, asked, about, facts).encode()


@lent(action=None, writes=False, waits=False)
def security_policy_evaluate(
    caller: Caller, policy: int, actor: int, action: bytes, resource: bytes, meta: bytes
) -> bytes:
    """Say what one policy decides about a case."""
    asked, about, facts = _case(caller, action, resource, meta)
    held = caller.held
    case = Scope.case(held.get(actor, Actor), asked, about, facts)
    return held.get(policy, Policy).verdict(case).encode()


@lent(action=None, writes=False, waits=False)
def security_policy_id(caller: Caller, policy: int) -> bytes:
    """Return the id of a policy."""
    return caller.held.get(policy, Policy).id.encode()


@lent(action=None, writes=False, waits=False)
def security_actor_id(caller: Caller, actor: int) -> bytes:
    """Return the id of an actor."""
    return caller.held.get(actor, Actor).id.encode("utf-8", "replace")


@lent(action=None, writes=False, waits=False)
def security_actor_meta(caller: Caller, actor: int) -> bytes:
    """Return what is noted of an actor, as JSON."""
    return json.dumps(caller.held.get(actor, Actor).shown_meta, default=str).encode()


@lent(action=None, writes=False, waits=False)
def security_keep(caller: Caller, numbers: bytes) -> None:
    """Forget all but the *numbers*, packed, of which the script still has objects."""
    caller.held.keep(_unpacked(numbers))


def _case(
    caller: Caller, action: bytes, resource: bytes, meta: bytes
) -> tuple[str, str, Mapping[str, Any]]:
    asked = name(action)
    return asked, caller.host.resource_id(asked, name(resource)), _object(meta, MAX_CASE)


def _object(text: bytes, most: int) -> dict[str, Any]:
    if len(text) > most:
        raise Invalid(f"meta has {len(text)} bytes as JSON, more than {most}")
    found = json.loads(text) if text else {}
    if not isinstance(found, dict):
        raise Invalid("meta: names and values expected, got a list")
    return found


def _unpacked(numbers: bytes) -> tuple[int, ...]:
    count = len(numbers) // 8
    return unpack_from(f"<{count}q", numbers)
