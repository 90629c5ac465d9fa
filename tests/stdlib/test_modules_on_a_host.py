"""What the modules that need a host do there: they publish, wait, log, keep values, call others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from moonq.run.calling.lends import registry

PROJECT = """
namespace: app
entries:
  - {name: file, kind: queue.driver.sqlite}
  - {name: tasks, kind: queue.queue, driver: file}
  - {name: values, kind: store.memory}
  - {name: bounded, kind: store.memory, max_bytes: 2KiB}
  - {name: region, kind: env.variable, variable: SHOP_REGION, default: eu}
  - {name: unset, kind: env.variable, variable: SHOP_UNSET}
  - {name: echo, kind: function.lua, source: "return function(...) return ... end"}
  - name: refuse
    kind: function.lua
    source: >-
      return function()
        return nil, errors.new({ kind = errors.CONFLICT, message = "taken", retryable = false })
      end
  - name: main
    kind: function.lua
    source: file://main.lua
    modules: [env, errors, funcs, json, logger, queue, registry, store, time]
"""
HEAD = """
local env, errors, funcs = require("env"), require("errors"), require("funcs")
local json, logger, queue = require("json"), require("logger"), require("queue")
local registry, store, time = require("registry"), require("store"), require("time")

--- An error as a test can see it.
local function told(err)
  return { kind = err:kind(), message = err:message(), retryable = err:retryable() }
end

return function()
  local _ = { env, errors, funcs, json, logger, queue, registry, store, time, told }
"""

Run = Callable[..., Any]


@pytest.fixture
def call(tmp_path: Path, moonq: Callable[..., Any]) -> Run:
    """Call Lua text as a function's body on a host, as the command line does; tells all of it."""
    (tmp_path / "_index.yaml").write_text(PROJECT)

    def call(text: str, *arguments: str) -> Any:
        (tmp_path / "main.lua").write_text(f"{HEAD}\n{text}\nend\n")
        said = moonq("call", "app:main", *arguments, "-C", tmp_path, "--json")
        assert said.code == 0, said
        return json.loads(said.out)

    return call


@pytest.fixture
def run(call: Run) -> Run:
    """Run Lua text as a function's body on a host; returns what it returns."""
    return lambda text: call(text, "--send")["values"][0]


def test_a_message_is_published_with_what_came_along(run: Run) -> None:
    ids = run("""
      local first = queue.publish("app:tasks", { id = 7 })
      local options = { id = "me", delay = "5m" }
      local second = queue.publish("app:tasks", {}, { source = "shop" }, options)
      return { first = first, second = second, info = queue.info("app:tasks") }
    """)
    assert len(ids["first"]) == 36
    assert ids["second"] == "me"
    assert ids["info"]["ready"] == 1
    assert ids["info"]["delayed"] == 1
    assert ids["info"]["message_count"] == 2


def test_an_unknown_queue_is_refused_with_the_one_meant(run: Run, tmp_path: Path) -> None:
    assert run("return told(select(2, queue.publish('app:taks', 1)))") == {
        "kind": "NOT_FOUND",
        "message": f"no entry 'app:taks' in {tmp_path.name}; did you mean `app:tasks`?",
        "retryable": False,
    }


def test_a_batch_answers_for_each_message(run: Run) -> None:
    answers = run("""
      local answers = queue.publish_batch("app:tasks", {
        { body = json.array(), headers = { n = 1 } },
        { body = { print } },
        { body = 1, optoins = {} },
        { headers = {} },
        7,
        { body = ("x"):rep(300 * 1024) },
        { body = "last", options = { id = "me" } },
      })
      local shown = {}
      for place, answer in ipairs(answers) do
        shown[place] = answer.id or answer.err:message()
      end
      return shown
    """)
    assert len(answers[0]) == 36
    place = "queue.publish_batch: messages"
    assert answers[1:5] == [
        f"{place}[2]: body[1] is a function, which JSON cannot carry",
        f"{place}[3]: unknown option 'optoins', did you mean 'options'?",
        f"{place}[4]: body is nil; publish at least {{}}",
        f"{place}[5]: {{ body = … }} expected, got 7",
    ]
    assert "bytes with headers; 'app:tasks' takes 262144" in answers[5]
    assert answers[6] == "me"


