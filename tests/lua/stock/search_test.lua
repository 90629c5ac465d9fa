local patterns = require("host.stock.patterns")
local search = require("host.stock.search")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

local function from(subject, pattern, place, last)
  return { search.from(patterns.plan(pattern), subject, place or 1, last) }
end

describe("search.from", function()
  each(
    {
      { subject = "hello world", pattern = "o w" },
      { subject = "hello", pattern = "(l+)(o)" },
      { subject = "hello", pattern = "^l" },
      { subject = "hello", pattern = "$" },
      { subject = "key = value", pattern = "(%w+)%s*=%s*(%w+)" },
      { subject = "f(a(b)c)", pattern = "%b()" },
      { subject = "", pattern = "x*" },
    },
    "finds what string.find does: {pattern} in {subject}",
    function(row)
      eq(from(row.subject, row.pattern), { string.find(row.subject, row.pattern) })
    end
  )

  it("begins at the place it is given", function()
    eq(from("abcabc", "b", 3), { 5, 5 })
    eq(from("abc", "b", 3), {})
  end)

  it("does not count a match that ends where the last one did", function()
    eq(from("ab", "x*", 1, 0), { 2, 1 })
  end)
end)
