local session_locals = require("host.console.locals")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq
local kept = session_locals.kept

describe("session_locals.kept", function()
  each(
    {
      { from = "local x = 1", to = "      x = 1" },
      { from = "local x, y = 1, 2", to = "      x, y = 1, 2" },
      { from = "local x", to = "      x = nil" },
      { from = "local x; local y = 2", to = "      x = nil;       y = 2" },
      { from = "local function f() return 1 end", to = "      function f() return 1 end" },
      { from = "local a = 1\nlocal b = a", to = "      a = 1\n      b = a" },
      {
        from = "if a then local x = 1 end local y = 2",
        to = "if a then local x = 1 end       y = 2",
      },
    },
    "keeps {from}",
    function(row)
      eq(kept(row.from), row.to)
    end
  )

  each(
    {
      { text = "do local x = 1 end" },
      { text = "for i = 1, 3 do local x = i end" },
      { text = "local x <const> = 1" },
      { text = "local f <close> = g()" },
      { text = "function f() local x = 1 end" },
      { text = "return function() local x = 1 return x end" },
      { text = "while a do local x = 1 end" },
      { text = "repeat local x = 1 until x" },
      { text = "if a then b() elseif c then local x = 1 else local y = 2 end" },
      { text = "print('local x = 1')" },
      { text = "-- local x = 1" },
      { text = "--[[ local x = 1 ]]" },
      { text = "x = [==[ local y = 1 ]==]" },
      { text = 'x = "a \\" local y = 1"' },
      { text = "locals = 1" },
      { text = "x = { local_ = 1 }" },
      { text = "local a b = 3" },
      { text = "local x = 1 local x = 2" },
      { text = "local x = 1 local function x() end" },
      { text = "local a, b = 1 local c, a = 2" },
    },
    "leaves {text} alone",
    function(row)
      eq(kept(row.text), row.text)
    end
  )

  it("moves no line", function()
    local text = "local a = 1\nlocal function f()\n  local b = 2\nend\nlocal c"
    local _, lines = text:gsub("\n", "")
    local _, after = kept(text):gsub("\n", "")
    eq(after, lines)
  end)
end)