def test_a_batch_of_nothing_is_an_empty_answer(run: Run) -> None:
    assert run("return #queue.publish_batch('app:tasks', {})") == 0


def test_a_message_tells_what_came_with_it(call: Run) -> None:
    script = """
      local msg = queue.message()
      msg:headers().source = "else"
      logger.info("seen", {
        id = #msg:id(), attempt = msg:attempt(), lost = msg:interruptions(), body = msg:body(),
        at = math.type(msg:published_at()), source = msg:header("source"),
        none = msg:header("none") == nil, headers = msg:headers(),
      })
    """
    said = call(script, '{"id":7}', "--as-message", "-H", "source=shop")
    assert said["verdict"] == "ack"
    assert said["logs"][0]["fields"] == {
        "id": 36,
        "attempt": 1,
        "lost": 0,
        "body": {"id": 7},
        "at": "float",
        "source": "shop",
        "none": True,
        "headers": {"source": "shop"},
    }


@pytest.mark.parametrize(
    ("settle", "verdict", "delay", "reason"),
    [
        ("ack()", "ack", None, ""),
        ("nack('no answer')", "retry", 2.0, ""),
        ("retry({ delay = '5s', error = 'no answer' })", "retry", 5.0, ""),
        ("snooze({ delay = 5 })", "snooze", 5.0, ""),
        ("reject('card stolen')", "dead", None, "rejected"),
    ],
)
def test_a_message_is_settled_by_the_first_who_does(
    call: Run, settle: str, verdict: str, delay: float | None, reason: str
) -> None:
    script = f"""
      local msg = queue.message()
      logger.info("seen", {{ first = msg:{settle}, second = select(2, msg:ack()) }})
      return nil, "too late"
    """
    said = call(script, "1", "--as-message")
    assert (said["verdict"], said["delay"], said["reason"]) == (verdict, delay, reason)
    assert said["logs"][0]["fields"] == {"first": True, "second": "msg:ack(): already settled"}


def test_values_are_kept_and_copied(run: Run) -> None:
    assert run("""
      local values = store.open("app:values")
      local value = { list = { 1, 2.5 }, empty = json.array() }
      values:set("a", value, { ttl = "1h" })
      value.list[1] = 9
      values:get("a").list[1] = 8
      values:set("b", false)
      return {
        kept = values:get("a"),
        no = values:get("b"),
        missing = values:get("c") == nil,
        keys = values:keys(),
        with_prefix = values:keys("b"),
        deleted = { values:delete("a"), values:delete("a") },
        sums = { values:incr("n"), values:incr("n", 2), values:incr("n", 0.5) },
      }
    """) == {
        "kept": {"list": [1, 2.5], "empty": []},
        "no": False,
        "missing": True,
        "keys": ["a", "b"],
        "with_prefix": ["b"],
        "deleted": [True, False],
        "sums": [1, 3, 3.5],
    }


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("set('k')", "store: set: the value is nil; use delete to remove a key"),
        ("set('k', { print })", "store: set: value[1] is a function, which JSON cannot carry"),
        ("set('k', 1, { tll = 1 })", "store: set: unknown option 'tll', did you mean 'ttl'?"),
        ("set('k', 1, { ttl = 0 })", "store: set: option 'ttl': more than 0 seconds are expected"),
        ("set('k', 1, { ttl = 'x' })", "store: set: option 'ttl': a duration is expected"),
        ("incr('text')", "the value of 'text' is not a number"),
        ("incr('n', 1, { ttl = 'x' })", "store: incr: option 'ttl': a duration is expected"),
    ],
)
def test_a_store_says_what_it_cannot_keep(run: Run, method: str, message: str) -> None:
    fault = run(f"""
      local values = store.open("app:values")
      values:set("text", "no number")
      return told(select(2, values:{method}))
    """)
    assert message in fault["message"]
    assert fault["kind"] == "INVALID"


