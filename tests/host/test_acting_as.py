"""`moonq call --as`, and who consoles are."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moonq.errors import Invalid, NotFound
from moonq.host import Host
from moonq.kinds import load
from moonq.operations.performing import Operations

from ..conftest import Said

INDEX = """
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: jobs, kind: queue.queue, driver: mem}
  - {name: mails, kind: queue.queue, driver: mem}
  - name: says
    kind: function.lua
    modules: [queue, security]
    source: |
      local queue, security = require("queue"), require("security")
      return function()
        local actor = security.actor()
        local id, err = queue.publish("mails", 1)
        return { actor:id(), actor:meta().role or "", err and err:kind() or "ok" }
      end
  - name: hands_on
    kind: function.lua
    modules: [funcs, security]
    source: |
      local funcs, security = require("funcs"), require("security")
      return function()
        local caller = funcs.new():with_actor(security.new_actor("ada"))
        return caller:with_scope(security.named_scope("post")):call("says")
      end
  - {name: may_mail, kind: security.policy, groups: [post],
     policy: {actions: "queue.publish*", resources: "app:mails", effect: allow}}
  - {name: looks, kind: security.policy, groups: [eyes],
     policy: {actions: queue.info, resources: "*", effect: allow}}
  - name: reader
    kind: queue.consumer
    queue: jobs
    func: says
    lifecycle: {security: {actor: {id: clerk, meta: {role: temp}}, policies: [looks]}}
  - name: writer
    kind: queue.consumer
    queue: mails
    func: hands_on
    lifecycle: {security: {actor: {id: ann}, groups: [post]}}
  - name: other
    kind: queue.consumer
    queue: jobs
    func: hands_on
    lifecycle: {security: {actor: {id: ann}, groups: [eyes]}}
  - name: own
    kind: queue.consumer
    queue: mails
    func: hands_on
    lifecycle: {security: {groups: [post]}}
