"""Whatever crosses the boundary, in whatever order: a verdict comes back, and nothing of Python.

The short form runs with the other tests, the long one with `make soak`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from modes import MODES, enter
from offered import Offered, handler_of
from states import MODULES, opened

from moonq.errors import MoonqError
from moonq.sandbox.lend import own
from moonq.sandbox.state import Fault, Limits, LuaSource, LuaState, Progress, ScriptFault, Stopped

HERE = Path(__file__).parent
TIMEOUT = 0.3
LONGEST = 8192
SHORT, LONG = 100, 2500

Test = Callable[..., None]


def both_forms(**strategies: st.SearchStrategy[Any]) -> Callable[[Test], Test]:
    """Run a property a hundred times or, as a slow test, thousands of times in every mode."""

    def decorate(test: Test) -> Test:
        def run(examples: int, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
            enter(mode, monkeypatch)
            KEPT.renew()
            checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
            options = settings(max_examples=examples, suppress_health_check=checks)
            options(given(**strategies)(test))()

        slow = pytest.mark.slow
        forms = [pytest.param(SHORT, "hook", id="short")]
        forms += [pytest.param(LONG, mode, id=f"long-{mode}", marks=slow) for mode in MODES]
        run.__name__, run.__doc__ = test.__name__, test.__doc__
        return pytest.mark.parametrize(("examples", "mode"), forms)(run)

    return decorate


def check_fault(fault: Fault) -> None:
    assert len(fault.message) <= LONGEST
    assert len(fault.traceback) <= LONGEST
    assert fault.retryable in (None, True, False)
    fault.message.encode()


def check_progress(progress: Progress, messages: int) -> None:
    assert 0 <= progress.done <= messages
    if progress.stopped:
        assert progress.stopped.reason in {"timeout", "memory"}
    for outcome in progress.outcomes:
        check_fault(outcome.fault)


#: Lua: the modules that `fuzz.lua` calls.
NAMES = f"local NAMES = {{ {', '.join(map(repr, MODULES))} }} ".encode()


class Kept:
    """A state that serves many examples, until one of them wears it out."""

    def __init__(self) -> None:
        self._state: LuaState | None = None
        self.offered = Offered()

    def get(self) -> LuaState:
        """Return a state with the canary and the fuzzer defined."""
        if self._state is not None and self._state.spent:
            self.renew()
        if self._state is None:
            self._state = self._new()
        return self._state

    def renew(self) -> None:
        """Give the state away; the next one is new."""
        if self._state is not None:
            self._state.close()
            self._state = None

    def _new(self) -> LuaState:
        lends = self.offered.lends(handler_of())
        state = LuaState(lends, Limits(TIMEOUT, 16 * 1024 * 1024))
        for name in ("canary", "fuzz"):
            source = NAMES + (HERE / f"{name}.lua").read_bytes()
            state.define(LuaSource(f"app:{name}", f"{name}.lua", source, MODULES))
        state.open("app:canary", timeout=5.0)
        return state


KEPT = Kept()


def random_calls(seed: int, count: int) -> list[list[int]]:
    """Calls as `fuzz.lua` takes them; hypothesis itself would stay with small numbers."""
    chance = random.Random(seed)
    return [[chance.randrange(10_000) for _ in range(chance.randint(2, 5))] for _ in range(count)]


CALLS = st.builds(random_calls, st.integers(0, 2**32), st.integers(1, 40))


@both_forms(calls=CALLS)
def test_functions_called_in_any_order_with_anything_give_nothing_away(
    calls: list[list[int]],
) -> None:
    state = KEPT.get()
    state.open("app:fuzz", timeout=5.0)
    progress = state.deliver(TIMEOUT, [json.dumps(calls).encode()])
    check_progress(progress, 1)
    for outcome in progress.outcomes:
        assert outcome.kind in {"settled", "memory"}, outcome.fault.message
    assert not KEPT.offered.strangers
    if not state.spent:
        state.open("app:canary", timeout=5.0)
        assert state.deliver(5.0, [b"1"]) == Progress(1)


def lua_string(value: bytes) -> str:
    return '"' + "".join(f"\\{byte:03d}" for byte in value) + '"'


SCALARS = st.one_of(
    st.sampled_from(["nil", "true", "false", "print", "0/0", "1/0", "-1/0", "error", "pcall"]),
    st.sampled_from(
        ["coroutine.create(print)", "function() end", "_G", "string", "...", "setmetatable"]
    ),
    st.integers(-(2**63) + 1, 2**63 - 1).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.binary(max_size=40).map(lua_string),
)
EVENTS = st.sampled_from(
    [
        *("__index", "__newindex", "__call", "__tostring", "__name", "__eq", "__lt", "__len"),
        *("__concat", "__pairs", "__close", "__metatable", "__gc", "__mode", "__unm"),
    ]
)


def tables(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Tables of values, some of them objects of random classes."""
    items = st.lists(values, max_size=4).map(", ".join)
    pairs = st.lists(st.tuples(values, values), max_size=4).map(
        lambda all_of_it: ", ".join(f"[key({key})] = {value}" for key, value in all_of_it)
    )
    plain = st.one_of(items, pairs).map(lambda inside: "{ " + inside + " }")
    classes = st.dictionaries(EVENTS, values, max_size=3).map(
        lambda events: (
            "{ " + ", ".join(f"{name} = {value}" for name, value in events.items()) + " }"
        )
    )
    objects = st.tuples(plain, classes).map(lambda both: f"object({both[0]}, {both[1]})")
    functions = values.map(lambda value: f"function(...) return {value} end")
    return st.one_of(plain, objects, functions)


