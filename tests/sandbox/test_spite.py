"""Values whose every metamethod loops: wherever the host touches one, the limit holds.

What a script leaves behind (an error, a result, a field of a log line) is looked at by the host.
Each look happens within the time of the call, and never where no hook reaches.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from offered import Offered, handler_of
from states import MODULES, opened

from moonq.control.lua_session import ConsoleState, Text
from moonq.host import Host
from moonq.kinds import load
from moonq.sandbox import state as state_module
from moonq.sandbox.lend import own
from moonq.sandbox.state import Fault, Limits, LuaSource, LuaState, ScriptFault, Stopped
from moonq.testing.world.bench import Stub
from moonq.testing.world.states import StateUnderTest, SuiteState

TIMEOUT = 0.02
#: What a kill may take beyond its limit on a busy machine; a loop that is not stopped takes longer.
SLACK = 1.5

SPITE = """
local function loop() while true do end end
local events = {}
for name in ([[index newindex call tostring len eq lt le concat pairs close unm add sub mul div
  mod pow idiv band bor bxor shl shr bnot]]):gmatch("%a+") do
  events["__" .. name] = loop
end
local function spite(more)
  local class = { __name = "spite" }
  for name, f in next, events do class[name] = f end
  for name, value in next, more or {} do class[name] = value end
  return setmetatable({}, class)
end
local value, alike = spite(), spite()
local locked = spite({ __metatable = "error" })
local odd = spite({ __metatable = alike })
-- What is to be closed when the call ends sees the error and may do to it what it likes.
local closing = setmetatable({}, { __close = function(_, err)
  pcall(setmetatable, err, events)
  for key in next, type(err) == "table" and err or {} do err[key] = nil end
end })
"""

ENDS = {
    "an error": "error(value)",
    "a locked error": "error(locked)",
    "an error that claims a class": "error(odd)",
    "an error at a level": "error(value, 2)",
    "an assertion": "assert(false, value)",
    "an error after a close": "local c <close> = closing error('x')",
    "an error table after a close": "local c <close> = closing error({})",
    "an error of a close": (
        "local c <close> = setmetatable({}, { __close = function() error(value) end })"
    ),
    "an error value after a close": "local c <close> = closing error(errors.new('x'))",
    "a loop after a close": "local c <close> = closing while true do end",
    "a loop and a close that raises": (
        "local c <close> = setmetatable({}, { __close = function(_, e) error(value) end })"
        " while true do end"
    ),
    "an error of a coroutine": "coroutine.wrap(function() error(value) end)()",
    "a coroutine that closes": (
        "coroutine.wrap(function() local c <close> = closing error('x') end)()"
    ),
    "an error out of a handler": "xpcall(error, function() error(value) end, value) error(value)",
    "an error past xpcall": (
        "xpcall(function() local c <close> = closing error('x') end, debug.traceback)"
        " local c <close> = closing error(value)"
    ),
    "nil and an error": "return nil, value",
    "nil and a locked error": "return nil, locked",
    "a result": "return value",
    "false": "return false, value",
    "an error of the module": "error(errors.from(value))",
    "a wrapped error": "error(errors.wrap(value, 'wrapped'))",
    "a table with it": "error({ value, [value] = value, inner = { locked } })",
    "a printed value": "print(value)",
    "a logged value": "require('logger').error(value, { value = value, locked = locked })",
    "logged fields": "require('logger').error('x', value)",
    "a key of a log": "require('logger').error('x', { [value] = 1 })",
    "a stored value": "require('store').open('app:values'):set('k', { value })",
    "a published value": "require('queue').publish('app:q', value, { value }, value)",
    "headers": "require('queue').publish('app:q', 1, value)",
    "options": "require('queue').publish('app:q', 1, nil, value)",
    "a reason": "require('queue').message():nack(value)",
    "options of a retry": "require('queue').message():retry(value)",
    "arguments of a call": "require('funcs').call('app:f', value, { value })",
    "json": "require('json').encode({ value }, { sorted = true })",
    "a name for require": "require(value)",
}


def told(fault: Fault) -> None:
    """Look at a failure as the log does: it is bounded text."""
    assert isinstance(fault.message, str)
    assert len(fault.message) <= 8192


@contextmanager
def in_time(limit: float = TIMEOUT) -> Iterator[None]:
    """Fail when what is inside took longer than its limit and a kill may; it may be stopped."""
    began = time.monotonic()
    try:
        yield
    except ScriptFault as raised:
        told(raised.fault)
    except Stopped as stopped:
        if stopped.reason != "timeout":
            raise
    assert time.monotonic() - began < limit + SLACK


def state_of(body: str, permanent_hook: bool) -> LuaState:
    source = f"{SPITE} return function() {body} end"
    lends = Offered().lends(handler_of())
    return opened(source, lends, permanent_hook=permanent_hook)


@pytest.mark.parametrize("permanent_hook", [False, True], ids=["hook", "permanent"])
@pytest.mark.parametrize("body", ENDS.values(), ids=ENDS)
def test_a_delivery_that_ends_in_spite_ends_in_time(body: str, permanent_hook: bool) -> None:
    state = state_of(body, permanent_hook)
    with in_time():
        progress = state.deliver(TIMEOUT, [b"1"])
        for outcome in progress.outcomes:
            told(outcome.fault)
    state.close()


@pytest.mark.parametrize("permanent_hook", [False, True], ids=["hook", "permanent"])
@pytest.mark.parametrize("body", ENDS.values(), ids=ENDS)
def test_a_call_that_ends_in_spite_ends_in_time(body: str, permanent_hook: bool) -> None:
    state = state_of(body, permanent_hook)
    with in_time():
        json.loads(state.call(b"[1]", TIMEOUT))
    state.close()


ENTRIES = """
namespace: app
entries:
  - {name: memory, kind: queue.driver.memory}
  - {name: values, kind: store.memory}
  - {name: q, kind: queue.queue, driver: memory}
  - {name: f, kind: function.lua, source: "return function() end"}
  - {name: tasks, kind: queue.queue, driver: memory, retry: {max_attempts: 1}}
  - {name: worker, kind: queue.consumer, queue: tasks, func: handler, timeout: 50ms}
  - name: handler
    kind: function.lua
    source: file://handler.lua
    modules: [errors, funcs, json, logger, queue, store]