"""
Run = Callable[..., Said]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "_index.yaml").write_text(INDEX)
    return tmp_path


@pytest.fixture
def host(shop: Path) -> Host:
    host = Host(load(shop))
    host.start(consumers=False)
    yield host
    host.stop()


def call(host: Host, **fields: Any) -> dict[str, Any]:
    return Operations(host, "console:ada").perform("call", {"function": "says", **fields})


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ({}, ["clerk", "temp", "PERMISSION_DENIED"]),
        ({"actor": "app:writer"}, ["ann", "", "ok"]),
        ({"actor": "app:other"}, ["ann", "", "PERMISSION_DENIED"]),
        ({"actor": "app:own"}, ["app:own", "", "ok"]),
        ({"actor": "clerk"}, ["clerk", "temp", "PERMISSION_DENIED"]),
        ({"actor": "clerk", "groups": ["post"]}, ["clerk", "temp", "ok"]),
        ({"actor": "user:x", "groups": ["app:post"]}, ["user:x", "", "ok"]),
        ({"actor": "user:x", "groups": ["eyes", "post"]}, ["user:x", "", "ok"]),
        ({"actor": "user:x", "groups": ["eyes"]}, ["user:x", "", "PERMISSION_DENIED"]),
        ({"actor": "moonq"}, ["moonq", "", "ok"]),
        ({"actor": "console:bob"}, ["console:bob", "", "ok"]),
    ],
)
def test_a_call_may_do_what_the_one_may_whom_it_names(
    host: Host, fields: dict[str, Any], values: list[str | None]
) -> None:
    found = call(host, **fields)
    assert (found["values"], found["actor"]) == ([values], values[0])


@pytest.mark.parametrize(
    ("fields", "kind", "said", "hint"),
    [
        ({"actor": "clrk"}, NotFound, "nobody acts as 'clrk'", "did you mean `clerk`?"),
        ({"actor": "ann"}, Invalid, "several services act as ann", "app:writer, app:other"),
        ({"actor": "x", "groups": ["pst"]}, NotFound, "no policy is of a group 'pst'", "post"),
        ({"groups": ["post"]}, Invalid, "groups are what an actor may do", "--as ACTOR"),
    ],
)
def test_who_is_meant_must_be_clear(
    host: Host, fields: dict[str, Any], kind: type[Exception], said: str, hint: str
) -> None:
    with pytest.raises(kind, match=said) as raised:
        call(host, **fields)
    assert hint in raised.value.hint  # type: ignore[attr-defined]


def test_it_is_still_a_dry_run_in_whatever_name(host: Host) -> None:
    found = call(host, function="hands_on", consumer="own", actor="moonq")
    assert found["values"] == [["ada", "", "ok"]]
    assert [one["queue"] for one in found["would_publish"]] == ["app:mails"]
    assert host.queues.info("app:mails").message_count == 0


def test_whom_somebody_acts_for_is_logged_in_production(
    shop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (shop / "moonq.yaml").write_text("production: true\n")
    host = Host(load(shop))
    host.start(consumers=False)
    caplog.set_level(logging.WARNING, "moonq.control")
    for fields in ({}, {"actor": "app:writer"}):
        Operations(host, "console:ada").perform(
            "call", {"function": "says", **fields}, read_only=True
        )
    assert caplog.messages == ["console:ada call app:says as app:writer"]
    host.stop()


@pytest.mark.parametrize(
    "words",
    [
        ("call", "says", "--as", "user:x", "--group", "post"),
        ("repl", "-e", 'mq.call("says", nil, { actor = "user:x", groups = { "post" } })'),
        ("repl", "-e", "\\call says --as app:writer"),
        ("repl", "-e", "\\call says --as=app:writer --consumer reader"),
    ],
)
def test_it_is_said_wherever_people_type(moonq: Run, shop: Path, words: list[str]) -> None:
    said = moonq(words[0], "-C", shop, *words[1:])
    assert said.code == 0, said.err
    who = '"ann"' if "app:writer" in " ".join(words) else '"user:x"'
    assert who in said.out
    assert '"ok"' in said.out


def test_a_console_is_its_user(moonq: Run, shop: Path) -> None:
    code = (
        'local s = require("security"); return { s.actor():id(), s.can("queue.publish", "mails") }'
    )
    said = moonq("eval", "-C", shop, "--json", code)
    name, may = json.loads(said.out)
    assert (name.partition(":")[0], may) == ("console", True)
    assert name != "console:"


def test_a_session_that_may_only_look_may_so_in_every_name(moonq: Run, shop: Path) -> None:
    (shop / "moonq.yaml").write_text("production: true\n")
    code = """
    local funcs, security = require("funcs"), require("security")
    local caller = funcs.new():with_actor(security.new_actor("ada"))
    return tostring(select(2, caller:with_scope(security.named_scope("app:post")):call("says")))
    """
    said = moonq("eval", "-C", shop, code)
    assert "this session is read-only" in said.out + said.err


def test_what_the_environment_notes_of_an_actor_counts_and_is_shown_as_written(shop: Path) -> None:
    index = INDEX.replace("role: temp", 'role: "${env:SHOP_ROLE}"').replace(
        'resources: "*", effect: allow}',
        'resources: "*", effect: allow, '
        "conditions: [{field: actor.meta.role, value: s3cret-role}]}",
    )
    (shop / "_index.yaml").write_text(index)
    host = Host(load(shop, env={"SHOP_ROLE": "s3cret-role"}))
    host.start(consumers=False)
    assert call(host)["values"][0][1] == "${env:SHOP_ROLE}"
    asked = {"actor": "clerk", "action": "queue.info", "resource": "mails"}
    (case,) = Operations(host, "x").perform("access", asked)["cases"]
    assert case["allowed"]
    assert "s3cret-role" not in json.dumps(case["actor"])
    host.stop()
