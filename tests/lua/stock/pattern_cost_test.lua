local cost = require("host.stock.pattern_cost")
local items = require("host.stock.pattern_items")
local polynomial = require("host.stock.polynomial")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

--- What is known of a whole pattern.
local function whole(pattern)
  return cost.rests((items.read(pattern)))[0]
end

--- Nanoseconds of one attempt at a subject of so many bytes.
local function attempt(pattern, size)
  return polynomial.at(whole(pattern).any, size)
end

describe("pattern_cost.rests", function()
  it("is linear where what follows parts from what repeats", function()
    local short, long = attempt("%a+%s", 1000), attempt("%a+%s", 2000)
    test.lt(long, 2.5 * short)
  end)

  it("is quadratic where a repetition may end anywhere", function()
    local short, long = attempt(".-b", 1000), attempt(".-.-b", 1000)
    test.gt(long, 100 * short)
  end)

  it("knows what a match can begin with, and whether it can be empty", function()
    eq(whole("%d+").first, { "%d" })
    eq(whole("%d+").may_end, false)
    eq(whole("%d*").may_end, true)
  end)
end)

describe("pattern_cost.longest", function()
  it("shrinks with the degree", function()
    local budget = 1e8
    local linear = cost.longest(cost.every_start(whole("x")), budget)
    local square = cost.longest(cost.every_start(whole("x*y")), budget)
    local cube = cost.longest(cost.every_start(whole(".-.-y")), budget)
    test.gt(linear, square)
    test.gt(square, cube)
    test.gte(cube, 1)
  end)
end)

describe("pattern_cost.jump", function()
  each(
    {
      { pattern = "abc", class = "a" },
      { pattern = "%d+x", class = "%d" },
    },
    "is a class that every match of {pattern} begins with",
    function(row)
      eq(cost.jump(whole(row.pattern)), row.class)
    end
  )
end)

describe("pattern_cost.overlaps", function()
  it("asks whether a class takes what comes next", function()
    test.is_true(cost.overlaps("%w", whole("a")))
    test.is_false(cost.overlaps("%d", whole("a")))
    test.is_true(cost.overlaps(".", whole("a")))
  end)
end)
