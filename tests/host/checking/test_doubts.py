"""What `moonq check` says about Lua that compiles, and what it leaves alone."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moonq.checking import stock
from moonq.checking.doubts import doubts
from moonq.checking.reading import Owner
from moonq.registry.lua.text import LuaText
from moonq.text.findings import Finding, render

ENTRIES = {
    "app:mail": "queue.queue",
    "app:mail.dead": "queue.queue",
    "app:send": "function.lua",
    "app:values": "store.memory",
    "app:place": "env.variable",
    "other:orders": "queue.queue",
}
HEAD = """\
local funcs = require("funcs")
local json = require("json")
local logger = require("logger")
local queue = require("queue")
local store = require("store")
local env = require("env")
"""
IDIOMS = sorted((Path(__file__).parent / "idioms").glob("*.lua"))


def owner(*, is_library: bool = False, is_test: bool = False, imports: str = "") -> Owner:
    return Owner(
        lambda name: name if ":" in name else f"app:{name}",
        ENTRIES,
        ("REGION",),
        frozenset(imports.split()),
        is_library,
        is_test,
    )


def found(text: str, by: Owner | None = None) -> list[Finding]:
    return doubts(LuaText.of_file("x.lua", text.encode()), by or owner())


def said(line: str, by: Owner | None = None) -> list[tuple[str, str]]:
    """Code, column and message, and the help, of what is said about a line below the requires."""
    return [
        (
            f"{one.code}:{one.place[2]} {one.message}",
            re.sub("^it is .*", "it is …", "".join(one.helps)),
        )
        for one in found(HEAD + line, by)
    ]


@pytest.mark.parametrize(
    ("line", "sentence", "help_"),
    [
        (
            "loger.info('x')",
            "L310:1 there is no global `loger`, so this will fail",
            "did you mean `logger`?",
        ),
        (
            "if true then proces(1) end",
            "L310:14 there is no global `proces`, so this will fail",
            "",
        ),
        (
            "local function process() end return process, proces(1)",
            "L310:46 there is no global `proces`, so this will fail",
            "did you mean `process`?",
        ),
        (
            "return time.now()",
            "L310:8 `time` is a module, and this file does not require it",
            'write `local time = require("time")` at its top',
        ),
        (
            "return util.help()",
            "L310:8 `util` is an import, and this file does not require it",
            'write `local util = require("util")` at its top',
        ),
        (
            "dofile('x.lua')",
            "L311:1 there is no `dofile` in the sandbox",
            "make the file a `library.lua`, list it in `imports` and `require` it",
        ),
        (
            "return loadstring('x')()",
            "L311:8 there is no `loadstring` in the sandbox",
            "Lua 5.4 writes `load`",
        ),
        (
            "local x = null.field",
            "L310:11 there is no global `null`, so this will fail",
            "Lua writes `nil`",
        ),
        ("_G.nothing.field = 1", "L310:4 there is no global `nothing`, so this will fail", ""),
        (
            "io.write('x')",
            "L311:4 there is no `io.write` in the sandbox",
            'write log lines: `require("logger")`',
        ),
        (
            "os.execute('rm')",
            "L311:4 there is no `os.execute` in the sandbox",
            "a script starts no programs",
        ),
        (
            "local e = os.exit e(1)",
            "L311:19 there is no `os.exit` in the sandbox",
            "a script ends with its function: `return`, or `error(…)`",
        ),
        ("string.trim('x')", "L312:8 `string` has no `trim`", ""),
        ("table.inser({}, 1)", "L312:7 `table` has no `inser`", "did you mean `insert`?"),
        ("logger.inf('x')", "L312:8 `logger` has no `inf`", "did you mean `info`?"),
        ("local f = json.decod", "L312:16 `json` has no `decod`", "did you mean `decode`?"),
        (
            "return errors.NOTFOUND",
            "L312:15 `errors` has no `NOTFOUND`",
            "did you mean `NOT_FOUND`?",
        ),
        (
            "queue.message():atempt()",
            "L312:17 a queue.Message has no `atempt`",
            "did you mean `attempt`?",
        ),
        (
            "local m = queue.message() m.ack()",
            "L314:29 `queue.Message:ack` is called with a colon",
            "write `:ack(…)`",
        ),
        (
            "queue:publish('mail', 1)",
            "L314:7 `queue.publish` is called with a dot",
            "write `queue.publish(…)`",
        ),
        ("queue.publish('mail')", "L314:7 `queue.publish` needs 2 arguments and gets 1", "it is …"),
        (
            "json.decode('1', 2)",
            "L314:6 `json.decode` takes 1 argument at most and gets 2",
            "it is …",
        ),
        ("string.rep('x')", "L314:8 `string.rep` needs 2 arguments and gets 1", ""),
        (
            "queue.publish('mail', 1, nil, { dely = 5, id = 'x' })",
            "L312:33 `queue.publish` has no option `dely`",
            "did you mean `delay`?",
        ),
        (
            "queue.message():retry({ reson = 1, ['delay'] = 2 })",
            "L312:25 `queue.Message:retry` has no option `reson`",
            "it has `delay` and `error`",
        ),
        (
            "queue.publish('app:mial', 1)",
            "L313:15 `queue.publish` names an entry that does not exist",
            "did you mean `app:mail`?",
        ),
        (
            "queue.publish('orders', 1)",
            "L313:15 `queue.publish` names an entry that does not exist",
            "did you mean `other:orders`?",
        ),
        (
            "funcs.call('app:mail')",
            "L313:12 `funcs.call` names a function.lua, and `app:mail` is a queue.queue",
            "",
        ),
        (
            "store.open('app:valuse')",
            "L313:12 `store.open` names an entry that does not exist",
            "did you mean `app:values`?",
        ),
        (
            "env.get('REGOIN')",
            "L313:9 no entry names the variable `REGOIN`",
            "did you mean `REGION`?",
        ),
    ],
)
def test_what_must_fail_is_said_at_its_place(line: str, sentence: str, help_: str) -> None:
    assert said(line, owner(imports="util")) == [(sentence, help_)]


@pytest.mark.parametrize(
    "line",
    [
        "if loger then loger.info('x') end",
        "local x = loger and loger.info",
        "local f = fast or slow; f()  fast.x()",
        "pcall(function() loger.info('x') end)",
        "assert(loger, 'no loger').info('x') loger.info('y')",
        "if type(loger) == 'table' then loger.info() end",
        "if _G.loger then loger.info() end",
        "if json.fast then json.fast() end",
        "if os.getenv then os.getenv('HOME') end",
        "local x = anything",
        "print(anything, whatever)",
        "queue.publish(table.unpack({ 'mail', 1 }))",
        "queue.publish(... or 'x', 1) queue.publish(...)",
        "local q = queue q = {} q.anything()",
        "local name = 'x' queue.publish('app:' .. name, 1)",
        "queue.publish('mail', 1) queue.publish('mail.dead', 1)",
        "for logger = 1, 2 do local x = logger.inf end",
        "json.encode({}, nil)",
        "env.get('REGION') env.get('place') env.get('app:place')",
        "errors.from() local s = store.open('values') s:set('k')",
    ],
)
def test_who_asks_first_is_left_alone(line: str) -> None:
    assert said(line) == []


@pytest.mark.parametrize("path", IDIOMS, ids=lambda path: path.stem)
def test_sound_idioms_raise_no_doubt(path: Path) -> None:
    assert found(path.read_text(encoding="utf-8")) == []


def test_a_library_of_the_project_is_no_module_of_ours() -> None:
    text = 'local json = require("json")\njson.anything(1, 2, 3)\n'
    assert found(text, owner(imports="json")) == []
    assert len(found(text)) == 1


def test_in_a_library_what_the_sandbox_lacks_is_a_note() -> None:
    text = "local function save() io.open('x') os.remove('x') end\nreturn save"
    assert {one.severity for one in found(text, owner(is_library=True))} == {"note"}
    assert {one.severity for one in found(text)} == {"warning"}
    [wrong] = found("return loger.info", owner(is_library=True))
    assert wrong.severity == "warning"


def test_a_test_may_name_what_is_not_there_and_call_what_must_fail() -> None:
    text = """\
