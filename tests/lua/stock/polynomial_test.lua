local polynomial = require("host.stock.polynomial")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

describe("polynomial", function()
  it("adds whatever the degrees", function()
    eq(polynomial.add({ 1, 2 }, { 3, 4, 5 }), { 4, 6, 5 })
  end)

  it("bounds the sum over all shorter lengths", function()
    local terms = { 7, 3, 2 }
    for n = 0, 50 do
      local exact = 0
      for m = 0, n do
        exact = exact + polynomial.at(terms, m)
      end
      local bound = polynomial.at(polynomial.sum(terms), n)
      test.gte(bound, exact)
      test.lte(bound, 2 * exact)
    end
  end)

  it("finds the largest n within a bound", function()
    eq(polynomial.largest({ 0, 0, 1 }, 100, 1000), 10)
    eq(polynomial.largest({ 0, 0, 1 }, 99, 1000), 9)
    eq(polynomial.largest({ 5 }, 4, 1000), -1)
    eq(polynomial.largest({ 5 }, 5, 1000), 1000)
  end)

  it("stays finite", function()
    local huge = polynomial.of(1e300, 1e300)
    eq(polynomial.at(polynomial.add(huge, huge), 0), 1e300)
    eq(polynomial.at(huge, 1e9), 1e300)
  end)
end)
