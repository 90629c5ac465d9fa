local lazy = require("host.walls.lazy")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

describe("host.walls.lazy", function()
  it("loads a module when it is first used", function()
    local polynomial = lazy("host.stock.polynomial")
    test.is_nil(next(polynomial))
    eq(polynomial.add({ 1 }, { 2 }), { 3 })
    test.not_nil(next(polynomial))
    eq(polynomial.add({ 1 }, { 2 }), { 3 })
  end)

  it("complains on use about a module that is not there", function()
    local nothing = lazy("host.nobody")
    fails("no trusted module 'host.nobody'", function()
      return nothing.at
    end)
  end)
end)