local test, queue = require("test"), require("queue")
test.eq(queue.publish("app:nothing", 1), nil)
test.fails("queue id", function() queue.publish() end)
tset.eq(1, 1)
test.eqq(1, 1)
"""
    assert [(one.code, one.place[1]) for one in found(text, owner(is_test=True))] == [
        ("L310", 4),
        ("L312", 5),
    ]


@given(st.data())
@settings(max_examples=60)
def test_no_text_is_too_broken_to_look_at(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([path.read_bytes() for path in IDIOMS]))
    pieces = st.sampled_from([b"end ", b"\xff", b"(", b"::x::", b"[[", b'"', b".", b":", b"="])
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(pieces) + text[at + data.draw(st.integers(0, 9)) :]
    render(doubts(LuaText.of_file("x.lua", text), owner()))


def test_one_name_is_said_once() -> None:
    assert len(said("loger.info(1) loger.info(2) loger.warn(3)")) == 1


def test_columns_count_characters() -> None:
    [one] = found("local x = 'Grüße 🌙' loger.info(x)")
    assert one.place == ("x.lua", 1, 21)


def test_what_is_nested_without_end_is_not_followed() -> None:
    deep = f"return {'(' * 180}1{')' * 180}"
    long = "return " + " + ".join(["1"] * 20_000) + " + loger.x"
    assert found(deep) == []
    assert len(found(long)) == 1


def test_a_large_library_takes_less_than_a_second() -> None:
    unit = (
        "local function f%d(a, b) if a then return b.x(a, { 1, 2, k = 'v' }) end return f%d end\n"
    )
    text = "local f0\n" + "".join(unit % (at % 90 + 1, at % 90) for at in range(3_200))
    text = re.sub(r"local function f\d+", "local function f", text).replace(
        "return f", "return a or f"
    )
    began = time.process_time()
    found(text)
    assert len(text) > 276_000
    assert time.process_time() - began < 1


def test_what_stock_functions_want_at_least_they_refuse_to_do_without() -> None:
    from moonq.sandbox.state import LuaSource, LuaState

    assert set(stock.LEAST) <= stock.names()
    listed = ",".join(f'["{name}"] = {least}' for name, least in stock.LEAST.items())
    text = """
local wanted = {%s}
return function()
  local content = {}
  for name, least in pairs(wanted) do
    local f = _G
    for part in name:gmatch("%%w+") do f = f[part] end
    for _, kind in ipairs({ "x", {}, 1, print }) do
      local arguments = {}
      for index = 1, least - 1 do arguments[index] = kind end
      if pcall(f, table.unpack(arguments, 1, least - 1)) then content[#content + 1] = name end
    end
  end
  return content
end
"""
    state = LuaState({})
    state.define(LuaSource("app:least", "least.lua", (text % listed).encode()))
    state.open("app:least")
    assert state.call(b"[]") == b"[{}]"
    state.close()