def test_a_store_counts_the_bytes_of_keys_and_values(run: Run) -> None:
    found = run("""
      local values = store.open("app:bounded")
      local text = ("x"):rep(998)
      local said = { values:set("a", text), values:set("b", text) }
      local _, full = values:set("c", text)
      said[3] = told(full)
      -- What takes the place of as much, or of what is gone, has room.
      said[4], said[5] = values:set("b", text), values:delete("a")
      said[6] = values:set("c", text)
      return said
    """)
    full = {
        "kind": "RATE_LIMITED",
        "message": "app:bounded has no room for 1001 bytes: it holds 2002 besides, of at most 2048"
        " (`max_bytes`); delete keys, or give them a `ttl`, then try again",
        "retryable": True,
    }
    assert found == [True, True, full, True, True, True]


def test_what_is_over_makes_room_in_a_store(run: Run) -> None:
    assert run("""
      local values, text = store.open("app:bounded"), ("x"):rep(1500)
      values:set("a", text, { ttl = "10ms" })
      local _, full = values:set("b", text)
      time.sleep("20ms")
      return { told(full).kind, values:set("b", text) }
    """) == ["RATE_LIMITED", True]


def test_no_sum_spoils_a_key(run: Run) -> None:
    found = run("""
      local values, kinds = store.open("app:values"), {}
      values:set("n", 1)
      values:set("large", 1.7e308)
      for _, by in ipairs({ math.huge, -math.huge, 0 / 0 }) do
        local sum, err = values:incr("n", by)
        kinds[#kinds + 1] = sum or told(err).kind
      end
      local sum, err = values:incr("large", 1.7e308)
      kinds[#kinds + 1] = sum or told(err).kind
      local set = values:set("n", math.huge)
      return { kinds, values:incr("n"), values:get("large"), set or "refused" }
    """)
    assert found == [["INVALID"] * 4, 2, 1.7e308, "refused"]


def test_very_many_keys_are_listed_page_by_page(run: Run) -> None:
    found = run("""
      local values = store.open("app:values")
      for n = 1, 10001 do
        values:set(("k%05d"):format(n), 1)
      end
      local _, many = values:keys()
      local pages, seen, last = 0, 0, nil
      repeat
        local page = values:keys("k", { limit = 4000, after = last })
        pages, seen, last = pages + 1, seen + #page, page[#page] or last
      until #page == 0
      local _, wrong = values:keys("", { limit = 10001 })
      return { told(many), #values:keys("k0"), pages, seen, last, told(wrong).message }
    """)
    many = {
        "kind": "INVALID",
        "message": "app:values has more keys than are listed at once, which is 10000 of 1048576"
        " bytes in all; give a longer prefix, or ask page by page: keys(prefix, { limit = 1000,"
        " after = last })",
        "retryable": False,
    }
    wrong = "store: keys: option 'limit': at most 10000 expected, got 10001"
    assert found == [many, 9999, 4, 10001, "k10001", wrong]


def test_a_page_of_keys_is_bounded_in_bytes(run: Run) -> None:
    assert run("""
      local values, long = store.open("app:values"), ("x"):rep(1000)
      for n = 1, 1100 do
        values:set(long .. n, 1)
      end
      local _, many = values:keys()
      local page = values:keys("", { limit = 1100 })
      return { told(many).kind, #page < 1100, #page > 1000 }
    """) == ["INVALID", True, True]


def test_more_entries_than_one_answer_has_are_asked_for_in_parts(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "MAX_FOUND", 2)
    found = run("""
      local _, many = registry.find()
      return { told(many), #registry.find({ kind = "store.memory" }) }
    """)
    assert found[0]["kind"] == "INVALID"
    assert "entries fit, more than 2; say their kind" in found[0]["message"]
    assert found[1] == 2


