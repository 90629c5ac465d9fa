"""An error or a result of any shape becomes a verdict with a bounded, readable text."""

from __future__ import annotations

import pytest
from states import failure, opened

RAISED = {
    "error('no bank', 0)": "no bank",
    "error('no bank')": "handler.lua:1: no bank",
    "error()": "nil",
    "error(nil)": "nil",
    "error(false)": "false",
    "error(42)": "42",
    "error(1 / 3)": "0.33333333333333",
    "error({ code = 7, why = 'no bank' })": '{ code = 7, why = "no bank" }',
    "error({})": "{}",
    "local t = {} t.me = t error(t)": "{ me = cycle, 1 up }",
    "error(print)": "function",
    "error(function() end)": "function(handler.lua:1)",
    "error(coroutine.create(print))": "thread",
    r"error('\xff\xfe', 0)": "\ufffd\ufffd",
    "error('time is over', 0)": "time is over",
    "error(errors.new('lost'))": "lost",
    "error(setmetatable({}, { __tostring = function() return 'own text' end }))": "own text",
    "error(setmetatable({ 1 }, { __tostring = error }))": "{ 1 }",
    "error(setmetatable({ 1 }, { __tostring = function() return {} end }))": "{ 1 }",
    "error(setmetatable({ 1 }, { __tostring = coroutine.yield }))": "{ 1 }",
    "error(setmetatable({ 1 }, { __metatable = 'error' }))": "{ 1 }",
    "error({ value = 1, stack = 'a:1' })": '{ stack = "a:1", value = 1 }',
    "return nil, 'no bank'": "no bank",
    "return nil, { code = 7 }": "{ code = 7 }",
    "return nil, print": "function",
    "return nil, false": "false",
    "return false": "the handler returned false",
    "coroutine.yield()": "attempt to yield from outside a coroutine",
}


@pytest.mark.parametrize(("body", "text"), RAISED.items())
def test_a_failure_of_any_shape_has_a_readable_text(body: str, text: str) -> None:
    fault = failure(f"return function() {body} end")
    assert fault.message == text
    assert fault.kind == "UNKNOWN"


@pytest.mark.parametrize(
    "body",
    [
        "error(('x'):rep(100000))",
        "error(('ä'):rep(100000))",
        "return nil, errors.new(('x'):rep(100000))",
        "local t = {} for i = 1, 10000 do t[i] = {} end error(t)",
        "local t = {} for i = 1, 10000 do t[{}] = {} end error(t)",
        "local t = {} for i = 1, 300 do t = { t } end error(t)",
        "error({ [('x'):rep(100000)] = ('y'):rep(100000) })",
        "error(setmetatable({}, { __name = ('x'):rep(100000) }))",
        "local n = ('n'):rep(9999) load('function ' .. n .. '() error() end ' .. n .. '()')()",
    ],
)
def test_a_long_failure_is_cut(body: str) -> None:
    fault = failure(f"return function() {body} end")
    assert len(fault.message) <= 8192
    assert len(fault.traceback) <= 8192


@pytest.mark.parametrize(
    "results",
    [
        *("", "true", "0", "''", "nil", "nil, nil", "nil, nil, 'x'", "print", "{}"),
        "table.unpack({}, 1, 5000)",
        "coroutine.create(print)",
        "setmetatable({}, { __eq = error })",
    ],
)
def test_any_other_result_is_a_success(results: str) -> None:
    state = opened(f"return function() return {results} end")
    progress = state.deliver(2.0, [b"1", b"2"])
    assert (progress.done, progress.outcomes, progress.stopped) == (2, (), None)
    state.close()


def test_a_traceback_shows_the_frames_of_the_script() -> None:
    fault = failure("local function deep()\n  error('x')\nend\nreturn function() deep() end")
    assert fault.traceback.splitlines() == [
        "handler.lua:2: in upvalue 'deep'",
        "handler.lua:4: in function <handler.lua:4>",
    ]


@pytest.mark.parametrize(
    ("first", "text"),
    [
        ("error({ code = 7 })", "{ code = 7 }"),
        ("return 7", "the file returns no function but a number"),
        ("return { main = 1 }", "the file returns no function but { main = 1 }"),
        ("local = 1", "handler.lua:1: <name> expected near '='"),
        ("coroutine.yield()", "attempt to yield from outside a coroutine"),
    ],
)
def test_a_file_that_does_not_load_says_why(first: str, text: str) -> None:
    from moonq.sandbox.state import ScriptFault

    with pytest.raises(ScriptFault) as raised:
        opened(first)
    assert raised.value.fault.message == text
