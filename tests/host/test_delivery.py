"""What a message may expect of a running host: real threads, real time, the memory driver."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest

from moonq.errors import StopTimeout
from moonq.host import Host

from .conftest import MakeHost, until

pytestmark = pytest.mark.aside("stores")
ENTRIES = """
  - name: tasks
    kind: queue.queue
    driver: memory
    retry: {{max_attempts: {attempts}, initial_delay: 100ms, factor: 1, jitter: 0}}
    options: {{max_length: 1000000}}
  - {{name: seen, kind: queue.queue, driver: memory, options: {{max_length: 1000000}}}}
  - name: worker
    kind: queue.consumer
    queue: tasks
    func: handler
    concurrency: {concurrency}
    prefetch: {prefetch}
    timeout: {timeout}
    lifecycle: {{stop_timeout: {stop_timeout}}}
  - name: handler
    kind: function.lua
    source: file://handler.lua
    modules: [json, queue, time, logger]
    limits: {{memory: 16M}}
"""


def entries(
    concurrency: int = 1,
    prefetch: int = 64,
    timeout: str = "60s",
    attempts: int = 3,
    stop_timeout: str = "10s",
) -> str:
    return ENTRIES.format(
        concurrency=concurrency,
        prefetch=prefetch,
        timeout=timeout,
        attempts=attempts,
        stop_timeout=stop_timeout,
    )


def publish(host: Host, count: int, queue: str = "app:tasks") -> list[str]:
    """Publish *count* numbers and return their ids."""
    return [host.queues.publish(queue.encode(), str(number).encode()) for number in range(count)]


def stored(host: Host, queue: str) -> list[str]:
    """The ids of all messages in *queue*."""
    driver = host.queues.route(queue).driver
    return [one.message.id for one in driver.peek(queue, 10**7).items]


def reasons(host: Host) -> Counter[str]:
    """Why the dead letters of the tasks are dead: reason and last error's kind."""
    driver = host.queues.route("app:tasks").driver
    letters = driver.peek("app:tasks.dead", 10**7).items
    return Counter(
        f"{one.message.headers['x_dead_letter_reason']} {one.errors[-1].kind}" for one in letters
    )


def idle(host: Host) -> Callable[[], bool]:
    return lambda: not host.queues.info("app:tasks").message_count


RANDOM_HANDLER = """
local queue = require("queue")
return function(body)
  local chance = math.random()
  if chance < 0.02 then
    return nil, "no luck"
  elseif chance < 0.03 then
    error("bad luck")
  elseif chance < 0.035 then
    queue.message():reject("never")
  end
  return true
end
"""


def test_of_a_hundred_thousand_messages_each_is_acknowledged_once_or_dead(
    make_host: MakeHost,
) -> None:
    host = make_host(entries(concurrency=8, prefetch=512), handler=RANDOM_HANDLER)
    published = set(publish(host, 100_000))
    until(idle(host), 60)
    dead = set(stored(host, "app:tasks.dead"))
    assert len(published) == 100_000
    assert dead <= published
    assert host.report().acked == 100_000 - len(dead)
    assert 0 < len(dead) < 2_000
    assert set(reasons(host)) <= {"max_attempts UNKNOWN", "rejected UNKNOWN"}


NOTING_HANDLER = """
local queue = require("queue")
return function(body)
  queue.publish("app:seen", queue.message():id())
  return true
end
"""


def test_fifty_stops_under_load_lose_nothing_and_run_nothing_twice(make_host: MakeHost) -> None:
    host = make_host(entries(concurrency=3, prefetch=16), handler=NOTING_HANDLER)
    consumer = "app:worker"
    published = publish(host, 20_000)
    chance = random.Random(7)
    for _ in range(50):
        threading.Event().wait(chance.uniform(0, 0.01))
        host.supervisor.stop(consumer)
        info = host.queues.info("app:tasks")
        assert (info.leased, info.running) == (0, 0)
        host.supervisor.start(consumer)
    until(idle(host), 60)
    driver = host.queues.route("app:seen").driver
    seen = Counter(json.loads(one.message.body) for one in driver.peek("app:seen", 10**6).items)
    assert set(seen) == set(published)
    assert max(seen.values()) == 1


