"""`moonq check` finds rights that are hardly meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from moonq.checking import check
from moonq.text.findings import Finding

INDEX = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: mails, kind: queue.queue, driver: mem}
  - {name: send, kind: function.lua, source: "return function() end"}
  - name: worker
    kind: queue.consumer
    queue: mails
    func: send
    lifecycle: {security: SECURITY}
  - name: may_mail
    kind: security.policy
    groups: [post]
    policy:
      effect: allow
      resources: [app:mails]
      actions: ACTIONS
"""
BOTH = "[queue.publish, queue.publish.queue]"
OTHER = """\
namespace: other
entries:
  - name: open
    kind: security.policy
    groups: [post]
    policy: {actions: "*", resources: "*", effect: allow}
"""


def found(folder: Path, security: str, actions: str = BOTH, more: str = "") -> list[Finding]:
    text = INDEX.replace("SECURITY", security).replace("ACTIONS", actions)
    (folder / "_index.yaml").write_text(text + more)
    return check(folder, env={}).findings


@pytest.mark.parametrize(
    ("actions", "missing"),
    [
        ("[queue.publish]", "queue.publish.queue"),
        ("queue.publish.queue", "queue.publish"),
    ],
)
def test_half_a_right_to_publish_is_a_warning_with_the_line_to_add(
    tmp_path: Path, actions: str, missing: str
) -> None:
    (finding,) = found(tmp_path, "{policies: [may_mail]}", actions)
    assert (finding.severity, finding.code, finding.place[:2]) == (
        "warning",
        "R223",
        ("_index.yaml", 10),
    )
    assert finding.message.endswith(f"but not `{missing}`: it cannot publish")
    both = f"[{actions.strip('[]')}, {missing}]"
    assert finding.helps == (f"write `actions: {both}` in `app:may_mail` (_index.yaml:17)",)


@pytest.mark.parametrize(
    "more",
    [
        '{actions: "queue.publish.*", resources: "app:*", effect: allow}',
        '{actions: "*", resources: app:mails, effect: deny}',
    ],
)
def test_what_another_policy_of_the_scope_adds_or_denies_anyway_is_none(
    tmp_path: Path, more: str
) -> None:
    more = f"  - {{name: b, kind: security.policy, groups: [post], policy: {more}}}\n"
    assert not found(tmp_path, "{groups: [post]}", "queue.publish", more)


def test_one_of_the_two_on_all_queues_goes_with_the_other_on_a_few(tmp_path: Path) -> None:
    more = """\
  - {name: others, kind: queue.queue, driver: mem}
  - {name: reads, kind: queue.consumer, queue: others, func: send}
  - name: b
    kind: security.policy
    groups: [post]
    policy: {actions: queue.publish, resources: RESOURCES, effect: allow}
"""
    for resources, number in (("'*'", 0), ("[app:mails, app:others]", 1)):
        text = more.replace("RESOURCES", resources)
        findings = found(tmp_path, "{groups: [post]}", "queue.publish.queue", text)
        assert [one.code for one in findings] == ["R223"] * number


def test_an_actor_without_policies_is_a_warning_that_says_what_it_may(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, "{actor: {id: clerk}}")
    assert (finding.severity, finding.code) == ("warning", "R224")
    assert "so it may do everything" in finding.message
    assert not found(tmp_path, "{actor: {id: clerk}, policies: []}")
    (tmp_path / "moonq.yaml").write_text("security: {strict_mode: true}")
    (finding,) = found(tmp_path, "{actor: {id: clerk}}")
    assert "so it may do nothing" in finding.message


def test_a_consumer_without_rights_is_a_warning_in_a_strict_project_only(tmp_path: Path) -> None:
    assert not found(tmp_path, "{}")
    (tmp_path / "moonq.yaml").write_text("security: {strict_mode: true}")
    (finding,) = found(tmp_path, "{}")
    assert (finding.severity, finding.code, finding.place[1]) == ("warning", "R225", 6)


def test_a_bare_group_with_a_namesake_elsewhere_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/_index.yaml").write_text(OTHER)
    (finding,) = found(tmp_path, "{groups: [post]}")
    assert (finding.severity, finding.code) == ("note", "R226")
    assert finding.message == "`post` is `app:post` only: other:post counts no longer"
    assert not found(tmp_path, "{groups: ['app:post']}")
    assert not found(tmp_path, "{groups: ['app:post', 'other:post']}")


def test_a_bare_group_that_only_another_namespace_has_is_a_warning_with_its_id(
    tmp_path: Path,
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/_index.yaml").write_text(OTHER.replace("[post]", "[admin]"))
    (finding,) = found(tmp_path, "{groups: [admin]}")
    assert (finding.severity, finding.code) == ("warning", "R216")
    assert finding.message.startswith("no policy belongs to the group `app:admin`")
    assert finding.helps == ("did you mean `other:admin`?",)
