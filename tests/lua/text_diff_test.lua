local test = require("test")
local text_diff = require("host.text_diff")

local describe, it, eq = test.describe, test.it, test.eq

describe("text_diff.lines", function()
  it("marks what was expected and what is there", function()
    eq(text_diff.lines("one\ntwo\nthree", "one\n2\nthree"), { "  one", "- 2", "+ two", "  three" })
  end)

  it("finds an inserted line and leaves the others alone", function()
    eq(text_diff.lines("a\nnew\nb", "a\nb"), { "  a", "+ new", "  b" })
    eq(text_diff.lines("a\nb", "a\ngone\nb"), { "  a", "- gone", "  b" })
  end)

  it("keeps what both share between two changes", function()
    eq(text_diff.lines("1\nb\n3", "x\nb\ny"), { "- x", "+ 1", "  b", "- y", "+ 3" })
  end)

  it("leaves out what lies far from a change", function()
    local expected = "1\n2\n3\n4\n5\n6\n7\n8\n9"
    local got = expected:gsub("5", "five")
    eq(text_diff.lines(got, expected), { "  …", "  4", "- 5", "+ five", "  6", "  …" })
  end)

  it("is never longer than twelve lines", function()
    local got, expected = {}, {}
    for index = 1, 40 do
      got[index], expected[index] = "g" .. index, "e" .. index
    end
    local lines = text_diff.lines(table.concat(got, "\n"), table.concat(expected, "\n"))
    eq(#lines, 12)
    eq(lines[12], "… 69 more lines")
  end)

  it("takes large texts as wholly changed and does not search for ever", function()
    local got, expected = ("a\n"):rep(2000), ("b\n"):rep(2000)
    eq(#text_diff.lines(got, expected), 12)
  end)
end)
