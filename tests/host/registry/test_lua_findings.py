"""What people are told about Lua that does not compile, and about errors of running scripts."""

from __future__ import annotations

import pytest
from lupa.lua54 import LuaRuntime

from moonq.registry.lua import runtime, syntax
from moonq.registry.lua.text import LuaText
from moonq.sandbox import syntax as compiler
from moonq.text.findings import Source, render


def told(text: str) -> str:
    finding = syntax.check(LuaText.of_file("work.lua", text.encode()), compiler.check)
    assert finding is not None
    assert finding.code == "P110"
    return render([finding], width=0)


#: Text, where the mark stands, and what must be said.
COMPLAINTS: list[tuple[str, str, str]] = [
    ("x = = 1", "1:5", "Lua did not expect `=` here"),
    ("return 1 + + * 2", "1:12", "Lua did not expect `+` here"),
    ("foo(1, 2", "1:8", "Lua expected `)` here"),
    ("local a = {1, 2\nreturn a", "2:1", "a `{` is not closed"),
    ("function f()\n  return 1\n", "2:10", "without the `end`"),
    ("repeat\n  x = 1\n", "2:7", "add `until` after line 2"),
    ("if a then b() end end", "1:19", "this `end` closes nothing"),
    ("return 1\nlocal x = 2", "2:1", "nothing may follow a `return`"),
    ("for i in pairs(t)\n  f(i)\nend", "2:3", "Lua expected `do` here"),
    ("local s = 'abc\nreturn s", "1:11", "add `'` where it ends"),
    ('return "abc', "1:8", 'add `"` where it ends'),
    ("return [==[abc", "1:8", "add `]==]` where it ends"),
    ("--[[ abc", "1:3", "this comment is not closed"),
    ("return 3x", "1:8", "`3x` is no number"),
    ("return '\\q'", "1:8", "invalid escape sequence"),
    ("break", "1:1", "`break` ends a loop"),
    ("local a = {1, 2, 3}; a[1] = = 2; a[2] = 3", "1:29", "Lua did not expect `=` here"),
    ("goto done", "1:6", "no visible label 'done'"),
    ("local x <const> = 1\nx = 2", "2:1", "attempt to assign to const variable 'x'"),
    ("local s = 'é' = 1", "1:15", "Lua did not expect `=` here"),
    ("(" * 300, "1", "nested too deep for Lua"),
]
HABITS: list[tuple[str, str]] = [
    ("n += 1", "write `n = n + 1`: Lua has no `+=`"),
    ("t.n -= 2", "write `t.n = t.n - 2`: Lua has no `-=`"),
    ("s ..= 'x'  -- y", "write `s = s .. 'x'`: Lua has no `..=`"),
    ("n++", "write `n = n + 1`: Lua has no `++`"),
    ("if a != b then end", "Lua writes `~=` for not equal"),
    ("if a === b then end", "Lua writes `==`"),
    ("if a && b then end", "Lua writes `and`"),
    ("if a || b then end", "Lua writes `or`"),
    ("if !ok then end", "Lua writes `not ok`"),
    ("if a then\nelif b then\nend", "Lua writes `elseif`"),
    ("if a then\nelse if b then\nend\n", "write `elseif` in line 2"),
    ("if a = 1 then end", "`=` assigns; write `==` to compare"),
    ("if (a) {\n  return 1\n}", "a block begins with `then` or `do`"),
    ("let x = 1", "Lua writes `local x`"),
    ("local x = a ? b : c", "write `cond and a or b`"),
    ("local f = x => x", "write `function(x) return … end`"),
    ("// note", "a comment begins with `--`"),
    ("# note", "a comment begins with `--`"),
    ("try\n  f()\nend", "Lua writes `pcall(f)` to catch"),
    ("for i = 1, 3 do\n  continue\nend", "Lua has no `continue`"),
    ("local t = { a: 1 }", "a table is written `{ name = value }`"),
    ("import json", 'Lua writes `local x = require("x")`'),
    ("fucntion f() end", "Lua writes `function`"),
    ("retrun 1", "did you mean `return`?"),
    ("local s = `a`", "join with `..`"),
]


