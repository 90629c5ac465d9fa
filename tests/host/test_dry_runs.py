"""A dry run tells what would be written, lets the rest of the run see it, and writes nothing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moonq.host import CallResult, Host
from moonq.kinds import load
from moonq.model import Message
from moonq.operations.acting import call_object
from moonq.operations.performing import Operations
from moonq.run.calling import lends, trying
from moonq.run.calling.lending import Lent
from moonq.run.calling.lends import store

INDEX = """
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: jobs, kind: queue.queue, driver: mem, retry: {max_attempts: 1}}
  - {name: mails, kind: queue.queue, driver: mem}
  - {name: small, kind: queue.queue, driver: mem, options: {max_length: 2}}
  - {name: heavy, kind: queue.queue, driver: mem, max_bytes: 2KiB}
  - {name: rolling, kind: queue.queue, driver: mem, options: {max_length: 2, overflow: drop_oldest}}
  - name: patient
    kind: queue.queue
    driver: mem
    publish_timeout: 50ms
    options: {max_length: 1, overflow: block}
  - {name: seen, kind: store.memory}
  - {name: file, kind: store.sqlite}
  - {name: main, kind: function.lua, source: file://main.lua, modules: [funcs, json, queue, store]}
  - {name: mail, kind: function.lua, source: file://mail.lua, modules: [queue, store]}
  - {name: deeper, kind: function.lua, source: file://deeper.lua, modules: [funcs]}
  - name: counter
    kind: function.lua
    source: "local n = 0; return function() n = n + 1; return n end"
  - name: worker
    kind: queue.consumer
    queue: jobs
    func: main
    lifecycle: {security: {actor: {id: worker}, policies: [most, no_jobs]}}
  - name: most
    kind: security.policy
    policy: {actions: ["*"], resources: ["*"], effect: allow}
  - name: no_jobs
    kind: security.policy
    policy: {actions: ["queue.*"], resources: ["app:j*"], effect: deny}
"""
MAIL = """
local queue, store = require("queue"), require("store")
return function(to)
  store.open("app:seen"):incr("mails")
  return queue.publish("app:mails", { to = to }, { source = "shop" }, { delay = "5m" })
end
"""
DEEPER = "return function(to) return require('funcs').call('app:mail', to) end"
HEAD = """
local json = require("json")
local funcs, queue, store = require("funcs"), require("queue"), require("store")
local seen = store.open("app:seen")
"""
Run = Callable[..., CallResult]
LENT = lends.declared()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    (tmp_path / "_index.yaml").write_text(INDEX)
    (tmp_path / "main.lua").write_text("return function() end")
    (tmp_path / "mail.lua").write_text(MAIL)
    (tmp_path / "deeper.lua").write_text(DEEPER)
    host = Host(load(tmp_path))
    host.start(consumers=False)
    yield host
    host.stop()


@pytest.fixture
def run(host: Host, tmp_path: Path) -> Run:
    """Call Lua text as the body of app:main; dry, where nothing else is said."""

    def run(text: str, *, send: bool = False, **how: Any) -> CallResult:
        (tmp_path / "main.lua").write_text(f"{HEAD}\nreturn function(body)\n{text}\nend\n")
        host.reload()
        result = host.call("app:main", "7", send=send, record=send, **how)
        assert result.fault is None or how, result.fault
        return result

    return run


def waiting(host: Host, queue: str) -> int:
    return host.queues.info(queue).message_count or 0


@pytest.mark.parametrize("function", ["app:mail", "app:deeper"])
def test_what_is_called_publishes_and_writes_as_little(host: Host, run: Run, function: str) -> None:
    text = f"return funcs.call('{function}', 'ada'), seen:get('mails')"
    for _ in range(3):
        result = run(text)
        assert result.values[1] == 1
        [publication] = result.published
        assert publication[0:1] + publication[2:] == (
            "app:mails",
            b'{"to":"ada"}',
            {"source": "shop"},
            {"delay": 300.0},
        )
    assert waiting(host, "app:mails") == 0


def test_a_replay_has_the_id_of_its_letter(host: Host, run: Run) -> None:
    letters = host.queues.route("app:jobs.dead")
    letters.driver.publish(
        letters.spec.name, [Message("m", b"7", 0.0, {"x_original_queue": "app:jobs"})], 0.0
    )
    run("return queue.message() and queue.message():reject(queue.message():id())")
    found = Operations(host, "test").replay(message="m", queue="jobs")
    assert (found["verdict"], found["reason"]) == ("dead", "rejected")
    run("assert(not queue.message() or queue.message():id() == 'm')")
    assert Operations(host, "test").replay(message="m", queue="jobs")["error"] is None
    assert host.services.stores["app:seen"].get("mails") is None


def test_the_queues_own_retry_policy_publishes_as_little(
    host: Host, tmp_path: Path, run: Run
) -> None:
    own = INDEX.replace("{max_attempts: 1}", "{policy: mail}")
    (tmp_path / "_index.yaml").write_text(own)
    result = run("return nil, 'no'", as_message=True)
    assert result.judged()["verdict"] == "retry"
    assert [one.queue for one in result.published] == ["app:mails"]
    assert waiting(host, "app:mails") == 0


def test_a_state_that_was_used_in_a_dry_run_is_a_real_one_again(host: Host, run: Run) -> None:
    run("return funcs.call('app:mail', 1)")
    assert run("return funcs.call('app:mail', 1)", send=True).is_dry is False
    assert waiting(host, "app:mails") == 1
    run("return funcs.call('app:mail', 1)")
    assert waiting(host, "app:mails") == 1


def test_a_dry_run_leaves_nothing_in_the_variables_of_what_it_calls(run: Run) -> None:
    counted = [run("return funcs.call('app:counter')").values for _ in range(3)]
    assert counted == [[1], [1], [1]]
    assert run("return funcs.call('app:counter')", send=True).values == [1]


def test_a_replay_publishes_nothing_either(host: Host, run: Run) -> None:
    letters = host.queues.route("app:jobs.dead")
    letters.driver.publish(
        letters.spec.name, [Message("m", b"7", 0.0, {"x_original_queue": "app:jobs"})], 0.0
    )
    text = "assert(queue.message():queue() == 'app:jobs') funcs.call('app:deeper', body)"

    assert run(text, as_message=True).judged()["verdict"] == "ack"
    found = Operations(host, "test").replay(message="m", queue="jobs")
    assert found["error"] is None
    assert [one["queue"] for one in found["would_publish"]] == ["app:mails"]
    assert waiting(host, "app:mails") == 0


def use_policy(host: Host, tmp_path: Path, text: str) -> None:
    """Let app:main fail, and app:jobs have a policy of its own."""
    (tmp_path / "policy.lua").write_text(f"{HEAD}\nreturn function(failure)\n{text}\nend\n")
    (tmp_path / "main.lua").write_text("return function() return false end")
    added = "  - {name: own, kind: function.lua, source: file://policy.lua, modules: [MODULES]}\n"
    added = added.replace("MODULES", "funcs, json, queue, store")
    own = INDEX.replace("{max_attempts: 1}", "{policy: own}") + added
    (tmp_path / "_index.yaml").write_text(own)
    host.reload()


def test_the_queues_own_policy_writes_as_little(host: Host, tmp_path: Path) -> None:
    use_policy(host, tmp_path, 'funcs.call("app:mail", 1) return 7')
    letters = host.queues.route("app:jobs.dead")
    letters.driver.publish(
        letters.spec.name, [Message("m", b"7", 0.0, {"x_original_queue": "app:jobs"})], 0.0
    )
    operations = Operations(host, "test")
    called = operations.call(function="app:main", argument="7", as_message=True)
    replayed = operations.replay(message="m", queue="jobs")
    for found in (called, replayed):
        assert (found["verdict"], found["delay"]) == ("retry", 7.0)
        assert [one["queue"] for one in found["would_publish"]] == ["app:mails"]
        assert [one["key"] for one in found["would_write"]] == ["mails"]
    assert waiting(host, "app:mails") == 0
    assert host.services.stores["app:seen"].get("mails") is None


def test_a_call_as_a_message_has_the_time_limit_of_its_consumer(
    host: Host, run: Run, tmp_path: Path
) -> None:
    text = INDEX.replace("    func: main\n", "    func: main\n    timeout: 100ms\n")
    (tmp_path / "_index.yaml").write_text(text)
    found = run("while true do end", as_message=True)
    assert found.fault is not None
    assert (found.fault.kind, found.fault.message) == ("TIMEOUT", "stopped after 100ms (timeout)")


@pytest.fixture
def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a delete in a store be a write that no dry run can capture."""
    own = store.store_delete

    def change(one: Lent) -> Lent:
        return replace(one, captured=False) if one is own else one

    changed = {one.name: change(one) for one in LENT}
    monkeypatch.setattr(lends, "_by_name", lambda: changed)


@pytest.mark.usefixtures("untried")
@pytest.mark.parametrize(
    "text",
    [
        "pcall(function() seen:delete('a') end) seen:set('b', 1)",
        "coroutine.wrap(function() seen:delete('a') end)() seen:set('b', 1)",
        "funcs.call('app:mail', 1) seen:set('b', 1)",
    ],
)
def test_a_dry_run_ends_where_it_cannot_know_the_answer(
    run: Run, tmp_path: Path, text: str
) -> None:
    (tmp_path / "mail.lua").write_text("""
        local seen = require("store").open("app:seen")
        return function() pcall(seen.delete, seen, "a") end
    """)
    plain, judged = run(text, headers=None), run(text, as_message=True)
    for result in (plain, judged):
        assert result.unknown == "call store_delete"
        assert result.fault is None
        assert result.written == []
    found = judged.judged()
    assert (found["verdict"], found["delay"], found["reason"]) == ("unknown", None, "")
    assert run(text, send=True).fault is None


@pytest.mark.usefixtures("untried")
def test_what_a_policy_cannot_know_is_unknown_too(host: Host, tmp_path: Path) -> None:
    use_policy(host, tmp_path, "pcall(seen.delete, seen, 'a') return 7")
    found = host.call("app:main", "1", as_message=True, send=False)
    assert found.judged()["verdict"] == "unknown"
    assert found.unknown == "call store_delete"


def test_a_function_that_takes_too_long_to_load_is_a_call_that_failed(
    host: Host, tmp_path: Path
) -> None:
    (tmp_path / "main.lua").write_text("while true do end")
    (tmp_path / "_index.yaml").write_text(
        INDEX.replace(
            "source: file://main.lua", "source: file://main.lua, limits: {timeout: 100ms}"
        )
    )
    host.reload()
    found = host.call("app:main", "1", send=False)
    assert found.fault is not None
    assert found.fault.kind == "TIMEOUT"


def test_a_call_that_fails_has_used_memory_too(run: Run) -> None:
    found = run("error('no')", headers=None)
    assert found.fault is not None
    assert found.memory > 0


PUBLISHES = {
    "a key that was used": """
      local one = queue.publish("app:mails", 1, nil, { dedup_key = "k" })
      local two = queue.publish("app:mails", 2, nil, { dedup_key = "k" })
      local other = queue.publish("app:jobs", 2, nil, { dedup_key = "k" })
      local batch = queue.publish_batch("app:mails", {
        { body = 3, options = { dedup_key = "k" } },
        { body = 4, options = { dedup_key = "l" } },
      })
      return one == two, one ~= other, batch[1].id == one, queue.info("app:mails").ready
    """,
    "what it has published": """
      for _ = 1, 2 do queue.publish("app:mails", 1) end
      queue.publish("app:mails", 1, nil, { delay = "1m" })
      local info = queue.info("app:mails")
      return info.ready, info.delayed, info.message_count, queue.info("app:jobs").message_count
    """,
    "a queue that is full": """
      queue.publish("app:small", 1, nil, { delay = "1m" })
      queue.publish("app:small", 1)
      local _, err = queue.publish("app:small", 1)
      local batch = queue.publish_batch("app:small", { { body = 3 } })
      return err:kind(), err:message(), err:retryable(), batch[1].err:kind()
    """,
    "a queue that is full of bytes": """
      queue.publish("app:heavy", ("x"):rep(900))
      local _, err = queue.publish("app:heavy", ("x"):rep(900))
      return err:kind(), err:message(), queue.info("app:heavy").bytes
    """,
    "a queue that drops its oldest": """
      for _ = 1, 3 do assert(queue.publish("app:rolling", 1)) end
      return queue.info("app:rolling").ready
    """,
    "what a queue with nothing to drop refuses": """
      for _ = 1, 2 do assert(queue.publish("app:rolling", 1, nil, { delay = "1m" })) end
      local _, err = queue.publish("app:rolling", 1)
      return err:kind()
    """,
}


@pytest.mark.parametrize("text", PUBLISHES.values(), ids=PUBLISHES.keys())
def test_later_publishes_of_a_run_see(run: Run, text: str) -> None:
    dry = run(text)
    again = run(text)
    real = run(text, send=True)
    assert dry.values == again.values == real.values
    assert [one.body for one in dry.published] == [one.body for one in real.published]


def test_a_queue_that_is_full_already_refuses_a_dry_run_and_a_dry_publish(
    host: Host, run: Run
) -> None:
    route = host.queues.route("app:small")
    route.driver.publish(route.spec.name, [Message("a", b"1", 0.0)], 0.0)
    publish = "local id, err = queue.publish('app:small', 1) return err and err:kind()"
    assert run(f"queue.publish('app:small', 1) {publish}").values == ["RATE_LIMITED"]
    messages = [{"json": "1"}, {"json": "2"}]
    found = Operations(host, "test").publish(queue="small", messages=messages, dry_run=True)
    kinds = [one.get("error", {}).get("kind") for one in found["answers"]]
    assert kinds == [None, "RATE_LIMITED"]


def test_a_publish_that_may_wait_for_a_place_is_taken_for_patient(run: Run) -> None:
    text = "return queue.publish('app:patient', 1), queue.publish('app:patient', 2)"
    assert len(run(text).published) == 2


def test_later_reads_of_a_run_see_what_it_has_written(host: Host, run: Run) -> None:
    host.services.stores["app:seen"].set("old", b'"real"', None)
    host.services.stores["app:seen"].set("count", b"40", None)
    result = run("""
      local before = { seen:get("old"), seen:incr("count", 2) }
      assert(seen:set("new", { 1 }, { ttl = "1h" }))
      local deleted, again = seen:delete("old"), seen:delete("old")
      local old = seen:get("old") or json.null
      return { before, seen:keys(), seen:get("new"), old, seen:incr("count") }, deleted, again
    """)
    seen = [["real", 42], ["count", "new"], [1], None, 43]
    assert result.values == [seen, True, False]
    assert [(one["action"], one["key"]) for one in result.written] == [
        ("incr", "count"),
        ("set", "new"),
        ("delete", "old"),
        ("delete", "old"),
        ("incr", "count"),
    ]
    assert result.written[1] == {
        "store": "app:seen",
        "action": "set",
        "key": "new",
        "value": [1],
        "ttl": 3600.0,
    }
    store = host.services.stores["app:seen"]
    assert (store.get("old"), store.get("count"), store.keys("")) == (
        b'"real"',
        b"40",
        ["count", "old"],
    )


def test_a_run_writes_into_a_store_without_a_bound(run: Run) -> None:
    result = run("""
      local file = store.open("app:file")
      return file:once("key", "1h", function() return file:set("more", 1) end), file:incr("count")
    """)
    assert result.values == [True, 1]
    assert [one["key"] for one in result.written] == ["key", "more", "key", "count"]


@pytest.mark.parametrize(
    "publish",
    [
        "queue.publish('app:mails', ('x'):rep(300 * 1024))",
        "queue.publish('app:nails', 1)",
        "queue.publish('app:mails', 1, { x_mine = 1 })",
        "queue.publish('app:mails', 1, nil, { ttl = 0 })",
        "queue.publish('app:mails', 1, nil, { id = ('ü'):rep(200) })",
        "queue.publish('app:mails', 1, nil, { dely = 1 })",
    ],
)
def test_a_refusal_is_the_same_as_of_a_real_publish(run: Run, publish: str) -> None:
    text = f"local id, err = {publish} return id == nil, err:kind(), err:message()"
    dry, real = run(text), run(text, send=True)
    assert dry.values[0] is True
    assert dry.values == real.values
    assert dry.published == real.published == []


def test_a_call_as_a_message_has_the_scope_and_the_queue_of_its_consumer(run: Run) -> None:
    text = "local _, err = queue.publish('app:jobs', 1) assert(err, 'allowed') error(err)"
    denied = run(text, as_message=True)
    assert denied.fault is not None
    assert denied.fault.kind == "PERMISSION_DENIED"
    assert run("return (assert(queue.publish('app:jobs', 1)))").published


def test_later_looks_at_a_queue_count_what_the_run_has_published(host: Host, run: Run) -> None:
    text = """
      queue.publish("app:mails", 1)
      queue.publish("app:mails", 2, nil, { delay = "1h" })
      queue.publish("app:mails", 3, nil, { at = 5 })
      queue.publish("app:jobs", 4)
      local info = queue.info("app:mails")
      return info.ready, info.delayed, info.message_count
    """
    assert run(text).values == run(text, send=True).values == [2, 1, 3]
    assert waiting(host, "app:mails") == 3


@pytest.mark.parametrize("send", [False, True])
def test_a_duplicate_has_the_id_of_the_first_and_is_not_listed(run: Run, send: bool) -> None:
    result = run(
        """
        local once = { dedup_key = "k" }
        local first = queue.publish("app:mails", 1, nil, once)
        assert(queue.publish("app:jobs", 1, nil, once) ~= first)
        return first == queue.publish("app:mails", 2, nil, once)
        """,
        send=send,
    )
    assert result.values == [True]
    assert [(one.queue, one.body) for one in result.published] == [
        ("app:mails", b"1"),
        ("app:jobs", b"1"),
    ]


def test_a_ttl_that_would_not_count_is_not_told(host: Host, run: Run) -> None:
    host.services.stores["app:seen"].set("old", b"1", None)
    ttl = "{ ttl = '1m' }"
    result = run(
        f"seen:incr('old', 1, {ttl}) seen:incr('new', 1, {ttl}) seen:incr('new', 1, {ttl})"
    )
    assert [one.get("ttl") for one in result.written] == [None, 60.0, None]


def test_a_function_whose_file_never_ends_is_stopped(host: Host, tmp_path: Path) -> None:
    source, limits = "source: while true do end", "limits: {timeout: 50ms}"
    index = f"{INDEX}  - {{name: endless, kind: function.lua, {source}, {limits}}}\n"
    (tmp_path / "_index.yaml").write_text(index)
    host.reload()
    for as_message in (False, True):
        result = host.call("app:endless", as_message=as_message, send=False)
        assert result.fault is not None
        assert (result.fault.kind, result.fault.message) == ("TIMEOUT", "stopped (timeout)")


def test_a_call_as_a_message_has_the_time_of_its_consumer(
    host: Host, tmp_path: Path, run: Run
) -> None:
    index = INDEX.replace("    func: main\n", "    func: main\n    timeout: 50ms\n")
    (tmp_path / "_index.yaml").write_text(index)
    fault = run("while true do end", as_message=True).fault
    assert fault is not None
    assert fault.message == "stopped after 50ms (timeout)"


def test_what_was_really_published_is_listed_as_such(run: Run) -> None:
    result = run(
        "return queue.publish_batch('app:mails', { { body = 1 }, { body = 2 } })", send=True
    )
    assert [one.body for one in result.published] == [b"1", b"2"]
    assert result.is_dry is False


def test_values_are_shown_without_nils_at_the_end_and_errors_without_their_insides(
    run: Run,
) -> None:
    assert run("return 1, nil, 2, nil, nil").values == [1, None, 2]
    assert run("return nil, nil").values == []
    err = "errors.new({ kind = errors.INVALID, message = 'no' })"
    shown = {"kind": "INVALID", "message": "no"}
    assert run(f"return 1, {err}").values == [1, shown]
    assert run(f"return {{ all = {{ {err} }} }}").values == [{"all": [shown]}]


def test_the_answer_is_plain_data(run: Run) -> None:
    told = call_object(run("return funcs.call('app:mail', 'ada')"))
    assert json.loads(json.dumps(told))["would_publish"] == [
        {
            "queue": "app:mails",
            "body": '{"to":"ada"}',
            "headers": {"source": "shop"},
            "options": {"delay": 300.0},
        }
    ]
    assert told["would_write"][0]["action"] == "incr"


def test_what_ends_a_call_ends_what_it_called(host: Host, run: Run, tmp_path: Path) -> None:
    (tmp_path / "mail.lua").write_text("return function() while true do end end")
    ended = threading.Timer(0.3, host.stop_now)
    ended.start()
    began = time.monotonic()
    result = run("funcs.call('app:deeper', 1)", as_message=True)
    assert time.monotonic() - began < 5.0
    assert result.fault is not None
    assert result.fault.kind == "CANCELED"


def test_a_dry_run_keeps_no_more_log_lines_than_it_has_room_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "MAX_LOGS", 1000)
    result = run("for _ = 1, 1000 do print(('x'):rep(100)) end")
    assert len(result.logs) < 11
    assert result.logs[-1].message.endswith("log lines: further ones are left out")


@pytest.mark.parametrize(
    "write", ['queue.publish("app:mails", ("x"):rep(100))', 'seen:set("key", ("x"):rep(100))']
)
def test_a_dry_run_keeps_no_more_writes_than_it_has_room_for(
    run: Run, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    monkeypatch.setattr(trying, "MAX_KEPT", 1000)
    result = run(f"local ok, err for _ = 1, 100 do ok, err = {write} end return tostring(err)")
    [why] = result.values
    assert "a dry run keeps at most 1000 bytes of what it would write" in why
    assert len(result.published) + len(result.written) < 11