def test_a_store_called_with_a_dot_says_so(run: Run) -> None:
    message = run("return select(2, pcall(store.open('app:values').get, 'k'))")
    assert message.endswith("store:get() is called with a colon, on what store.open answers")


def test_only_named_variables_are_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_SECRET", "hidden")
    monkeypatch.delenv("SHOP_REGION", raising=False)
    assert run("""
      return {
        env.get("SHOP_REGION"), env.get("app:region"), env.get("SHOP_UNSET", "none"),
        env.get("SHOP_UNSET") == nil, told(select(2, env.get("SHOP_SECRET"))).kind,
      }
    """) == ["eu", "eu", "none", True, "NOT_FOUND"]


def test_the_registry_shows_entries_without_their_settings(run: Run) -> None:
    assert run("""
      local found = registry.find({ kind = "queue.queue", namespace = "app" })
      return { registry.get("app:tasks"), #found, found[1].id }
    """) == [
        {
            "id": "app:tasks",
            "kind": "queue.queue",
            "namespace": "app",
            "name": "tasks",
            "meta": {},
        },
        1,
        "app:tasks",
    ]


def test_a_function_is_called_with_copies(run: Run) -> None:
    assert run("""
      local one, two, three = funcs.call("app:echo", { a = json.array() }, 1.0, "x")
      return { one, math.type(two), three, select("#", funcs.call("app:echo")) }
    """) == [{"a": []}, "float", "x", 0]


def test_a_nil_stays_one_among_arguments_and_results(run: Run) -> None:
    assert run("""
      local results = table.pack(funcs.call("app:echo", 1, nil, 3, nil))
      return { results.n, results[1], results[2] == nil, results[3], results[4] == nil }
    """) == [4, 1, True, 3, True]


def test_the_failure_of_a_called_function_comes_back(run: Run) -> None:
    assert run("""
      local result, err = funcs.call("app:refuse")
      return { result == nil, told(err) }
    """) == [True, {"kind": "CONFLICT", "message": "taken", "retryable": False}]


def test_a_log_line_carries_fields_and_names(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        run("""
          logger.info("taken", { order = 7, err = errors.new("no answer"), back = print })
          logger:warn("slow")
          logger.with({ order = 8 }).named("mail").named("out"):error("lost", { to = "ada" })
          logger.info("bad", errors.new("no answer"))
          logger.debug("never seen")
          return true
        """)
    lines = [
        (record.name, record.levelname, record.getMessage(), getattr(record, "fields", None))
        for record in caplog.records
        if getattr(record, "entry", None) == "app:main"
    ]
    assert lines[0][3].pop("back") == "function"
    assert lines == [
        ("app:main", "INFO", "taken", {"order": 7, "err": "no answer"}),
        ("app:main", "WARNING", "slow", None),
        ("mail.out", "ERROR", "lost", {"order": 8, "to": "ada"}),
        ("app:main", "INFO", "bad", {"error": "no answer"}),
    ]


def test_a_log_line_is_bounded(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        run("""
          local many = {}
          for i = 1, 1000 do
            many["field" .. i] = ("ü"):rep(10000)
          end
          logger.info("x" .. ("ü"):rep(100000), many)
          logger.info("gr\\xFCn", { ["\\xFC"] = "\\xFC" })
          return true
        """)
    long, latin = (record for record in caplog.records if hasattr(record, "entry"))
    assert len(long.getMessage().encode()) == 8191
    assert long.getMessage().endswith("üü")
    assert len(json.dumps(long.fields, ensure_ascii=False).encode()) < 80_000
    assert long.fields["fields_left_out"] is True
    assert latin.fields == {"\\xFC": "\\xFC"}


def test_a_log_line_has_at_most_a_hundred_fields(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        run("""
          local many = {}
          for i = 1, 1000 do
            many["field" .. i] = i
          end
          logger.info("many", many)
          return true
        """)
    (line,) = (record for record in caplog.records if hasattr(record, "entry"))
    assert len(line.fields) == 101
    assert line.fields["fields_left_out"] is True
