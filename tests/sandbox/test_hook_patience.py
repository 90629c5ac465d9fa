"""No call of a bounded function keeps a time hook waiting.

Each attack runs with a hook on every instruction, which ends it after a while and keeps the longest
time that it had to wait: the longest stay in C.
"""

from __future__ import annotations

from typing import Any

import pytest
from lupa.lua54 import LuaRuntime

from moonq.sandbox import chunks

#: Seconds of processor time; the aim is 0.1, and a shared machine is slow at odd moments.
PATIENCE = 0.25

_HARNESS = b"""
local source = ...
local loaded = {}
function require(name)
  loaded[name] = loaded[name] or load(source(name), name, "b")(name)
  return loaded[name]
end
local clock, sethook = os.clock, debug.sethook
local env = {
  string = require("host.stock.strings").new(),
  table = require("host.stock.tables").new(),
  setmetatable = setmetatable,
  math = math,
  endless = setmetatable({}, { __len = function() return 1 << 50 end }),
  A = ("a"):rep(1000000),
  long = { ("x"):rep(2000000), ("x"):rep(1999999) .. "y" },
}
for index = 3, 20000 do
  env.long[index] = env.long[index % 2 + 1]
end
local numbers = {}
for index = 1, 1000000 do
  numbers[index] = index * 1.5
end
env.numbers = numbers

return function(text)
  local run = load(text, "=attack", "t", env)
  local start = clock()
  local last, longest = start, 0
  local function look()
    local now = clock()
    longest, last = math.max(longest, now - last), now
    if now - start > 0.1 then
      sethook()
      error("time is over", 0)
    end
  end
  sethook(look, "", 1)
  pcall(run)
  sethook()
  return math.max(longest, clock() - last)
end
"""


@pytest.fixture(scope="module")
def longest_wait() -> Any:
    return LuaRuntime(encoding=None).execute(_HARNESS, chunks.source)


@pytest.mark.parametrize(
    "attack",
    [
        'string.find(("a"):rep(40), ("a?"):rep(40) .. ("a"):rep(40))',
        'string.find(("a"):rep(3000), (".-"):rep(6) .. "b")',
        'string.find(A, ".-b")',
        'string.find(A, ".*b")',
        'string.find(("("):rep(1000000), "%b()")',
        'string.find(A, "[" .. ("bc"):rep(200) .. "]")',
        'string.find(A, "(.*)%1x")',
        'string.find(A, "%a+%d")',
        'string.find(A .. A, A .. "b", 1, true)',
        'string.match("x" .. (" "):rep(100000) .. "x", "^%s*(.-)%s*$")',
        'string.gsub(A, ".", {})',
        'string.gsub(A, "(b*)", ("%1"):rep(50))',
        'string.gsub(A:sub(1, 10000), "(b*)", ("%1"):rep(50000))',
        'for _ in string.gmatch(A, "(.-)b") do end',
        'string.rep("", 1e18)',
        "table.concat(numbers)",
        "table.sort(numbers)",
        "table.sort(long)",
        "table.sort(numbers, math.ult)",
        "table.insert(numbers, 1, 0)",
        "table.move({}, 1, 1e15, 2)",
        "table.insert(endless, 1, 0)",
        "table.remove(endless, 1)",
        "table.concat(setmetatable({}, { __len = function() return 1 << 50 end, __index = A }))",
        "table.unpack(endless)",
    ],
)
def test_a_hook_fires_in_time_during(longest_wait: Any, attack: str) -> None:
    assert longest_wait(attack.encode()) < PATIENCE
