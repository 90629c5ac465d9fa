"""What a policy names and there is not is found before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from moonq.kinds import inspect
from moonq.run.calling.lends import declared
from moonq.run.security.actions import ACTIONS
from moonq.text.findings import Finding

OWN = "one of the project's own stands in moonq.yaml, under `security.actions`"
INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: orders, kind: queue.queue, driver: mem}
  - {name: seen, kind: store.memory}
  - {name: region, kind: env.variable, variable: SHOP_REGION}
  - {name: price, kind: function.lua, source: "return function() end"}
  - name: rule
    kind: security.policy
    policy:
      effect: allow
      actions: ACTIONS
      resources: RESOURCES
"""


def found(folder: Path, actions: str, resources: str) -> list[Finding]:
    text = INDEX.replace("ACTIONS", actions).replace("RESOURCES", resources)
    (folder / "_index.yaml").write_text(text)
    return inspect(folder, env={})[1]


def test_what_scripts_are_lent_asks_for_actions_of_the_table_on_resources_of_their_kind() -> None:
    lent = {(action, one.names) for one in declared() for action in one.actions}
    assert {action for action, _ in lent} <= set(ACTIONS)
    for action, kind in lent:
        kinds = ACTIONS[action].kinds
        assert (kinds is None) == (kind is None), action
        assert kinds is None or kind in kinds, action


def test_every_action_of_the_table_is_asked_for() -> None:
    assert set(ACTIONS) == {action for one in declared() for action in one.actions}


def test_what_conditions_find_in_meta_is_what_the_table_says() -> None:
    for one in declared():
        for action in one.actions:
            told = set(one.meta(b"a", b"b") if one.meta else ())
            assert told == set(ACTIONS[action].meta), action


@pytest.mark.parametrize(
    ("written", "help_"),
    [
        ("[queue.pubish]", "did you mean `queue.publish`?"),
        ("['queue.*', store.raed]", "did you mean `store.read`?"),
        ("queue.pubish", "did you mean `queue.publish`?"),
        ("[queue.publish.queues]", "did you mean `queue.publish.queue`?"),
        ("[store.key.delte]", "did you mean `store.key.delete`?"),
        ("[queues.*]", OWN),
        ("[orders.approve]", OWN),
    ],
)
def test_an_action_that_does_not_exist_is_an_error(
    tmp_path: Path, written: str, help_: str
) -> None:
    (finding,) = found(tmp_path, written, "[nothing]")
    wrong = written.strip("[]").split(", ")[-1]
    assert (finding.severity, finding.code) == ("error", "R217")
    assert finding.message == f"there is no action `{wrong}`"
    assert finding.place[:2] == ("_index.yaml", 12)
    assert finding.helps == (help_,)
    assert help_ != OWN or "the actions are env.read, funcs.call" in finding.notes[0]


def test_an_action_of_the_projects_own_is_declared_in_its_settings(tmp_path: Path) -> None:
    (tmp_path / "moonq.yaml").write_text("security: {actions: ['orders.*', approve]}")
    assert found(tmp_path, "[orders.ship, approve, 'ord*']", "['document:*']") == []
    (finding,) = found(tmp_path, "[aprove, orders.ship]", "['*']")
    assert finding.message == "there is no action `aprove`"


@pytest.mark.parametrize("action", ["process.spawn", "process.*", "network.select", "env.get_all",
    "security.token.create", "registry.apply", "fs.get"])  # fmt: skip
def test_an_action_that_only_another_system_asks_for_is_a_note(tmp_path: Path, action: str) -> None:
    (finding,) = found(tmp_path, f"['{action}', queue.info]", "['*']")
    assert (finding.severity, finding.code) == ("note", "R219")
    assert f"nothing here asks for `{action}`" in finding.message


