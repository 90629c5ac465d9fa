local assertions = require("host.test.assertions")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

-- What each says when it fails is the business of test_test.lua; here is what it finds.
describe("an assertion", function()
  each(
    {
      { name = "eq", "a", "a" },
      { name = "neq", 1, 2 },
      { name = "near", 1.0, 1.05, 0.1 },
      { name = "match", { a = 1, b = 2 }, { a = 1 } },
      { name = "contains", "abc", "b" },
      { name = "one_of", 2, { 1, 2 } },
      { name = "len", "abc", 3 },
    },
    "finds nothing when it holds: {name}",
    function(row)
      test.is_nil(assertions[row.name](table.unpack(row)))
    end
  )

  each(
    {
      { name = "eq", code = "T701", 1, 2 },
      { name = "match", code = "T701", { a = 1 }, { a = 2 } },
      { name = "near", code = "T701", 1.0, 2.0, 0.1 },
      { name = "contains", code = "T703", "abc", "x" },
      { name = "len", code = "T703", "abc", 4 },
    },
    "has the code {code} when {name} does not",
    function(row)
      local found = assertions[row.name](table.unpack(row))
      eq(found.code, row.code)
      test.matches(found.text, "^expected ")
    end
  )

  it("compares in all four orders", function()
    for order, holds in pairs({ gt = false, gte = true, lt = false, lte = true }) do
      eq(assertions.order(order, 3, 3) == nil, holds)
    end
  end)
end)
