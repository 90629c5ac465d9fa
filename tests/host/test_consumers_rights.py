"""A call by hand may do what the consumer may that would run the function, and nothing more."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from moonq.drivers.letters import X_ORIGINAL_QUEUE
from moonq.host import Host
from moonq.kinds import load
from moonq.model import Message
from moonq.operations.performing import Operations

from ..conftest import Said

INDEX = """
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: jobs, kind: queue.queue, driver: mem}
  - {name: mails, kind: queue.queue, driver: mem}
  - {name: pay, kind: function.lua, source: file://pay.lua, modules: [queue]}
  - {name: only, kind: function.lua, source: file://pay.lua, modules: [queue]}
  - {name: free, kind: queue.consumer, queue: jobs, func: pay}
  - name: tied
    kind: queue.consumer
    queue: jobs
    func: pay
    lifecycle: {security: {actor: {id: clerk}, policies: [looks]}}
  - {name: looks, kind: security.policy,
     policy: {actions: [queue.info], resources: ["*"], effect: allow}}
  - {name: single, kind: queue.queue, driver: mem}
  - name: single.worker
    kind: queue.consumer
    queue: single
    func: only
    lifecycle: {security: {actor: {id: clerk}, policies: [looks]}}
"""
PAY = 'local queue = require("queue")\nreturn function() return queue.publish("mails", 1) end\n'
DENIED = "clerk may not queue.publish app:mails: no policy allows it"
Run = Callable[..., Said]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "_index.yaml").write_text(INDEX)
    (tmp_path / "pay.lua").write_text(PAY)
    return tmp_path


@pytest.mark.parametrize("more", [[], ["--as-message"], ["--send"], ["--as-message", "--send"]])
def test_the_only_consumers_policies_hold(moonq: Run, shop: Path, more: list[str]) -> None:
    said = moonq("-C", shop, "call", "only", "1", "--json", *more)
    document = json.loads(said.out)
    assert (said.code, document["consumer"]) == (1, "app:single.worker")
    assert document["error"]["kind"] == "PERMISSION_DENIED"
    assert document["error"]["message"].startswith(DENIED)
    assert document["verdict"] == ("dead" if "--as-message" in more else "")


@pytest.mark.parametrize(
    "words",
    [
        ("call", "pay", "1"),
        ("call", "pay", "1", "--as-message"),
        ("repl", "-e", "\\call pay 1"),
        ("repl", "-e", 'assert(mq.call("pay", 1))'),
    ],
)
def test_of_several_consumers_one_must_be_named(moonq: Run, shop: Path, words: list[str]) -> None:
    said = moonq(words[0], "-C", shop, *words[1:])
    assert said.code == 1
    for expected in ("app:pay has several consumers: app:free, app:tied", "--consumer ID"):
        assert expected in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("call", "pay", "1", "--as-message", "--consumer", "CONSUMER"),
        ("repl", "-e", '\\call pay "a --send of" --as-message --consumer CONSUMER'),
        ("repl", "-e", "\\call pay {1} --consumer=app:CONSUMER --as-message"),
        ("repl", "-e", 'mq.call("pay", 1, { as_message = true, consumer = "CONSUMER" })'),
    ],
)
def test_the_one_that_is_named_decides(moonq: Run, shop: Path, words: list[str]) -> None:
    for consumer, is_denied in (("free", False), ("tied", True)):
        said = moonq(words[0], "-C", shop, *(w.replace("CONSUMER", consumer) for w in words[1:]))
        shown = said.out + said.err
        assert (DENIED in shown) == is_denied, shown
        assert ("would ack" in shown or 'verdict = "ack"' in shown) != is_denied, shown


def test_a_consumer_of_something_else_is_refused(moonq: Run, shop: Path) -> None:
    said = moonq("call", "-C", shop, "pay", "1", "--consumer", "single.worker")
    assert "app:single.worker has nothing to do with app:pay" in said.err
    assert "name one of app:free, app:tied" in said.err
    said = moonq("call", "-C", shop, "pay", "1", "--consumer", "fre")
    assert "did you mean `free`?" in said.err


@pytest.fixture
def host(shop: Path) -> Host:
    host = Host(load(shop))
    host.start(consumers=False)
    letters = host.queues.route("app:jobs.dead")
    letters.driver.publish(
        letters.spec.name, [Message("m", b"7", 0.0, {X_ORIGINAL_QUEUE: "app:jobs"})], 0.0
    )
    return host


def test_a_replay_is_run_as_the_consumer_that_is_named(host: Host) -> None:
    person = Operations(host, "test")
    for consumer, verdict in (("free", "ack"), ("tied", "dead")):
        found = person.perform("replay", {"message": "m", "queue": "jobs", "consumer": consumer})
        assert (found["verdict"], found["consumer"]) == (verdict, f"app:{consumer}")
    with pytest.raises(Exception, match="app:jobs has several consumers: app:free, app:tied"):
        person.perform("replay", {"message": "m", "queue": "jobs"})
    host.stop()


def test_a_dry_run_shows_what_was_refused_in_its_own_logs(
    moonq: Run, shop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = moonq("call", "-C", shop, "only", "1", "--json")
    (line,) = json.loads(said.out)["logs"]
    assert (line["level"], line["message"]) == ("warn", f"denied: {DENIED}")
    assert line["fields"] == {
        "actor": "clerk",
        "action": "queue.publish",
        "resource": "app:mails",
        "policy": None,
    }
    assert not [one for one in caplog.records if one.name == "moonq.security"]
