"""What the script of one state holds of actors, scopes and policies."""

from __future__ import annotations

import pytest

from moonq.errors import Invalid
from moonq.run.calling.context import CallContext
from moonq.run.calling.lending import Caller
from moonq.run.security import Actor, Held, Policy, Rule, Scope
from moonq.run.security.held import MOST, TooManyHeld
from moonq.run.security.scope import MAX_KNOWN_OF_MADE
from moonq.sandbox.watchdog import Guard

CLERK = Actor("clerk")
POLICY = Policy("app:p", Rule(actions=["*"], resources=["*"], effect="allow"))


def test_a_number_is_good_for_its_own_kind_and_its_own_state() -> None:
    mine, others = Held(), Held()
    number = mine.number(CLERK)
    assert mine.get(number, Actor) is CLERK
    assert mine.number(CLERK) == number
    assert mine.number(Actor("clerk")) != number
    others.number(CLERK)
    for held, one, kind in [
        (others, number, Actor),
        (mine, number, Scope),
        (mine, number + 1, Actor),
        (mine, 0, Actor),
        (mine, float(number), Actor),
        (mine, b"1", Actor),
        (mine, None, Actor),
    ]:
        with pytest.raises(Invalid, match=r"was made in the name of another"):
            held.get(one, kind)


def test_a_state_that_runs_in_another_name_has_nothing_left() -> None:
    scope = Scope((POLICY,))
    first = CallContext("app:f", actor=CLERK, scope=scope)
    caller, guard = Caller(first), Guard(None, lambda: None)
    number = caller.held.number(scope)
    caller.enter(first._replace(entry="app:g"), guard)
    assert caller.held.get(number, Scope) is scope
    for other in ({"actor": Actor("clerk")}, {"scope": Scope((POLICY,))}, {"actor": None}):
        number = caller.held.number(caller.context.scope)  # type: ignore[arg-type]
        caller.enter(caller.context._replace(**other), guard)  # type: ignore[arg-type]
        with pytest.raises(Invalid):
            caller.held.get(number, Scope)


def test_what_is_held_is_bounded_and_given_back() -> None:
    held = Held()
    numbers = [held.number(Actor(f"a{at}")) for at in range(MOST)]
    held.number(POLICY)
    with pytest.raises(TooManyHeld):
        held.number(Scope())
    held.keep([*numbers[1:], 7])
    held.number(Scope())
    with pytest.raises(Invalid):
        held.get(numbers[0], Actor)
    assert held.get(numbers[1], Actor).id == "a1"


def test_a_scope_that_a_script_made_remembers_little() -> None:
    scope = Scope((POLICY,)).without("app:x")
    for at in range(3 * MAX_KNOWN_OF_MADE):
        scope.decide(CLERK, "queue.info", f"app:{at}")
    assert len(scope._known) <= MAX_KNOWN_OF_MADE