@pytest.mark.parametrize(("text", "place", "phrase"), COMPLAINTS)
def test_a_complaint_marks_its_token(text: str, place: str, phrase: str) -> None:
    drawn = told(text)
    assert f"┌─ work.lua:{place}\n" in drawn
    assert phrase in drawn


@pytest.mark.parametrize(("text", "phrase"), HABITS)
def test_a_habit_of_another_language_is_answered_in_lua(text: str, phrase: str) -> None:
    advice = told(text).partition("= help: ")[2]
    assert phrase in advice


def test_a_habit_inside_a_text_is_none() -> None:
    assert "help" not in told('local s = "a != b" 1')


@pytest.mark.parametrize(
    "text", ["", "return 1", "-- else if\nreturn 1", "goto x\n::x::", "return 0x1p4, [[\n]]"]
)
def test_what_is_lua_has_no_finding(text: str) -> None:
    assert syntax.check(LuaText.of_file("work.lua", text.encode()), compiler.check) is None


def test_bytecode_is_no_text() -> None:
    bytecode = LuaRuntime(encoding=None).eval(b"string.dump(function() end)")
    finding = syntax.check(LuaText.of_file("work.lua", bytecode), compiler.check)
    assert finding is not None
    assert "attempt to load a binary chunk" in finding.message


def test_text_inside_yaml_is_marked_where_it_stands_in_yaml() -> None:
    yaml = Source("_index.yaml", "source: |\n    x = = 1\n")
    finding = syntax.check(LuaText(b"\nx = = 1\n", yaml), compiler.check)
    assert finding is not None
    assert finding.place == ("_index.yaml", 2, 9)


WORK = LuaText.of_file(
    "app/work.lua",
    b"local function handler(order)\n  if order.total == null.x then\n    prnt(order)\n"
    b"  end\n  return order.total + order.tax\nend\nreturn handler\n",
)


def raised(message: str, headline: str = "") -> str:
    return render([runtime.finding(message, [WORK], code="H403", headline=headline)])


def test_an_error_of_a_running_script_shows_the_variable() -> None:
    message = "app/work.lua:5: attempt to index a nil value (field 'tax')"
    assert raised(message, "app:work failed").splitlines() == [
        "error[H403]: app:work failed",
        "   ┌─ app/work.lua:5:30",
        " 5 │   return order.total + order.tax",
        "   │                              ^^^ attempt to index a nil value (field 'tax')",
    ]


def test_without_a_headline_luas_sentence_is_one() -> None:
    assert raised("app/work.lua:7: too bad").splitlines() == [
        "error[H403]: too bad",
        "   ┌─ app/work.lua:7",
        " 7 │ return handler",
        "   │ ^^^^^^^^^^^^^^",
    ]


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("app/work.lua:2: attempt to index a nil value (global 'null')", "Lua writes `nil`"),
        ("app/work.lua:3: attempt to call a nil value (global 'prnt')", "did you mean `print`?"),
        ("app/work.lua:3: attempt to index a nil value (global 'loger')", "did you mean `logger`?"),
        (
            "app/work.lua:3: attempt to index a nil value (global 'queue')",
            'write `local queue = require("queue")` at its top',
        ),
    ],
)
def test_an_error_with_a_known_cause_is_answered(message: str, advice: str) -> None:
    assert f"= help: {advice}" in raised(message)


def test_a_name_that_lua_cut_is_recognised_by_its_end() -> None:
    assert "app/work.lua:7" in raised("...p/work.lua:7: too bad")


@pytest.mark.parametrize("message", ["", "too bad", "other.lua:3: too bad", "app/work.lua:99: x"])
def test_an_error_from_elsewhere_is_shown_without_a_frame(message: str) -> None:
    assert "┌─" not in raised(message)


def test_a_traceback_is_no_part_of_the_sentence() -> None:
    assert "traceback" not in raised("app/work.lua:7: too bad\nstack traceback:\n\t[C]: in ?")