@pytest.mark.parametrize("pattern", ["*.read", "queue.*.queue", "**"])
def test_a_star_that_is_not_at_the_end_is_an_error(tmp_path: Path, pattern: str) -> None:
    for actions, resources in ((f"['{pattern}']", "'*'"), ("'*'", f"'{pattern}'")):
        (finding,) = found(tmp_path, actions, resources)
        assert (finding.severity, finding.code) == ("error", "R207")
        assert "has a `*` before its end" in finding.message


@pytest.mark.parametrize(
    ("actions", "resource", "help_"),
    [
        ("[queue.publish]", "app:ordres", "did you mean `app:orders`?"),
        ("[queue.publish]", "orders", "did you mean `app:orders`?"),
        ("[queue.publish]", "ordres", "did you mean `app:orders`?"),
        ("[queue.publish]", "app:price", ""),
        ("[funcs.call]", "'shop:*'", ""),
        ("[env.read]", "SHOP_REGION", "did you mean `app:region`?"),
        ("['store.*']", "app:sen", "did you mean `app:seen`?"),
    ],
)
def test_a_resource_that_matches_nothing_is_a_warning(
    tmp_path: Path, actions: str, resource: str, help_: str
) -> None:
    (finding,) = found(tmp_path, actions, f"['*', {resource}]")
    assert (finding.severity, finding.code, finding.place[1]) == ("warning", "R218", 13)
    assert f"`{resource.strip(chr(39))}`, so this rule is about nothing" in finding.message
    assert finding.helps == ((help_,) if help_ else ())


@pytest.mark.parametrize(
    ("actions", "resources"),
    [
        ("['*']", "['*']"),
        ("['queue.*', funcs.call]", "[app:orders, app:orders.dead, app:price, 'app:*']"),
        ("[registry.read]", "[app:rule]"),
        ("queue.*", "app:orders"),
        ("'*'", "'app:o*'"),
        ("[store.read, env.get]", "[app:region, app:seen]"),
        ("[store.write]", "['*']"),
    ],
)
def test_what_there_is_is_no_finding(tmp_path: Path, actions: str, resources: str) -> None:
    assert found(tmp_path, actions, resources) == []


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("{field: actor.role, value: x}", "did you mean `actor.meta.role`?"),
        ("{field: meta., value: x}", "must be `action`, `resource`"),
        ("{field: resorce, value: x}", "did you mean `resource`?"),
        ("{field: meta.a}", "`eq` compares with nothing"),
        ("{field: meta.a, value: 1, value_from: actor.id}", "stand side by side"),
        ("{field: meta.a, value_from: actor.name}", "did you mean `actor.meta.name`?"),
        ("{field: meta.a, operator: nin, value: x}", "`value` of `nin` must be a list"),
        ("{field: meta.a, value: null}", "compares with null, which no fact is"),
        ("{field: meta.a, operator: ne, value: null}", "`exists` and `nexists` ask"),
        ("{field: actor.met.role, value: x}", "did you mean `actor.meta.role`?"),
        ("{field: meta.a, operator: lt, value: [1]}", "must be a number or a text"),
        ("{field: meta.a, operator: gte, value: true}", "must be a number or a text"),
        (
            "{field: resource, operator: matches, value: '^app:.*'}",
            "a regular expression it is not",
        ),
        ("{field: resource, operator: nmatches, value: '*:secret'}", "a `*` at its end or none"),
        (
            "{field: meta.a, operator: exists, value: yes please}",
            "takes no value, or true or false",
        ),
        ("{field: meta.a, operator: nexists, value_from: actor.id}", "takes no value"),
        ("{field: meta.a, operator: equals, value: 1}", "operator"),
    ],
)
def test_a_condition_that_cannot_be_meant_is_an_error(
    tmp_path: Path, condition: str, said: str
) -> None:
    (finding,) = found(tmp_path, "'*'", f"'*'\n      conditions: [{condition}]")
    assert finding.severity == "error"
    assert finding.place[1] == 14
    assert said in " ".join((finding.message, *finding.helps))
