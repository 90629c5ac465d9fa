local expansion = require("host.stock.expansion")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

--- What a replacement becomes for one match.
local function expand(replacement, ...)
  return expansion.fill(expansion.read(replacement), ...)
end

describe("expansion", function()
  it("puts in the match, its captures and percent signs", function()
    eq(expand("<%0|%2|%1>%%", "a=1", "a", "1"), "<a=1|1|a>%")
    eq(expand("", "x"), "")
    eq(expand("at %1", "", 7), "at 7")
  end)

  it("takes the whole match for the first capture where there is none", function()
    eq(expand("[%1]", "x"), "[x]")
    fails("invalid capture index %2", expand, "%2", "x")
    fails("invalid capture index %2", expand, "%2", "x", "x")
  end)

  it("refuses other escapes", function()
    fails("invalid use of '%' in replacement string", expansion.read, "%a")
    fails("invalid use of '%' in replacement string", expansion.read, "100%")
  end)
end)
