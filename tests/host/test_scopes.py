"""Scopes are values, and what they remember is bounded."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moonq.run.security import Actor, Policy, Rule, Scope
from moonq.run.security.actions import ACTIONS, FOREIGN, above, find, known, spellings
from moonq.run.security.patterns import fits, meet
from moonq.run.security.scope import MAX_KEY, MAX_KNOWN

from .conftest import MakeHost, until

CLERK = Actor("clerk", {"role": "temp"})


def policy(name: str, effect: str, action: str = "*", resource: str = "*") -> Policy:
    return Policy(name, Rule(actions=[action], resources=[resource], effect=effect))  # type: ignore[arg-type]


def test_a_scope_is_never_changed() -> None:
    empty = Scope()
    open_ = empty.with_(policy("a", "allow"))
    shut = open_.with_(policy("b", "deny"))
    again = shut.without("b")
    effects = [one.evaluate(CLERK, "x", "y") for one in (empty, open_, shut, again)]
    assert effects == ["undefined", "allow", "deny", "allow"]
    assert [one.contains("b") for one in (empty, open_, shut, again)] == [False, False, True, False]
    assert open_.with_(policy("a", "deny")).evaluate(CLERK, "x", "y") == "deny"
    assert len(open_.with_(policy("a", "deny")).policies) == 1


def test_an_actor_keeps_what_it_was_made_of() -> None:
    notes = {"role": "temp"}
    actor = Actor("clerk", notes)
    notes["role"] = "boss"
    assert actor == CLERK
    assert actor.meta["role"] == "temp"
    with pytest.raises(TypeError):
        actor.meta["role"] = "boss"  # type: ignore[index]


PATTERNS = st.sampled_from(["*", "a", "a*", "ab", "ab*", "b*", "abc"])
POLICIES = st.lists(
    st.tuples(st.sampled_from(["allow", "deny"]), PATTERNS, PATTERNS), max_size=6
).map(lambda found: [policy(str(at), *one) for at, one in enumerate(found)])
NAMES = st.sampled_from(["a", "ab", "abc", "b", "ba", ""])


@given(POLICIES, NAMES, NAMES)
def test_whoever_denies_goes_first_in_whatever_order(
    policies: list[Policy], action: str, resource: str
) -> None:
    said = {
        one.rule.effect
        for one in policies
        if fits(action, one.rule.actions[0]) and fits(resource, one.rule.resources[0])
    }
    effect = "deny" if "deny" in said else "allow" if said else "undefined"
    for order in (policies, policies[::-1]):
        scope = Scope(tuple(order))
        decision = scope.decide(CLERK, action, resource)
        assert decision.effect == effect
        assert scope.decide(CLERK, action, resource) == decision
        assert (decision.policy is None) == (effect == "undefined")


@given(PATTERNS, PATTERNS)
def test_patterns_meet_where_some_name_fits_both(one: str, other: str) -> None:
    names = [a + b + c for a in ("", "a", "b") for b in ("", "b") for c in ("", "c", "x")]
    found = any(fits(name, one) and fits(name, other) for name in names)
    assert meet(one, other) == found


def test_a_scope_remembers_so_many_decisions_and_none_that_is_long() -> None:
    scope = Scope((policy("a", "allow"),))
    for number in range(3 * MAX_KNOWN):
        scope.decide(CLERK, "x", f"app:{number}")
        assert len(scope._known) <= MAX_KNOWN
    kept = len(scope._known)
    scope.decide(CLERK, "x", "y" * MAX_KEY)
    assert len(scope._known) == kept


def test_what_one_actor_may_is_not_remembered_of_its_namesake() -> None:
    rule = Rule.model_validate(
        {
            "actions": ["*"],
            "resources": ["*"],
            "effect": "allow",
            "conditions": [{"field": "actor.meta.role", "value": "boss"}],
        }
    )
    scope = Scope((Policy("a", rule),))
    boss, temp = Actor("clerk", {"role": "boss"}), CLERK
    for _ in range(2):
        assert scope.evaluate(boss, "x", "y") == "allow"
        assert scope.evaluate(temp, "x", "y") == "undefined"


def test_every_spelling_is_of_one_action_and_none_is_foreign() -> None:
    for row in ACTIONS.values():
        assert spellings(row.name) == (row.name, *row.also)
        assert find(row.name) is row
        assert all(find(one) for one in (*row.also, *above(row.name)))
    for name in known():
        assert not any(fits(name, pattern) for pattern in FOREIGN), name


ENTRIES = """
  - {name: tasks, kind: queue.queue, driver: memory}
  - {name: only, kind: security.policy,
     policy: {actions: registry.read, resources: app:tasks, effect: allow}}
  - name: worker
    kind: queue.consumer
    queue: tasks
    func: handler
    lifecycle: {security: {actor: {id: clerk}, policies: [only]}}
  - name: handler
    kind: function.lua
    source: file://handler.lua
    modules: [queue, registry]
"""


def test_what_is_denied_is_counted_and_what_is_filtered_is_not(
    make_host: MakeHost, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    handler = """
    local queue, registry = require("queue"), require("registry")
    return function()
      for _ = 1, 3 do queue.info("tasks") end
      print("found", #registry.find())
    end
    """
    host = make_host(ENTRIES, handler=handler)
    host.queues.publish(b"app:tasks", b"1")
    until(lambda: not host.queues.info("app:tasks").message_count)
    assert host.metrics.get("denied", "app:handler") == 3
    assert host.report().denied == 3
    assert "found\t1" in [one.getMessage() for one in caplog.records]