def test_one_worker_sees_publish_order_whatever_stops_come_between(make_host: MakeHost) -> None:
    host = make_host(entries(concurrency=1, prefetch=200), handler=NOTING_HANDLER)
    published = publish(host, 5_000)
    for _ in range(10):
        threading.Event().wait(0.005)
        host.supervisor.stop("app:worker")
        host.supervisor.start("app:worker")
    until(idle(host), 60)
    driver = host.queues.route("app:seen").driver
    assert [
        json.loads(one.message.body) for one in driver.peek("app:seen", 10**6).items
    ] == published


ENDLESS = {
    "a bare loop": "while true do end",
    "a loop inside pcall": "while true do pcall(function() while true do end end) end",
    "loops in coroutines": """
      local function spin() while true do pcall(function() while true do end end) end end
      while true do pcall(coroutine.wrap(spin)) end""",
}


@pytest.mark.parametrize("loop", ENDLESS.values(), ids=ENDLESS.keys())
def test_an_endless_handler_ends_in_the_dead_letters_while_others_are_served(
    make_host: MakeHost, loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    handler = f"return function(body) if body == 0 then {loop} end return true end"
    host = make_host(entries(concurrency=2, timeout="100ms", attempts=2), handler=handler)
    publish(host, 200)
    until(idle(host))
    assert reasons(host) == {"max_attempts TIMEOUT": 1}
    assert host.report().acked == 199
    assert "settled too late" not in caplog.text


GREEDY = {
    "a huge string": 'local s = ("x"):rep(100) while true do s = s .. s end',
    "a growing table": "local t = {} while true do t[#t + 1] = { #t } end",
}


@pytest.mark.parametrize("greed", GREEDY.values(), ids=GREEDY.keys())
def test_a_handler_that_takes_too_much_memory_ends_in_the_dead_letters(
    make_host: MakeHost, greed: str
) -> None:
    handler = f"return function(body) if body == 0 then {greed} end return true end"
    host = make_host(entries(concurrency=2, attempts=2), handler=handler)
    publish(host, 200)
    until(idle(host))
    assert reasons(host) == {"max_attempts MEMORY": 1}
    assert host.report().acked == 199


def test_ten_gigabytes_of_string_are_refused_without_being_made(make_host: MakeHost) -> None:
    handler = 'return function() return #("x"):rep(1e10) end'
    host = make_host(entries(attempts=1), handler=handler)
    publish(host, 1)
    until(idle(host))
    (letter,) = host.queues.route("app:tasks").driver.peek("app:tasks.dead", 10).items
    assert "resulting string too large" in letter.errors[-1].message


def test_a_pattern_that_backtracks_for_ever_ends_in_the_dead_letters(make_host: MakeHost) -> None:
    handler = """
    return function(body)
      if body == 0 then
        return ("a"):rep(60):find(("a?"):rep(30) .. ("a"):rep(61))
      end
      return true
    end"""
    host = make_host(entries(concurrency=2, timeout="200ms", attempts=1), handler=handler)
    publish(host, 50)
    until(idle(host))
    assert host.report().acked == 49
    assert sum(reasons(host).values()) == 1


def test_handlers_may_finish_while_the_host_stops(make_host: MakeHost) -> None:
    handler = """
    local time, queue = require("time"), require("queue")
    return function()
      while not queue.stopping() do end
      local ends = time.monotonic() + 0.1
      while time.monotonic() < ends do end
      queue.publish("app:seen", "done")
      return true
    end"""
    host = make_host(entries(concurrency=4, prefetch=4), handler=handler)
    publish(host, 6)
    until(lambda: host.queues.info("app:tasks").running == 4)
    report = host.stop()
    assert report.acked == 4
    info = host.queues.info("app:tasks")
    assert (info.ready, info.running, info.dead) == (2, 0, 0)
    assert len(stored(host, "app:seen")) == 4


def test_a_stop_wakes_what_waits_and_costs_it_no_attempt(make_host: MakeHost) -> None:
    handler = """
    local time = require("time")
    return function()
      local ok, err = time.sleep("1h")
      return ok, err
    end"""
    host = make_host(entries(), handler=handler)
    (message_id,) = publish(host, 1)
    until(lambda: host.queues.info("app:tasks").running == 1)
    host.stop()
    (waiting,) = host.queues.route("app:tasks").driver.peek("app:tasks", 5).items
    assert (waiting.message.id, waiting.attempt, waiting.state) == (message_id, 1, "ready")


def test_a_handler_sees_that_its_worker_is_to_stop(make_host: MakeHost) -> None:
    handler = """
    local queue = require("queue")
    return function()
      while not queue.stopping() do end
      queue.publish("app:seen", "saw it")
      return true
    end"""
    host = make_host(entries(), handler=handler)
    publish(host, 1)
    until(lambda: host.queues.info("app:tasks").running == 1)
    assert host.stop().acked == 1
    assert len(stored(host, "app:seen")) == 1


def test_handlers_that_do_not_end_are_cut_off_handed_back_and_named(make_host: MakeHost) -> None:
    handler = "return function() while true do end end"
    host = make_host(entries(concurrency=2, stop_timeout="100ms"), handler=handler)
    ids = publish(host, 2)
    until(lambda: host.queues.info("app:tasks").running == 2)
    with pytest.raises(StopTimeout) as raised:
        host.stop()
    assert all(message_id in str(raised.value) for message_id in ids)
    assert raised.value.exit_code == 8
    assert host.metrics.total("abandoned") == 0
    waiting = host.queues.route("app:tasks").driver.peek("app:tasks", 5).items
    assert [(one.state, one.attempt) for one in waiting] == [("ready", 1)] * 2


def test_a_second_signal_does_not_wait_for_handlers(make_host: MakeHost) -> None:
    endless = "return function() while true do end end"
    host = make_host(entries(stop_timeout="1h"), handler=endless)
    publish(host, 1)
    until(lambda: host.queues.info("app:tasks").running == 1)
    problems: list[StopTimeout] = []

    def stop() -> None:
        try:
            host.stop()
        except StopTimeout as problem:
            problems.append(problem)

    stopping = threading.Thread(target=stop, daemon=True)
    stopping.start()
    until(host.consumers["app:worker"].is_stopping)
    host.stop_now()
    stopping.join(20)
    assert len(problems) == 1
    assert host.queues.info("app:tasks").ready == 1


@pytest.mark.parametrize("concurrency", [1, 5, 50])
def test_as_many_handlers_run_at_once_as_the_consumer_says(
    make_host: MakeHost, concurrency: int
) -> None:
    handler = 'local time = require("time") return function() time.sleep("1h") end'
    host = make_host(entries(concurrency=concurrency), handler=handler)
    publish(host, concurrency + 3)
    until(lambda: host.queues.info("app:tasks").running == concurrency)
    info = host.queues.info("app:tasks")
    assert info.message_count == concurrency + 3


def test_workers_with_nothing_to_do_leave_but_the_last_one_stays(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moonq.run.consumer.IDLE", 0.05)
    handler = 'local time = require("time") return function() time.sleep("10ms") end'
    host = make_host(entries(concurrency=8), handler=handler)
    (consumer,) = host.consumers.values()
    for _ in range(20):
        publish(host, 8)
        until(idle(host))
        until(lambda: consumer.status().workers == 1)


def test_a_handler_that_waits_holds_up_no_other_message(make_host: MakeHost) -> None:
    handler = """
        local queue, time = require("queue"), require("time")
        return function(body)
          if body == 500 then time.sleep("1h") end
          assert(body ~= 499, "no luck")
          assert(queue.message():attempt() == 1 and queue.message():interruptions() == 0)
        end
    """
    host = make_host(entries(concurrency=2, prefetch=1000, attempts=1), handler=handler)
    publish(host, 1000)
    until(lambda: host.report().acked == 998)
    assert host.queues.info("app:tasks").running == 1
    assert reasons(host) == {"max_attempts UNKNOWN": 1}


#: Is quick with small numbers; waits with larger ones, and is busy with the largest.
MOODY = """
local queue, time = require("queue"), require("time")
return function(number)
  if number > 2000 then
    while not queue.stopping() do
      for _ = 1, 100000 do end
    end
  elseif number > 1000 then
    time.sleep("50s")
  end
end
"""


def moody(make_host: MakeHost, concurrency: int, prefetch: int = 64) -> Host:
    """A host whose workers have learned that its handler is quick."""
    host = make_host(entries(concurrency, prefetch=prefetch), handler=MOODY)
    publish(host, 500)
    until(idle(host))
    return host


def test_a_quick_handler_that_begins_to_wait_spreads_over_all_workers(
    make_host: MakeHost,
) -> None:
    host = moody(make_host, 8)
    for _ in range(8):
        host.queues.publish(b"app:tasks", b"1001")
    until(lambda: host.queues.info("app:tasks").running == 8)


def test_a_quick_handler_that_computes_for_long_holds_up_no_later_message(
    make_host: MakeHost,
) -> None:
    host = moody(make_host, 2)
    host.queues.publish(b"app:tasks", b"2001")
    until(lambda: host.queues.info("app:tasks").running == 1)
    publish(host, 100)
    until(lambda: host.queues.info("app:tasks").message_count == 1)


def test_a_message_that_computes_for_long_amid_a_backlog_leaves_the_others_to_go_on(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moonq.run.turns.CORES", 1)  # so that one worker alone is quick
    host = moody(make_host, 4, prefetch=10)
    (consumer,) = host.consumers.values()
    consumer.pause()
    publish(host, 200)
    host.queues.publish(b"app:tasks", b"2001")
    publish(host, 200)
    consumer.resume()
    # What its worker has taken with it waits for it.
    until(lambda: (host.queues.info("app:tasks").message_count or 0) <= 8)
    assert host.queues.info("app:tasks").running


def test_no_more_is_taken_than_prefetch_says(make_host: MakeHost) -> None:
    handler = 'local time = require("time") return function() time.sleep("1h") end'
    host = make_host(entries(concurrency=2, prefetch=5), handler=handler)
    publish(host, 20)
    until(lambda: host.queues.info("app:tasks").running == 2)
    info = host.queues.info("app:tasks")
    assert (info.leased or 0) + (info.running or 0) <= 5
    assert info.message_count == 20


RESULTS = [
    ("return true", "acked"),
    ("return", "acked"),
    ("return 'text'", "acked"),
    ("return nil, nil", "acked"),
    ("return {}, 'ignored'", "acked"),
    ("return false", "failed"),
    ("return nil, 'err'", "failed"),
    ("return nil, {code = 1}", "failed"),
    ("return nil, false", "failed"),
    ("error('x')", "failed"),
    ("error()", "failed"),
    ("error({})", "failed"),
    ("error(setmetatable({}, {__tostring = function() error('again') end}))", "failed"),
    ("local x = nil; return x.y", "failed"),
    ("return coroutine.yield()", "failed"),
]


@pytest.mark.parametrize(("body", "expected"), RESULTS, ids=[body for body, _ in RESULTS])
def test_a_handlers_result_decides_about_its_message(
    make_host: MakeHost, body: str, expected: str
) -> None:
    host = make_host(entries(attempts=1), handler=f"return function() {body} end")
    publish(host, 1)
    until(idle(host))
    assert host.report().acked == (expected == "acked")
    assert len(stored(host, "app:tasks.dead")) == (expected == "failed")


SETTLING = [
    ("msg:ack() error('later')", 1, Counter()),
    ("msg:reject('bad') return true", 0, Counter({"rejected UNKNOWN": 1})),
    ("msg:nack('no') return true", 0, Counter({"max_attempts UNKNOWN": 1})),
    ("msg:retry({delay = 0}) return true", 0, Counter({"max_attempts UNKNOWN": 1})),
    (
        "if msg:attempt() == 1 and not gone then msg:snooze({delay = 0}) end gone = true",
        1,
        Counter(),
    ),
]


@pytest.mark.parametrize(("body", "acked", "dead"), SETTLING, ids=[body for body, *_ in SETTLING])
def test_a_handler_may_settle_its_message_itself(
    make_host: MakeHost, body: str, acked: int, dead: Counter[str]
) -> None:
    handler = f"""
    local queue = require("queue")
    local gone = false
    return function()
      local msg = queue.message()
      {body}
    end"""
    host = make_host(entries(attempts=2), handler=handler)
    publish(host, 1)
    until(idle(host))
    assert host.report().acked == acked
    assert reasons(host) == dead


def test_an_early_ack_counts_at_once(make_host: MakeHost) -> None:
    handler = """
    local queue, time = require("queue"), require("time")
    return function() queue.message():ack() time.sleep("1h") end"""
    host = make_host(entries(), handler=handler)
    publish(host, 1)
    until(idle(host))
    assert host.report().acked == 1


def test_a_body_that_is_not_json_goes_to_the_dead_letters_unread(make_host: MakeHost) -> None:
    handler = "return function() return true end"
    host = make_host(entries(), handler=handler)
    host.queues.publish(b"app:tasks", b"\xff{not json")
    publish(host, 1)
    until(idle(host))
    (letter,) = host.queues.route("app:tasks").driver.peek("app:tasks.dead", 5).items
    assert letter.message.body == b"\xff{not json"
    assert letter.message.headers["x_dead_letter_reason"] == "decode"
    assert host.report().acked == 1


def test_with_auto_ack_a_message_is_gone_before_its_handler_runs(make_host: MakeHost) -> None:
    host = make_host(
        entries().replace("    timeout: 60s\n", "    auto_ack: true\n"),
        handler='return function() error("too late") end',
    )
    publish(host, 100)
    until(idle(host))
    assert stored(host, "app:tasks.dead") == []
    assert host.metrics.total("retried") == 0
    assert host.report().acked == 100


def test_a_handler_that_fills_its_own_queue_never_blocks(make_host: MakeHost) -> None:
    own = entries(concurrency=1).replace("max_length: 1000000", "max_length: 2, overflow: block", 1)
    handler = """
    local queue = require("queue")
    return function(body)
      if body ~= "seed" then return true end
      for n = 1, 10 do
        local id, err = queue.publish("app:tasks", n)
        if err then
          queue.publish("app:seen", { kind = err:kind(), retryable = err:retryable() })
          return true
        end
      end
    end"""
    host = make_host(own, handler=handler)
    host.queues.publish(b"app:tasks", b'"seed"')
    until(idle(host))
    (answer,) = host.queues.route("app:seen").driver.peek("app:seen", 5).items
    assert json.loads(answer.message.body) == {"kind": "RATE_LIMITED", "retryable": True}


FULL = """
  - name: full
    kind: queue.queue
    driver: {driver}
    publish_timeout: 30s
    max_bytes: 1KiB
    options: {{max_length: 1, overflow: block}}
  - {{name: file, kind: queue.driver.sqlite, path: full.db}}
  - name: below
    kind: function.lua
    modules: [queue]
    source: return function() return require("queue").publish("app:full", 1) end
"""
INTO_FULL = {
    "by itself": 'return function(body) return require("queue").publish("app:full", body) end',
    "in a batch": """
      return function()
        local answers = require("queue").publish_batch("app:full", { { body = 1 }, { body = 2 } })
        return nil, answers[2].err
      end""",
    "through a call": 'return function() return require("funcs").call("app:below") end',
}


@pytest.mark.parametrize("driver", ["memory", "file"])
@pytest.mark.parametrize("how", INTO_FULL)
def test_a_publish_that_waits_for_a_place_ends_with_the_time_of_its_handler(
    make_host: MakeHost, driver: str, how: str
) -> None:
    declared = entries(timeout="300ms", attempts=1).replace("[json,", "[funcs, json,")
    host = make_host(declared + FULL.format(driver=driver), handler=INTO_FULL[how])
    publish(host, 1, "app:full")
    began = time.monotonic()
    publish(host, 1)
    until(lambda: bool(stored(host, "app:tasks.dead")), 10)
    assert time.monotonic() - began < 5
    assert reasons(host) == Counter({"max_attempts TIMEOUT": 1})
    assert host.metrics.total("abandoned") == 0


@pytest.mark.parametrize("driver", ["memory", "file"])
def test_a_publish_that_waits_for_a_place_is_woken_by_a_stop(
    make_host: MakeHost, driver: str
) -> None:
    handler = """
    local queue = require("queue")
    return function()
      queue.publish("app:seen", 0)
      local id, err = queue.publish("app:full", 1)
      queue.publish("app:seen", tostring(err))
      return id, err
    end"""
    host = make_host(entries() + FULL.format(driver=driver), handler=handler)
    publish(host, 1, "app:full")
    publish(host, 1)
    until(lambda: bool(stored(host, "app:seen")))
    began = time.monotonic()
    host.stop()
    assert time.monotonic() - began < 5
    seen = host.queues.route("app:seen").driver.peek("app:seen", 5).items
    assert json.loads(seen[-1].message.body) == "the worker is to stop"
    # It has spent no attempt: it is handed back.
    (waiting,) = host.queues.route("app:tasks").driver.peek("app:tasks", 5).items
    assert (waiting.attempt, waiting.state) == (1, "ready")


def test_globals_do_not_leak_from_message_to_message(make_host: MakeHost) -> None:
    host = make_host(entries(attempts=1), handler="return function() total = (total or 0) + 1 end")
    publish(host, 1)
    until(idle(host))
    (letter,) = host.queues.route("app:tasks").driver.peek("app:tasks.dead", 5).items
    assert "global 'total'" in letter.errors[-1].message
    assert letter.errors[-1].traceback.startswith("handler.lua:1")


def test_only_workers_have_the_small_stack(make_host: MakeHost) -> None:
    before = threading.stack_size()
    host = make_host(entries(concurrency=4), handler="return function() end")
    publish(host, 20)
    until(lambda: host.queues.info("app:tasks").message_count == 0)
    assert threading.stack_size() == before
