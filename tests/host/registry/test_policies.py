"""What a policy names and there is not is found before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from moonq.kinds import inspect
from moonq.run.calling.lends import actions
from moonq.text.findings import Finding

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


def test_every_lent_action_is_known() -> None:
    assert {action: set(kinds) for action, kinds in actions().items()} == {
        "env.read": {"env.variable"},
        "funcs.call": {"function.lua"},
        "module.call": {"module.python"},
        "queue.info": {"queue.queue"},
        "queue.publish": {"queue.queue"},
        "registry.read": {""},
        "sql.execute": {"sql.database"},
        "sql.query": {"sql.database"},
        "store.read": {"store."},
        "store.write": {"store."},
    }


@pytest.mark.parametrize(
    ("written", "help_"),
    [
        ("[queue.pubish]", "did you mean `queue.publish`?"),
        ("['queue.*', store.raed]", "did you mean `store.read`?"),
        ("[queues.*]", ""),
        ("[process.spawn]", ""),
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
    assert finding.helps == ((help_,) if help_ else ())
    assert help_ or "the actions are env.read, funcs.call" in finding.notes[0]


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
        ("['*.read']", "[app:region, app:seen]"),
        ("[store.write]", "['*:seen']"),
        ("[store.write]", "['*']"),
    ],
)
def test_what_there_is_is_no_finding(tmp_path: Path, actions: str, resources: str) -> None:
    assert found(tmp_path, actions, resources) == []
