local spies = require("host.test.spies")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

describe("spies.new", function()
  it("answers like the function and remembers the arguments of each call", function()
    local spy, fn = spies.new(math.max)
    eq(fn(1, 3, 2), 3)
    fn(5)
    eq(spy.calls, { { 1, 3, 2 }, { 5 } })
  end)

  it("remembers a call that raised", function()
    local spy, fn = spies.new(error)
    test.fails("lost", fn, "lost")
    eq(spy.calls, { { "lost" } })
  end)

  it("passes on every result", function()
    local _, fn = spies.new(function()
      return nil, "down", nil
    end)
    eq(select("#", fn()), 3)
  end)
end)