"""


def test_the_only_worker_of_a_consumer_serves_on_after_every_such_end(tmp_path: Path) -> None:
    ends = ",\n".join(f"function() {body} end" for body in ENDS.values())
    handler = f"{SPITE} local ends = {{ {ends} }} return function(which) return ends[which]() end"
    (tmp_path / "_index.yaml").write_text(ENTRIES)
    (tmp_path / "handler.lua").write_text(handler)
    host = Host(load(tmp_path))
    host.start()
    for place in range(1, len(ENDS) + 1):
        host.queues.publish(b"app:tasks", str(place).encode())
    limit = time.monotonic() + len(ENDS) * SLACK
    while host.queues.info("app:tasks").message_count and time.monotonic() < limit:
        time.sleep(0.01)
    consumer, report = host.consumers["app:worker"], host.report()
    assert report.acked + report.dead == len(ENDS)
    assert (report.dead > 0, report.acked > 0) == (True, True)
    assert (consumer.status().abandoned, consumer.running()) == (0, [])
    host.stop(timeout=5)


@pytest.mark.parametrize(
    "body", [ENDS["a result"], ENDS["nil and a locked error"], ENDS["an error"]]
)
def test_results_that_are_kept_for_people_are_told_in_time(body: str) -> None:
    state = state_of(body, False)
    state.keep_results()
    with in_time():
        state.deliver(TIMEOUT, [b"1"])
    state.limits = Limits(TIMEOUT)
    with in_time():
        json.loads(state.results())
    state.close()


@pytest.mark.parametrize(
    ("body", "method"),
    [
        ("error(value)", ""),
        ("local c <close> = closing error('x')", ""),
        ("return value", ""),
        ("return value", "main"),
        ("return locked", "main"),
        ("return { main = value }", "main"),
        ("return { value, [value] = value }", "main"),
        ("local c <close> = closing while true do end", ""),
    ],
)
def test_a_file_that_ends_in_spite_ends_in_time(body: str, method: str) -> None:
    state = LuaState(Offered().lends(handler_of()), Limits(TIMEOUT))
    state.define(LuaSource("app:handler", "handler.lua", f"{SPITE} {body}".encode(), MODULES))
    with in_time():
        state.open("app:handler", method, timeout=TIMEOUT)
    state.close()


@pytest.mark.parametrize("answer", ["return value", "error(value)", "return odd", "error(locked)"])
def test_a_policy_that_answers_spite_is_not_followed(
    answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_module, "DECISION", TIMEOUT)
    state = state_of(answer, False)
    queue = {
        "max_attempts": 3,
        "max_interruptions": 3,
        "initial_delay": 1,
        "factor": 2,
        "max_delay": 9,
        "jitter": 0,
        "function": "app:handler",
        "memory": 1,
    }
    state.use_policy(json.dumps(queue).encode())
    event = (b"failed", b"UNKNOWN", b"x", 1, 0, 0, 0.5)
    with in_time():
        assert state.decide(*event)[0] == b"retry"
    state.close()


def test_what_is_to_be_closed_gets_the_error_itself() -> None:
    seen: list[bytes] = []
    lends = {**Offered().lends(handler_of()), **own({"uuid_v4": lambda: seen.append(b"x") or b"u"})}
    source = """
    return function(name)
      local value = name == "text" and "no bank" or name == "error" and errors.new("no bank")
        or { code = 7 }
      local c <close> = setmetatable({}, { __close = function(_, err)
        assert(rawequal(err, value), "another value: " .. type(err))
      end })
      error(value, 0)
    end
    """
    state = opened(source, lends)
    progress = state.deliver(2.0, [b'"text"', b'"error"', b'"table"'])
    said = [outcome.fault.message for outcome in progress.outcomes]
    assert said == ["no bank", "no bank", "{ code = 7 }"]
    assert all("handler.lua:8" in one.fault.traceback for one in progress.outcomes)
    state.close()


def test_an_error_while_closing_is_told_with_its_own_place() -> None:
    source = """
    return function()
      local c <close> = setmetatable({}, { __close = function()
        error("second", 0)
      end })
      error("first", 0)
    end
    """
    state = opened(source)
    (outcome,) = state.deliver(2.0, [b"1"]).outcomes
    assert outcome.fault.message == "second"
    assert outcome.fault.traceback.startswith("handler.lua:4: ")
    state.close()


def test_a_script_cannot_forge_where_it_failed() -> None:
    source = """
    return function()
      local c <close> = setmetatable({}, { __close = function(_, err)
        pcall(function() err.value, err.stack, err.line = "other", "other.lua:1", 1 end)
      end })
      error({})
    end
    """
    state = opened(source)
    (outcome,) = state.deliver(2.0, [b"1"]).outcomes
    assert outcome.fault.traceback.startswith("handler.lua:6: ")
    state.close()


TESTS = [
    "error(value)",
    "error(locked)",
    "error({ value, code = value })",
    "local mine, yours = value, { locked } error('x')",
    "local mine, yours = value, { locked } while true do end",
    "local mine <close> = value error('x')",
    "local c <close> = closing test.eq(1, 2)",
    "test.eq(value, alike)",
    "test.eq(locked, alike)",
    "test.eq(odd, spite({ __metatable = value }))",
    "test.eq({ value, [value] = 1 }, { alike, [alike] = 2 })",
    "test.eq(value, 'x', value)",
    "test.neq(value, alike)",
    "test.is(value, alike)",
    "test.near(value, 1)",
    "test.match(value, { a = value })",
    "test.contains(value, alike)",
    "test.has_key(value, alike)",
    "test.len(value, value)",
    "test.gt(value, alike)",
    "test.one_of(value, { alike })",
    "test.matches(value, 'x')",
    "test.is_nil(value)",
    "test.fails('x', function() error(value) end)",
    "test.fails(value, function() error('x') end)",
    "test.error_kind(value, 'TIMEOUT')",
    "error(setmetatable({ code = value, message = value, diff = { value } }, odd))",
]


@pytest.mark.parametrize("body", TESTS)
def test_a_test_that_ends_in_spite_ends_in_time(body: str) -> None:
    source = f"""local test, errors = require("test"), require("errors") {SPITE}
    test.it("spites", function() {body} end)"""
    lends = {**Offered().lends(handler_of()), **own({"test_module": lambda name: name})}
    state = SuiteState(lends, Limits(TIMEOUT))
    modules = (*MODULES, "test")
    state.define(LuaSource("test/spite.lua", "test/spite.lua", source.encode(), modules))
    assert state.load("test/spite.lua", 5.0) is None
    with in_time():
        assert state.run(1, TIMEOUT)["status"] in {"passed", "failed", "error"}
    state.close()


STATEMENTS = [
    "value",
    "{ value, [value] = locked }",
    "error(value)",
    "error(locked)",
    "nil, value",
    "nil, locked",
    "do local c <close> = closing error('x') end",
    "do local c <close> = closing while true do end end",
    "print(value)",
    "mq.inspect(value)",
    "_ == value",
]


def test_a_session_survives_whatever_it_evaluates() -> None:
    lends = {**Offered().lends(handler_of()), **own({"console_print": lambda _text: None})}
    state = ConsoleState(lends, Limits(5.0))
    state.ask(None, b"open", b'["json"]', b"{}", b"[]")
    defined = state.evaluate(Text(SPITE.replace("local ", "")), 5.0)
    assert defined["status"] == "done", defined
    for statement in STATEMENTS:
        for text in (Text(statement), Text(statement, marked=True), Text(statement, file="x.lua")):
            with in_time():
                state.evaluate(text, TIMEOUT)
        with in_time():
            state.complete("value.x")
            state.complete("_.x")
        assert state.evaluate(Text("1 + 1"), 5.0)["values"] == [2]
    state.close()


def test_the_details_of_an_error_are_told_without_running_their_code() -> None:
    state = ConsoleState(Offered().lends(handler_of()), Limits(5.0))
    state.ask(None, b"open", b"[]", b"{}", b"[]")
    looping = "setmetatable({}, { __index = function() while true do end end })"
    answer = state.evaluate(Text(f"nil, errors.new({{ message = 'x', details = {looping} }})"), 5.0)
    assert answer["fault"]["message"] == "x"
    assert not state.spent
    state.close()


def test_a_stub_is_put_without_running_the_code_of_the_library() -> None:
    bench = SimpleNamespace(
        hit=None,
        stubs=[],
        states=set(),
        answer=lambda _number, _arguments: b"[]",
        returned=lambda _values: None,
        within_test=lambda limit: limit,
    )
    lends = Offered().lends(handler_of())
    state = StateUnderTest(lends, Limits(2.0), on_abandoned=lambda: None, bench=bench)
    library = f"{SPITE} return value"
    state.define(LuaSource("app:library", "library.lua", library.encode(), MODULES))
    handler = b"local library = require('library') return function() end"
    imports = {"library": "app:library"}
    state.define(LuaSource("app:handler", "handler.lua", handler, MODULES, imports))
    state.open("app:handler")
    with in_time():
        state.put(Stub(1, "app:library", "charge", False))
    state.close()
