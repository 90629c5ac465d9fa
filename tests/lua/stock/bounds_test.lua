local bounds = require("host.stock.bounds")
local test = require("test")

test.describe("bounds", function()
  test.it("hold for the strings that scripts make", function()
    test.eq(#string.rep("x", bounds.LONGEST), bounds.LONGEST)
    test.fails(bounds.TOO_LARGE, string.rep, "x", bounds.LONGEST + 1)
  end)
end)
