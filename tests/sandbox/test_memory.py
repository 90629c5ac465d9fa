"""Memory is bounded, comes back, and what does not fit ends as `memory`, never as a crash."""

from __future__ import annotations

import gc
import json
import threading
import time
from pathlib import Path

import pytest
from offered import Offered, handler_of
from states import opened

from moonq.clock import ManualClock
from moonq.model import Delivery, Message
from moonq.run.judgement import Event
from moonq.run.policy import Policy
from moonq.sandbox.state import Fault, LuaSource, LuaState, Stopped

MIB = 1024 * 1024
PLAIN = "return function(body) return body end"
FILLING = "local t = {} return function() while true do t[#t + 1] = ('x'):rep(9000) .. #t end end"
WRAPPING = "local co = coroutine.wrap(function() coroutine.yield() end) return function() co() end"
SOURCES = [PLAIN] * 40 + [FILLING, WRAPPING]


def resident() -> int:
    """Bytes of memory that the process really has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def live_and_die(count: int) -> None:
    """Make states one after another; each works, some are killed, some fill up."""
    for number in range(count):
        state = opened(
            SOURCES[number % len(SOURCES)], Offered().lends(handler_of()), memory=2 * MIB
        )
        state.deliver(2.0, [b'{"id":7}'])
        state.close()


def test_states_come_and_go_without_a_trace() -> None:
    live_and_die(300)
    gc.collect()
    before = resident()
    gc.disable()  # what only a collection would free, counts as kept
    live_and_die(1200)
    gc.enable()
    assert resident() - before < 8 * MIB


@pytest.mark.slow
def test_ten_thousand_states_come_and_go_without_a_trace() -> None:
    live_and_die(1000)
    before = resident()
    live_and_die(10_000)
    assert resident() - before < 8 * MIB


def test_a_state_is_gone_when_it_is_closed() -> None:
    gc.collect()
    gc.disable()
    try:
        before = resident()
        keeper = "local t = {} return function() t[1] = ('x'):rep(12 * 1024 * 1024) end"
        for _ in range(5):
            state = opened(keeper, memory=64 * MIB)
            state.deliver(2.0, [b"1"])
            assert state.memory_used() > 12 * MIB
            state.close()
        assert resident() - before < 30 * MIB
    finally:
        gc.enable()


FULL = "local t = {} for i = 1, 2e5 do t[i] = { i } end "
ENDS = [
    FULL + "return function() return t[1] ~= nil end",
    FULL + "return function() while t do end end",
    FULL + "return function() while true do t[#t + 1] = { #t } end end",
    FULL + "return function() return nil, #t .. 'no' end",
    FULL + "local co = coroutine.wrap(function() while t do coroutine.yield(#t) end end) return co",
]


@pytest.mark.parametrize("permanent_hook", [False, True])
@pytest.mark.parametrize("source", ENDS)
def test_a_large_state_is_empty_before_it_is_closed(source: str, *, permanent_hook: bool) -> None:
    """lupa closes one with the interpreter locked, and calls it without."""
    state = opened(source, memory=32 * MIB, permanent_hook=permanent_hook)
    runtime = state._runtime
    progress = state.deliver(0.2, [b"1"])
    assert state.memory_used() > 8 * MIB
    state.close()
    assert runtime.get_memory_used() < MIB / 16
    del progress


def test_a_large_state_that_did_not_open_is_empty_before_it_is_closed() -> None:
    state = opened(PLAIN, memory=8 * MIB)
    runtime = state._runtime
    source = b"local t = {} while true do t[#t + 1] = { t } end"
    state.define(LuaSource("app:full", "full.lua", source))
    with pytest.raises(Stopped, match="memory") as raised:
        state.open("app:full")
    state.close()
    # What was raised is kept, as by who tells of it.
    assert raised.value.reason == "memory"
    assert runtime.get_memory_used() < MIB / 16


@pytest.mark.slow
def test_who_closes_a_large_state_stalls_nobody() -> None:
    gaps: list[float] = []
    over = threading.Event()

    def neighbour() -> None:
        last = time.perf_counter()
        while not over.is_set():
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    source = FULL.replace("2e5", "8e5") + "return function() return t end"
    states = [opened(source, memory=80 * MIB) for _ in "123"]
    thread = threading.Thread(target=neighbour)
    thread.start()
    took = []
    for state in states:
        began = time.perf_counter()
        state.close()
        took.append(time.perf_counter() - began)
    over.set()
    thread.join()
    # Two threads that both have work change places every 5 ms.
    assert max(gaps) < max(0.015, min(took) / 2)


def test_the_memory_of_a_large_message_comes_back() -> None:
    state = opened("return function(body) return #body end", memory=64 * MIB)
    state.deliver(2.0, [b"[1]"])
    before = state.memory_used()
    body = json.dumps([{"id": n, "name": "x" * 90} for n in range(40_000)]).encode()
    assert len(body) > 4 * MIB
    assert state.deliver(10.0, [body]).done == 1
    assert not state.spent
    assert state.memory_used() < before + MIB
    state.close()


def test_a_message_that_does_not_fit_is_a_matter_of_memory() -> None:
    state = opened("return function(body) return #body end", memory=4 * MIB)
    progress = state.deliver(2.0, [b'"' + b"x" * (8 * MIB) + b'"'])
    assert progress.stopped is not None
    assert (progress.stopped.reason, progress.done) == ("memory", 0)
    assert state.spent
    state.close()


def test_messages_before_the_one_that_ran_out_of_memory_are_done() -> None:
    state = opened(
        "local t = {} return function(n) while n == 3 do t[#t + 1] = ('x'):rep(9000) .. #t end end",
        memory=4 * MIB,
    )
    done: list[str] = []
    waiting = [b"1", b"2", b"3", b"4"]
    while waiting and not state.spent:
        progress = state.deliver(2.0, waiting)
        done += ["ok"] * (progress.done - len(progress.outcomes))
        done += [outcome.kind for outcome in progress.outcomes]
        waiting = waiting[progress.done :]
    assert done[:3] == ["ok", "ok", "memory"]
    state.close()


def test_the_soft_limit_is_met_where_the_host_is_asked() -> None:
    source = """
    local logger = require("logger")
    local t = {}
    return function()
      local long = ("x"):rep(6 * 1024 * 1024)
      t[1], t[2] = long .. "1", long .. "2"
      logger.info("never written")
    end
    """
    offered = Offered()
    state = opened(source, offered.lends(), memory=8 * MIB)
    progress = state.deliver(2.0, [b"1"])
    assert [outcome.kind for outcome in progress.outcomes] == ["memory"]
    assert offered.last_line == ""
    state.close()


def test_garbage_is_no_reason_to_replace_a_state_but_a_hoard_is() -> None:
    wasteful = opened(
        "return function() return ('x'):rep(3 * 1024 * 1024) .. 'y' end", memory=8 * MIB
    )
    wasteful.deliver(2.0, [b"1"])
    assert not wasteful.spent
    assert wasteful.memory_used() < MIB
    wasteful.close()
    hoarding = opened(
        "local t return function() t = ('x'):rep(3 * 1024 * 1024) .. 'y' end", memory=8 * MIB
    )
    assert hoarding.deliver(2.0, [b"1"]).stopped is None
    assert hoarding.spent
    hoarding.close()


def test_a_function_that_hoards_is_replaced_too() -> None:
    state = opened(
        "local t return function() t = ('x'):rep(3 * 1024 * 1024) .. 'y' end", memory=8 * MIB
    )
    assert state.call(b"[]") == b"[]"
    assert state.spent
    state.close()


def test_a_call_that_runs_out_of_memory_is_stopped() -> None:
    state = opened("return function() return ('x'):rep(9e6) .. ('y'):rep(9e6) end", memory=4 * MIB)
    with pytest.raises(Stopped, match="memory"):
        state.call(b"[]")
    assert state.spent
    state.close()


def test_a_file_that_runs_out_of_memory_is_stopped() -> None:
    with pytest.raises(Stopped, match="memory"):
        opened("local t = {} while true do t[#t + 1] = ('x'):rep(9000) .. #t end", memory=4 * MIB)


def test_a_policy_that_hoards_can_still_be_asked() -> None:
    hoards = (
        "local t = {} return function(f) pcall(function()"
        " while true do t[#t + 1] = ('x'):rep(900) .. #t end end) return 5 end"
    )
    queue = {
        "max_attempts": 10,
        "max_interruptions": 5,
        "initial_delay": 2.0,
        "factor": 3.0,
        "max_delay": 900.0,
        "jitter": 0.2,
        "function": "app:f",
        "memory": 4 * MIB,
    }

    def make(own: bool) -> LuaState:
        return opened(hoards, memory=4 * MIB) if own else LuaState({})

    policy = Policy(queue, make, ManualClock(), chance=lambda: 0.5)
    delivery = Delivery(Message("a", b"", 0.0), None)
    for _ in range(3):
        found = policy.judge(delivery, Event("failed", Fault("UNKNOWN", "x" * 8192)))
        assert (found.action, found.delay) in {("retry", 5.0), ("retry", 2.0)}
        snoozed = policy.judge(delivery, Event("snooze", delay=7.0))
        assert (snoozed.action, snoozed.delay) == ("snooze", 7.0)
    policy.close()


def test_states_of_many_threads_do_not_disturb_each_other() -> None:
    failures: list[str] = []

    def work() -> None:
        try:
            live_and_die(30)
        except Exception as problem:  # noqa: BLE001 - it is told below
            failures.append(repr(problem))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not failures
    assert not any(thread.is_alive() for thread in threads)
