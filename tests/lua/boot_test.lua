-- It takes what it is lent when it is loaded, and a function is lent when it is first asked for.
require("queue")
local lent = require("host.walls.lent")
local test = require("test")

local describe, it, each, eq, fails = test.describe, test.it, test.each, test.eq, test.fails

-- Boot has run when a script can look: this is what it must have left, and what not.
describe("after boot", function()
  each(
    {
      { name = "python" },
      { name = "lupa" },
      { name = "package" },
      { name = "dofile" },
      { name = "loadfile" },
      { name = "loadstring" },
    },
    "a script sees no {name}",
    function(row)
      test.is_nil(_G[row.name])
    end
  )

  it("what Python lends is plain functions", function()
    for name, call in pairs(lent) do
      eq({ name, type(call) }, { name, "function" })
    end
    test.is_function(lent.publish)
  end)

  it("strings have the bounded methods, under a lock", function()
    eq(("a"):rep(3), "aaa")
    eq(getmetatable(""), false)
    fails("too large", function()
      return ("x"):rep(1 << 30)
    end)
  end)

  it("nothing is left to load files with", function()
    fails("is not declared", require, "host.boot.lua")
    fails("is not declared", require, "../boot")
  end)
end)
