"""What `stdlib/README.md` says of the differences to stock Lua is so, and it lists every module."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lupa.lua54 import LuaRuntime
from states import failure, opened

#: Enough garbage for the collector to come by.
CHURN = "for i = 1, 60 do local _ = ('x'):rep(100000) .. i end"
#: A function's body, which must hold here; and whether it holds in stock Lua as well.
CLAIMS = {
    "1": ("return not (package or dofile or loadfile or os.execute or os.getenv)", False),
    "1 traceback": (
        "return not debug.traceback():find('[C]', 1, true) and not debug.sethook",
        False,
    ),
    "1 upvalues": (
        """
        local function f() return f end
        return debug.getupvalue(f, 1) == "f" and not debug.getupvalue(pcall, 1)
        """,
        True,
    ),
    "1 open": ("return not io.open('/etc/passwd')", False),
    "2": ("return not load((' '):rep(48 * 1024 + 1))", False),
    "2 count": ("return collectgarbage('stop') == 0 and collectgarbage('isrunning')", False),
    "3": ("return not pcall(load('x = 1'))", False),
    "3 next": ("return next(_G) == pairs(_G)(_G) and next(string) ~= nil", True),
    "3 library": ("return not pcall(rawset, string, 'x', 1)", False),
    "3 read": ("return rawget(_G, 'string') == string and rawget(string, 'rep') ~= nil", True),
    "4": ("return ('x').rep ~= nil and ('x').trim == nil", True),
    "5": (
        f"local t = setmetatable({{}}, {{ __mode = 'v' }}) t[1] = {{}} {CHURN} return t[1] ~= nil",
        False,
    ),
    "5 gc": (
        f"""
        local ran = false
        setmetatable({{}}, {{ __gc = function() ran = true end }})
        {CHURN}
        return not ran
        """,
        False,
    ),
    "5 keys": ("return getmetatable(setmetatable({}, { __mode = 'k' })).__mode == 'k'", True),
    "5 complete": (
        "local C = {} local o = setmetatable({}, C) C.__add = rawequal return o + o == true",
        True,
    ),
    "5 locked": (
        "return not pcall(setmetatable, string, {}) and not getmetatable('')",
        False,
    ),
    "6": ("return not pcall(string.rep, 'x', (16 << 20) + 1)", False),
    "6 pattern": ("return not pcall(string.find, '', ('x?'):rep(300))", False),
    "7": (
        "return not pcall(table.unpack, {}, 1, 5001) and #{ table.unpack({}, 1, 5000) } == 0",
        False,
    ),
    "7 nil": (
        "return select(2, pcall(string.rep)):find('got nil') ~= nil",
        False,
    ),
    "7 return": (
        "return select(2, pcall(function() return table.insert(5, 1) end)):find('^bad') ~= nil",
        False,
    ),
    "7 sort": ("return pcall(table.sort, setmetatable({ 2, 1 }, {}))", True),
    "8": (
        "return select(2, xpcall(function() error() end, debug.traceback)):find('in function <')",
        True,
    ),
    "8 level": (
        "local _, text = pcall(error, 'x', 2) return text == 'x'",
        False,
    ),
    "10": ("return not pcall(os.date, ('x'):rep(65)) and not pcall(os.date, '%Ec')", False),
    "close of the dead": (
        """
        local closed = false
        local co = coroutine.create(function()
          local _ <close> = setmetatable({}, { __close = function() closed = true end })
          error("x")
        end)
        local is_late = not coroutine.resume(co) and not closed
        return is_late and not coroutine.close(co) and closed
        """,
        True,
    ),
    "close of a wrapped one": (
        """
        local closed = false
        local co = coroutine.wrap(function()
          local _ <close> = setmetatable({}, { __close = function() closed = true end })
          error("x", 0)
        end)
        local ok, problem = pcall(function() co() return 1 end)
        return not ok and closed and problem:find(":%d+: x$") ~= nil
        """,
        True,
    ),
    "yield over pcall": (
        """
        local co = coroutine.wrap(function() return pcall(coroutine.yield, 1) end)
        return co() == 1 and co(2) == true
        """,
        True,
    ),
    "identity": ("local m = {} return getmetatable(setmetatable({}, m)) == m", True),
    "wrap's error": (
        "local ok, err = pcall(coroutine.wrap(error), 'x', 0) return not ok and err == 'x'",
        True,
    ),
}


#: What scripts do wrong; each is told in stock Lua's words, with its place and argument number.
MISTAKES = """
table.insert(5, 1)
table.insert({})
table.insert("x", 1)
table.insert({}, 1, 2, 3)
table.insert({ 1, 2 }, 7, 1)
table.insert({ 1 }, "x", 1)
table.insert(setmetatable({}, { __len = function() return "x" end }), 1)
table.remove(5)
table.remove(5, 1)
table.remove({ 1 }, 7)
table.unpack(5)
table.unpack()
table.unpack({}, "x")
table.concat({ {} })
table.concat(5)
table.sort({ 1, "x" })
table.sort(5)
table.sort({}, 5)
table.sort(setmetatable({}, { __len = function() return math.maxinteger end }))
rawget(1)
next(1)
next({}, 1)
load({})
load("x", {})
load(nil)
select(2, load("return 1", "x", "b"))
select(2, load("x ="))
select(2, load("x =", "=y"))
select(2, load(function() return {} end))
select(2, load(function() error("bad") end))
load("return x", "n", "t", nil)()
collectgarbage("x")
os.date("%Q")
os.date({})
string.rep("x", {})
("x"):rep({})
("x"):find(nil)
string.gsub("x", "x", "%2")
string.format("%d", "x")
coroutine.wrap(function() error("q") end)()
error("x", 2)
error({})
"""


def test_mistakes_are_told_as_stock_lua_tells_them() -> None:
    texts = [text for text in MISTAKES.splitlines() if text]
    told = """
      local said = {}
      for text in TEXTS:gmatch("[^\\n]+") do
        local value = select(2, pcall(load("local x = " .. text .. " return x", "=f")))
        said[#said + 1] = type(value) == "table" and "a table" or tostring(value)
      end
      return table.concat(said, "\\n")
    """
    script = f"TEXTS = [[\n{MISTAKES}]]\n"
    ours = failure(f"{script} return function() return nil, (function() {told} end)() end").message
    stock = LuaRuntime(unpack_returned_tuples=True).execute(script + told)
    pairs = zip(texts, ours.split("\n"), stock.split("\n"), strict=True)
    assert [(text, mine, theirs) for text, mine, theirs in pairs if mine != theirs] == []


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_difference_is_as_the_readme_says(claim: str) -> None:
    body, holds_in_stock_lua = CLAIMS[claim]
    answer = failure(f"return function() return nil, not not (function() {body} end)() end").message
    assert answer == "true"
    stock = LuaRuntime(unpack_returned_tuples=True).execute(f"return (function() {body} end)()")
    assert bool(stock) == holds_in_stock_lua


def test_a_local_of_the_file_lives_as_long_as_the_worker() -> None:
    state = opened("local n = 0 return function(body) n = n + 1 assert(n == body) end")
    assert state.deliver(2.0, [b"1", b"2"]).outcomes == ()
    state.close()


def test_the_readme_lists_every_module_and_no_other(root: Path) -> None:
    listed = re.findall(r"^\| `(\w+)` \|", (root / "stdlib" / "README.md").read_text(), re.M)
    assert listed == sorted(path.stem for path in (root / "stdlib").glob("*.lua"))


def test_the_differences_are_ten_and_numbered(root: Path) -> None:
    numbers = re.findall(r"^(\d+)\. ", (root / "stdlib" / "README.md").read_text(), re.M)
    assert numbers == [str(number) for number in range(1, 11)]
