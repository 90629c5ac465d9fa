"""Nothing of Python's reaches Lua, whatever a lent function answers or raises."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from offered import Offered
from states import opened

from moonq.errors import Invalid, MoonqError
from moonq.run.calling.context import CallContext
from moonq.run.calling.lending import Caller, lent
from moonq.run.calling.lends import changing, declared
from moonq.run.security import Actor, Decision, Effect, Scope
from moonq.sandbox.lend import MAX_ANSWER, Bound, own
from moonq.sandbox.state import LuaState
from moonq.sandbox.watchdog import ABANDON_AFTER, Guard

# What scripts do with an answer: look at it from all sides, and hand it back.
LOOK = """
local env = require("env")
return function()
  local value, err = env.get("ANY")
  assert(type(value) ~= "userdata", "a live object")
  assert(err == nil or getmetatable(err) == "error", "a raw error")
  return nil, type(value) .. " " .. tostring(value) .. " " .. (err and err:kind() or "")
end
"""


def state_with(function: Callable[..., Any]) -> LuaState:
    return opened(LOOK, {**Offered().lends(), **own({"env": function})})


def told(function: Callable[..., Any]) -> str:
    state = state_with(function)
    outcome = state.deliver(2.0, [b"1"]).outcomes[0]
    state.close()
    return outcome.fault.message


def raising(problem: BaseException) -> Callable[..., Any]:
    def function(*_: object) -> None:
        raise problem

    return function


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"eu", "string eu "),
        (7, "number 7 "),
        (-(2**63), f"number {-(2**63)} "),
        (2**63 - 1, f"number {2**63 - 1} "),
        (1.5, "number 1.5 "),
        (True, "boolean true "),
        (b"\xff\x00", "string \ufffd\x00 "),
    ],
)
def test_a_plain_answer_arrives(answer: object, text: str) -> None:
    assert told(lambda _: answer) == text


@pytest.mark.parametrize(
    "answer",
    [
        *("a str", [1], (1, 2), {"a": 1}, {1}, object(), bytearray(b"x"), memoryview(b"x"), 1j),
        *(int, lambda: None, iter([]), ValueError("x"), 2**63, -(2**63) - 1, 2**100),
    ],
)
def test_an_answer_that_would_be_a_live_object_is_refused(answer: object) -> None:
    assert told(lambda _: answer).startswith("nil nil ")
    assert told(lambda _: answer).split()[-1] in {"INTERNAL", "UNKNOWN"}


def test_an_answer_that_does_not_fit_is_refused() -> None:
    assert told(lambda _: b"x" * MAX_ANSWER).startswith("string xxx")
    assert told(lambda _: b"x" * (MAX_ANSWER + 1)).startswith("nil nil ")


@pytest.mark.parametrize(
    "problem",
    [
        *(ValueError("x"), KeyboardInterrupt(), SystemExit(3), MemoryError(), StopIteration()),
        *(RecursionError("x"), UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), BaseException()),
    ],
)
def test_an_exception_is_an_error_value_without_details(
    problem: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    assert told(raising(problem)) == "nil nil INTERNAL"
    assert "a lent function failed" in caplog.text


@pytest.mark.parametrize("text", ["refused", "\ud800 surrogate", "x" * 100_000, "\0", "äöü"])
def test_a_refusal_in_any_words_is_an_error_value(text: str) -> None:
    assert told(raising(MoonqError(text))).startswith("nil nil ")


def test_a_lent_function_with_the_wrong_arguments_is_an_error_value() -> None:
    assert told(lambda: b"too few") == "nil nil INTERNAL"


def test_a_sleep_ends_with_the_time_limit() -> None:
    slept: list[float] = []
    caller = Caller(CallContext("app:handler", sleep=lambda seconds: not slept.append(seconds)))
    state = opened(
        "local time = require('time') return function() time.sleep('2h') time.sleep('10ms') end",
        Offered().lends(caller),
    )
    caller.enter(caller.context, state.guard)
    state.deliver(1.5, [b"1"])
    state.close()
    assert 1.0 < slept[0] < 2.0
    assert slept[1] == 0.01


def test_a_lent_function_cannot_be_declared_without_its_flags() -> None:
    def function(caller: object) -> None: ...

    with pytest.raises(TypeError, match="'waits'"):
        lent(action=None, writes=False)(function)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'writes'"):
        lent(action=None, waits=False)(function)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'action'"):
        lent(writes=False, waits=False)(function)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="policies can refuse"):
        lent(action=None, writes=True, waits=False)(function)


def test_what_changes_something_is_known_by_its_flags() -> None:
    assert changing() == {
        "queue.publish",
        "queue.publish.queue",
        "funcs.call",
        "module.call",
        "sql.execute",
        "store.write",
        "store.delete",
        "http.request",
    }


def deciding(effect: Effect, asked: list[tuple[str, str]]) -> Any:
    """Return a scope that always says *effect*, and remembers what was asked."""

    def decide(actor: Actor, action: str, resource: str, meta: object) -> Decision:
        asked.append((action, resource))
        return Decision(effect)

    return SimpleNamespace(decide=decide, looks_at_meta=True, policies=(), place="")


#: What functions are called with whose resource is made of their arguments.
ASKED = {"http": (b"", b"GET", b"http://bank.example/?key=1", b"")}


def test_every_declared_action_is_asked_of_the_scope_before_the_function_runs() -> None:
    asked: list[tuple[str, str]] = []
    scope, offered = deciding("undefined", asked), Offered()
    lends = offered.lends(Caller(CallContext("app:handler", actor=Actor("clerk"), scope=scope)))
    for one in declared():
        if one.actions:
            given = ASKED.get(one.name.partition("_")[0], (b"app:x", b"", b""))
            answer = lends[one.name].call(*given)
            assert answer[:2] == (False, b"PERMISSION_DENIED")
            caller = Caller(CallContext("app:handler"))
            caller.host = offered  # type: ignore[assignment]
            made = one.resource(caller, *given) if callable(one.resource) else one.resource
            assert asked.pop() == (one.actions[0], made or "app:x")
    assert not offered.asked


def hosted(context: CallContext) -> Caller:
    """Return a caller of a host with nothing behind it."""
    caller = Caller(context)
    caller.host = Offered()  # type: ignore[assignment]
    return caller


class Dry:
    """A sink of a dry run."""

    is_dry = True
    is_real = False

    def end_dry_run(self, done: str) -> None: ...


def test_a_dry_run_is_refused_what_writes_and_is_not_captured() -> None:
    called: list[int] = []

    def send(caller: object, number: int) -> None:
        called.append(number)

    bound = lent(action="mail.send", writes=True, waits=False)(send).bound
    dry = CallContext("app:handler", sink=Dry())  # type: ignore[arg-type]
    assert bound(hosted(dry)).call(1)[:2] == (False, b"UNKNOWN")
    assert bound(hosted(CallContext("app:handler"))).call(2) == (True, None)
    assert called == [2]


def test_a_dry_run_says_what_would_have_been_done() -> None:
    def send(caller: object, to: bytes) -> None:
        raise AssertionError

    dry = CallContext("app:handler", sink=Dry())  # type: ignore[arg-type]
    told = lent(
        action="mail.send", writes=True, waits=True, would=lambda _, to: f"mail {to.decode()}"
    )
    answer = told(send).bound(hosted(dry)).call(b"ann")
    assert answer[2] == b"a dry run would mail ann; what that answers is unknown"


def test_policies_are_asked_for_each_action_on_what_the_arguments_make() -> None:
    asked: list[tuple[str, str]] = []
    scope = deciding("allow", asked)

    def get(caller: object, host: bytes, path: bytes) -> None:
        pass

    told = lent(
        action=("http.request", "http.get"),
        resource=lambda _, host, path: (host + path).decode(),
        writes=True,
        waits=True,
    )
    context = CallContext("app:handler", actor=Actor("clerk"), scope=scope)
    told(get).bound(Caller(context)).call(b"example.com", b"/x")
    assert asked == [("http.request", "example.com/x"), ("http.get", "example.com/x")]


@pytest.mark.parametrize("is_late", [True, False])
def test_what_waits_in_the_host_is_ended_when_the_call_is_stopped(is_late: bool) -> None:
    caller, ended = Caller(CallContext("app:handler")), threading.Event()
    heard: list[str] = []
    caller.enter(caller.context, Guard(None, lambda: None))
    assert caller.guard is not None

    def stop(reason: str) -> None:
        heard.append(reason)
        ended.set()

    for _ in range(2):
        caller.guard.begin(60.0)
        if is_late:
            caller.guard.fire("stop")
        with caller.interruptible(stop):
            caller.guard.fire("stop")
            assert ended.wait(5.0)
        caller.guard.end()
        ended.clear()
    with caller.interruptible(stop):
        pass
    caller.guard.begin(60.0)
    caller.guard.fire("stop")
    assert heard == ["stop", "stop"]


@pytest.mark.parametrize("waits", [True, False])
def test_a_handler_that_waits_says_so_by_the_flag_of_what_it_calls(waits: bool) -> None:
    heard: list[tuple[object, ...]] = []
    caller = Caller(CallContext("app:handler"), waits=heard.append)
    lends = Offered().lends(caller)
    lends["env"] = Bound(lends["env"].call, waits)
    state = opened("local env = require('env') return function() env.get('REGION') end", lends)
    assert state.deliver(2.0, [b"1", b"2"]).done == (1 if waits else 2)
    state.close()
    assert len(heard) == int(waits)


def test_the_watchdog_has_patience_while_a_function_holds() -> None:
    seen: list[bool] = []

    def slow(caller: Caller) -> None:
        assert caller.guard is not None
        seen.append(caller.guard.is_waiting())

    for holds in (True, False):
        caller = Caller(CallContext("app:handler"))
        caller.enter(caller.context, Guard(None, lambda: None))
        lent(action=None, writes=False, waits=False, holds=holds)(slow).bound(caller).call()
        assert caller.guard is not None
        assert not caller.guard.is_waiting()
    assert seen == [True, False]


def test_a_call_below_inherits_everything_but_its_name() -> None:
    rights = Actor("clerk"), Scope()
    above = CallContext("app:a", b"app:q", *rights, Dry(), sleep=lambda _: False)  # type: ignore[arg-type]
    guard = Guard(None, lambda: None)
    below = above.below("app:b", guard)
    assert below == above._replace(entry="app:b", above=guard, depth=1)
    with pytest.raises(Invalid, match="more than 16 deep at 'app:c'"):
        above._replace(depth=16).below("app:c", guard)


def test_a_call_waits_while_one_that_it_has_made_waits() -> None:
    gone: list[str] = []
    outer, inner = (Guard(None, lambda who=who: gone.append(who)) for who in ("outer", "inner"))
    outer.begin(0.0)
    inner.call_in(outer)
    inner.begin(0.0)
    inner.is_waiting = lambda: True
    late = time.monotonic() + 1.0
    outer.look(late)
    outer.look(late + 2 * ABANDON_AFTER)
    assert not outer.abandoned
    # What it has made is over: nothing waits any more.
    inner.end()
    outer.look(late + 2 * ABANDON_AFTER)
    assert outer.abandoned


def test_whatever_may_wait_for_a_broker_or_a_store_ends_with_its_call() -> None:
    asking = [one for one in declared() if one.names in ("queue.queue", "store.")]
    assert len(asking) > 8
    assert [one.name for one in asking if not one.holds] == []
