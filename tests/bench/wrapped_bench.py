"""What the sandbox's own functions cost beside stock Lua's.

Prints nanoseconds per call of both and their ratio, which is to stay below two. Rows at the floor
of what can be done, a little above it: `rawget` and `rawset` (a Lua call around 25 ns of C) and
the whole life of a wrapped coroutine (a hook for each). Rows above it: a global or a library's
field is read through a read-only view, and `insert` and `unpack` ask first what they were given,
which C tells without a call, or their complaints would be about a line of the host's.
"""

from __future__ import annotations

from lupa.lua54 import LuaRuntime

from moonq.sandbox import chunks

_BENCH = rb"""
local source = ...
local loaded = {}
local function nothing() end
loaded["host.raw"] = { log = nothing, settle = nothing, message = nothing }
loaded["host.waits"] = {}
-- As in a state: metatables are the script's own.
loaded["host.walls.names"] = { gc = "__gc", mode = "__mode", are_hidden = true }
function require(name)
  loaded[name] = loaded[name] or load(source(name), name, "b")(name)
  return loaded[name]
end

local ours = {
  string = require("host.stock.strings").new(),
  table = require("host.stock.tables").new(),
}
local stock = { string = string, table = table }
local line = "2024-05-01 12:30:05 INFO order=1234 customer=acme total=17.50 EUR"
local page = line:rep(8, "\n") .. "\nthe end"
local words = {}
for word in line:gmatch("%S+") do
  words[#words + 1] = word
end
local thirty = {}
for i = 1, 30 do
  thirty[i] = i
end

-- Each body gets the library, runs `count` times, and is kept free of anything else.
local CASES = {
  { "find plain", function(s, count) for _ = 1, count do s.find(page, "the end", 1, true) end end },
  { "find", function(s, count) for _ = 1, count do s.find(line, "%a+=%d+") end end },
  { "find init", function(s, count) for _ = 1, count do s.find(line, "%S+", 30) end end },
  { "match captures", function(s, count)
    for _ = 1, count do s.match(line, "^(%d+)-(%d+)-(%d+) (%S+)") end
  end },
  { "match blank", function(s, count) for _ = 1, count do s.match("    ", "^%s*$") end end },
  { "gmatch", function(s, count)
    for _ = 1, count do for _ in s.gmatch(line, "%S+") do end end
  end },
  { "gsub text", function(s, count) for _ = 1, count do s.gsub(line, "%d+", "#") end end },
  { "gsub captures", function(s, count)
    for _ = 1, count do s.gsub(line, "(%a+)=(%w+)", "%2=%1") end
  end },
  { "gsub function", function(s, count)
    local function same(word) return word end
    for _ = 1, count do s.gsub(line, "%a+", same) end
  end },
  { "gsub table", function(s, count)
    local names = { INFO = "info" }
    for _ = 1, count do s.gsub(line, "%a+", names) end
  end },
  { "rep", function(s, count) for _ = 1, count do s.rep("ab", 32) end end },
  { "upper", function(s, count) for _ = 1, count do s.upper(line) end end },
  { "reverse", function(s, count) for _ = 1, count do s.reverse(line) end end },
  { "concat", function(t, count) for _ = 1, count do t.concat(words, ",") end end, "table" },
  { "insert", function(t, count)
    local list = {}
    for i = 1, count do t.insert(list, i) end
  end, "table" },
  { "insert first", function(t, count)
    for _ = 1, count // 30 do
      local list = {}
      for i = 1, 30 do t.insert(list, 1, i) end
    end
  end, "table" },
  { "remove", function(t, count)
    local list = {}
    for i = 1, count do list[i] = i end
    for _ = 1, count do t.remove(list) end
  end, "table" },
  { "remove first", function(t, count)
    for _ = 1, count // 30 do
      local list = stock.table.move(thirty, 1, 30, 1, {})
      for _ = 1, 30 do t.remove(list, 1) end
    end
  end, "table" },
  { "move", function(t, count)
    local copy = {}
    for _ = 1, count do t.move(thirty, 1, 30, 3, copy) end
  end, "table" },
  { "sort", function(t, count)
    for _ = 1, count do t.sort({ 5, 3, 8, 1, 9, 2, 7, 4, 6, 0 }) end
  end, "table" },
  { "sort by", function(t, count)
    local function falling(a, b) return a > b end
    for _ = 1, count do t.sort({ 5, 3, 8, 1, 9, 2, 7, 4, 6, 0 }, falling) end
  end, "table" },
  { "unpack", function(t, count) for _ = 1, count do t.unpack(words) end end, "table" },
}

-- Scripts with the globals of a script or with stock ones. They get the times to go. What they call
-- is in locals: to read a global or a library's field has rows of its own.
local LOCALS = [[local error, print, tostring, utf8 = error, print, tostring, utf8
  local pcall, xpcall, load, rawget, rawset = pcall, xpcall, load, rawget, rawset
  local getmetatable, setmetatable = getmetatable, setmetatable
  local create, resume, wrap, yield =
    coroutine.create, coroutine.resume, coroutine.wrap, coroutine.yield
]]
local SCRIPTS = {
  { "pcall", "for _ = 1, ... do pcall(tostring, 1) end" },
  { "pcall error", "for _ = 1, ... do pcall(error, 'x') end" },
  { "pcall in coroutine", [[wrap(function(count)
    for _ = 1, count do pcall(tostring, 1) end end)(...)]] },
  { "xpcall", "for _ = 1, ... do xpcall(tostring, print, 1) end" },
  { "xpcall error", [[local function h(m) return m end
    for _ = 1, ... do xpcall(error, h, 'x') end]] },
  { "new object", "local C = {} C.__index = C for _ = 1, ... do setmetatable({}, C) end" },
  { "new child object", [[local C = setmetatable({}, { __index = {} }) C.__index = C
    for _ = 1, ... do setmetatable({}, C) end]] },
  { "new metatable", "for _ = 1, ... do setmetatable({}, { __index = {} }) end" },
  { "new class", [[for _ = 1, ... do
    local C = {} C.__index = C setmetatable({}, C) end]] },
  { "method call", [[local C = {} C.__index = C function C.m() end
    local o = setmetatable({}, C) for _ = 1, ... do o:m() end]] },
  { "inherited call", [[local B = {} B.__index = B function B.m() end
    local C = setmetatable({}, B) C.__index = C
    local o = setmetatable({}, C) for _ = 1, ... do o:m() end]] },
  { "getmetatable", "local o = setmetatable({}, {}) for _ = 1, ... do getmetatable(o) end" },
  { "rawget", "local t = { a = 1 } for _ = 1, ... do rawget(t, 'a') end" },
  { "rawset", "local t = {} for _ = 1, ... do rawset(t, 'a', 1) end" },
  { "coroutine.create", "for _ = 1, ... do create(print) end" },
  { "create and resume", "local function f() end for _ = 1, ... do resume(create(f)) end" },
  { "wrap and call", "local function f() end for _ = 1, ... do wrap(f)() end" },
  { "yield, wrapped", [[local co = wrap(function() while true do yield() end end)
    for _ = 1, ... do co() end]] },
  { "yield, resumed", [[local co = create(function() while true do yield() end end)
    for _ = 1, ... do resume(co) end]] },
  { "load", "for _ = 1, ... // 10 do load('return 1') end" },
  { "pairs of a library", "for _ = 1, ... // 10 do for _ in pairs(utf8) do end end" },
  { "read: a global", "local n for _ = 1, ... do n = next end return n" },
  { "read: math.pi", "local n for _ = 1, ... do n = math.pi end return n" },
}

local function nanoseconds(body, library, count)
  local best = math.huge
  for _ = 1, 7 do
    collectgarbage()
    local start = os.clock()
    if library then
      body(library, count)
    else
      body(count)
    end
    best = math.min(best, os.clock() - start)
  end
  return best / count * 1e9
end

local rows = {}
for _, case in ipairs(CASES) do
  local name, body, library = case[1], case[2], case[3] or "string"
  local raw = nanoseconds(body, stock[library], 40000)
  local wrapped = nanoseconds(body, ours[library], 40000)
  rows[#rows + 1] = ("%-18s %8.0f %8.0f %6.2f"):format(name, raw, wrapped, wrapped / raw)
end
local globals, seal = require("host.walls.world").new({ id = "bench", require = require })
seal()
require("host.walls.metatables").reset()
for _, case in ipairs(SCRIPTS) do
  local name, text = case[1], case[2]
  local raw = nanoseconds(load(LOCALS .. text, "=stock", "t", _G), nil, 40000)
  local wrapped = nanoseconds(load(LOCALS .. text, "=ours", "t", globals), nil, 40000)
  rows[#rows + 1] = ("%-18s %8.0f %8.0f %6.2f"):format(name, raw, wrapped, wrapped / raw)
end
return table.concat(rows, "\n")
"""


def main() -> None:
    """Print the table."""
    runtime = LuaRuntime(encoding=None)
    rows = runtime.execute(_BENCH, chunks.source)
    print("wrapped functions, ns per call")
    print(f"{'':18} {'stock':>8} {'ours':>8} {'ratio':>6}")
    print(rows.decode())


if __name__ == "__main__":
    main()
