"""Nothing of Python's reaches Lua, whatever a lent function answers or raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from offered import Offered
from states import opened

from moonq.errors import MoonqError
from moonq.sandbox.context import CallContext, Caller
from moonq.sandbox.lend import MAX_ANSWER, own
from moonq.sandbox.state import LuaState

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
