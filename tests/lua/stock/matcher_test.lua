local matcher = require("host.stock.matcher")
local test = require("test")

local describe, it, eq, fails, each = test.describe, test.it, test.eq, test.fails, test.each

describe("matcher.compile", function()
  each(
    {
      { "^a*ab", "aaab", { 1, 4 } },
      { "^a+a", "a", {} },
      { "^a-b", "aab", { 1, 3 } },
      { "^.-$", "abc", { 1, 3 } },
      { "^a?ab?", "ab", { 1, 2 } },
      { "^[^,]*,()", "a,b", { 1, 2, 3 } },
      { "^(.-)%s*$", "a b  ", { 1, 5, "a b" } },
      { "^(.*)%.(%a+)$", "a.b.lua", { 1, 7, "a.b", "lua" } },
      { "^(a*)%1$", "aaaa", { 1, 4, "aa" } },
      { "^()%1", "a", {} },
      { "^x-%f[%W]", "xx y", { 1, 2 } },
      { "^%b()c", "(())c", { 1, 5 } },
      { "^((a)(b?))", "ab", { 1, 2, "ab", "a", "b" } },
    },
    "matches {1}",
    function(row)
      local pattern, subject, expected = table.unpack(row)
      eq({ matcher.compile(pattern)(subject, 1) }, expected)
    end
  )

  it("begins where it is told", function()
    local attempt = matcher.compile("^(%d+)%D")
    eq({ attempt("a12b", 2) }, { 2, 4, "12" })
    test.is_nil(attempt("a12b", 1))
  end)

  it("serves one subject after the other", function()
    local attempt = matcher.compile("^(.-)=(.*)$")
    eq({ attempt("a=1", 1) }, { 1, 3, "a", "1" })
    eq({ attempt("key=value", 1) }, { 1, 9, "key", "value" })
  end)

  it("gives up on what has no end, and works on", function()
    local attempt = matcher.compile("^" .. ("a?"):rep(40) .. ("a"):rep(40))
    fails("pattern too expensive for a subject of this length", attempt, ("a"):rep(40), 1)
    eq({ attempt(("a"):rep(80), 1) }, { 1, 80 })
  end)
end)