VALUES = st.recursive(SCALARS, tables, max_leaves=12)
ENDS = st.sampled_from(
    [
        *("error(%s)", "error(%s, 0)", "error(%s, 2)", "return nil, %s", "return %s"),
        *("return %s, %s", "coroutine.wrap(error)(%s)", "assert(false, %s)", "return (%s)()"),
        *("local _ <close> = %s", "xpcall(error, error, %s) error(%s)", "return tostring(%s)"),
        *("return #%s", "return %s .. %s", "return %s < %s", "print(%s)", "return %s == %s"),
        *("require('logger').info(%s, %s)", "require('queue').publish(%s, %s)"),
        *("require('store').open('app:values'):set(%s, %s)", "require('json').encode(%s)"),
    ]
)
HEAD = """
local function key(value)
  if value == nil or value ~= value then
    return 1
  end
  return value
end
local function object(value, class)
  local ok, made = pcall(setmetatable, value, class)
  return ok and made or value
end
return function(...)
"""


@both_forms(end=ENDS, value=VALUES, other=VALUES)
def test_a_handler_that_ends_in_any_way_has_a_verdict(end: str, value: str, other: str) -> None:
    body = end.replace("%s", value.replace("%", "%%"), 1).replace("%s", other, 1).replace("%%", "%")
    offered = Offered()
    try:
        state = opened(f"{HEAD} {body} end", offered.lends(handler_of()), timeout=TIMEOUT)
    except ScriptFault as raised:
        check_fault(raised.fault)
        return
    progress = state.deliver(TIMEOUT, [b'{"id":1}', b"2"])
    check_progress(progress, 2)
    assert not offered.strangers
    state.close()


ECHO = "return function(...) return ... end"


@both_forms(bodies=st.lists(st.binary(max_size=200), min_size=1, max_size=5))
def test_a_body_of_any_bytes_is_decoded_or_refused(bodies: list[bytes]) -> None:
    state = opened(ECHO)
    progress = state.deliver(TIMEOUT, bodies)
    check_progress(progress, len(bodies))
    for outcome in progress.outcomes:
        assert outcome.kind == "decode"
    state.close()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
)


@both_forms(arguments=st.lists(JSON, max_size=6))
def test_arguments_of_a_call_come_back_as_they_were(arguments: list[Any]) -> None:
    # Alone, a null in front of something would be `nil, err`.
    state = opened("return function(...) return true, ... end")
    answer = json.loads(state.call(json.dumps(arguments).encode()))
    assert answer == [True, *arguments]
    state.close()


@both_forms(arguments=st.binary(max_size=100))
def test_a_call_with_any_bytes_answers_or_fails_in_words(arguments: bytes) -> None:
    state = opened(ECHO)
    try:
        json.loads(state.call(arguments))
    except ScriptFault as raised:
        check_fault(raised.fault)
    state.close()


LETTERS = "return functionedlacif()=.:{}[]'#~,;\n 12"


@both_forms(
    source=st.binary(max_size=60)
    | st.text("return functionedlacif()=.:{}[]'#~,;\n 12", max_size=60).map(str.encode),
    function=st.text(max_size=10),
    method=st.text(max_size=10),
)
def test_a_file_of_any_bytes_loads_or_fails_in_words(
    source: bytes, function: str, method: str
) -> None:
    state = LuaState({}, Limits(TIMEOUT, 16 * 1024 * 1024))
    reason = ""
    try:
        name = function.encode("utf-8", "replace").decode()
        state.define(LuaSource(name, f"{name}.lua", source))
        state.open(name, method.encode("utf-8", "replace").decode())
    except ScriptFault as raised:
        check_fault(raised.fault)
    except Stopped as stopped:
        reason = stopped.reason
    assert reason in {"", "timeout", "memory"}
    state.close()


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.complex_numbers(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
LOOK = """
local env = require("env")
return function()
  local value, err = env.get("ANY")
  assert(type(value) ~= "userdata" and type(err) ~= "userdata", "a live object")
  assert(err == nil or type(err:message()) == "string")
end
"""


@both_forms(answer=ANYTHING, refusal=st.none() | st.text())
def test_an_answer_of_any_kind_is_a_value_of_lua_or_an_error(
    answer: Any, refusal: str | None
) -> None:
    def function(*_: object) -> Any:
        if refusal is not None:
            raise MoonqError(refusal)
        return answer

    lends = {**Offered().lends(handler_of()), **own({"env": function})}
    state = opened(LOOK, lends)
    assert state.deliver(5.0, [b"1"]) == Progress(1)
    state.close()
