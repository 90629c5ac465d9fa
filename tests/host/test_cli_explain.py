"""`moonq explain access`: who may do what, and which policy says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: tasks, kind: queue.queue, driver: mem}
  - {name: mail, kind: queue.queue, driver: mem}
  - {name: handler, kind: function.lua, source: "return function() end"}
  - name: may_mail
    kind: security.policy
    policy: {actions: [queue.publish, queue.publish.queue], resources: app:mail, effect: allow}
  - name: never_tasks
    kind: security.policy
    groups: [post]
    policy:
      actions: "queue.*"
      resources: "app:t*"
      effect: deny
      conditions: [{field: actor.meta.role, operator: ne, value: boss}]
  - name: worker
    kind: queue.consumer
    queue: tasks
    func: handler
    lifecycle:
      security: {actor: {id: clerk, meta: {role: temp}}, policies: [may_mail], groups: [post]}
  - name: other
    kind: queue.consumer
    queue: tasks
    func: handler
    lifecycle: {security: {actor: {id: clerk}, policies: []}}
  - {name: free, kind: queue.consumer, queue: tasks, func: handler}
"""


@pytest.fixture
def explain(tmp_path: Path, moonq: Callable[..., Any]) -> Callable[..., Any]:
    (tmp_path / "_index.yaml").write_text(INDEX)
    return lambda *words: moonq("explain", "access", *words, "-C", tmp_path)


def test_it_shows_each_policy_and_what_of_it_holds(explain: Callable[..., Any]) -> None:
    said = explain("clerk", "queue.info", "tasks", "--entry", "worker")
    assert said.code == 0
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    assert lines[0] == "clerk may not queue.info app:tasks"
    assert "as app:worker _index.yaml:23" in lines
    assert "because app:never_tasks denies it" in lines
    assert (
        'app:never_tasks deny ✓ queue.* ✓ app:t* ✓ actor.meta.role ne "boss" deny _index.yaml:14'
        in lines
    )
    assert (
        "app:may_mail allow ✗ queue.publish, queue.publish.queue ✗ app:mail undefined"
        " _index.yaml:9" in lines
    )


def test_each_service_with_that_actor_is_a_case(explain: Callable[..., Any]) -> None:
    said = json.loads(explain("clerk", "queue.publish", "mail", "--json").out)
    found = {one["entry"]: (one["effect"], one["policy"]) for one in said["cases"]}
    assert found == {"app:worker": ("allow", "app:may_mail"), "app:other": ("undefined", None)}
    assert said["together_with"] == ["queue.publish.queue"]


def test_what_no_policy_allows_is_told_with_what_to_change(explain: Callable[..., Any]) -> None:
    out = explain("clerk", "queue.info", "mail", "--entry", "worker").out
    assert "because  no policy allows it" in out
    assert "add `queue.info` to the actions of app:may_mail (_index.yaml:9)" in out


def test_half_a_right_to_publish_is_told_as_a_refusal(
    explain: Callable[..., Any], tmp_path: Path
) -> None:
    half = INDEX.replace("actions: [queue.publish, queue.publish.queue]", "actions: queue.publish")
    (tmp_path / "_index.yaml").write_text(half)
    out = explain("clerk", "queue.publish", "mail", "--entry", "worker").out
    assert "asked with  queue.publish.queue, which is not allowed, so it is refused" in out


def test_an_action_that_there_is_not_is_told_with_the_one_meant(
    explain: Callable[..., Any], tmp_path: Path
) -> None:
    assert "no such action, did you mean queue.info?" in explain("clerk", "queue.inf", "mail").out
    (tmp_path / "moonq.yaml").write_text("security: {actions: [queue.inf]}")
    assert "no such action; scripts may" in explain("clerk", "queue.inf", "mail").out


@pytest.mark.parametrize(
    ("who", "may", "because"),
    [
        ("app:free", "may", "it has no actor, and security.strict_mode is off"),
        ("console:ada", "may", "moonq:everything allows it"),
        ("moonq", "may", "moonq:everything allows it"),
    ],
)
def test_it_says_of_anybody_why(
    explain: Callable[..., Any], who: str, may: str, because: str
) -> None:
    out = explain(who, "queue.info", "mail").out
    assert out.startswith(f"{who} {may} queue.info app:mail\n")
    assert because in out


def test_a_strict_project_says_no_to_whoever_has_no_rights(
    explain: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "moonq.yaml").write_text("security: {strict_mode: true}")
    out = explain("app:free", "queue.info", "mail").out
    assert out.startswith("app:free may not queue.info app:mail\n")
    assert "it has no actor, and security.strict_mode is on" in out


def test_an_actor_that_nobody_is_is_an_error_with_the_one_meant(
    explain: Callable[..., Any],
) -> None:
    said = explain("clrek", "queue.info", "mail")
    assert said.code == 4
    assert "nobody acts as 'clrek'" in said.err
    assert "did you mean `clerk`?" in said.err


def test_an_action_that_is_none_of_ours_is_evaluated_and_said(explain: Callable[..., Any]) -> None:
    out = explain("clerk", "orders.approve", "42", "--entry", "worker").out
    assert out.startswith("clerk may not orders.approve 42\n")
    assert "moonq asks for no such action" in out
