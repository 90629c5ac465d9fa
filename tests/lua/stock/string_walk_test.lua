local test = require("test")
local walk = require("host.stock.string_walk")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

describe("string_walk", function()
  each(
    {
      { s = "one two", text = "o", init = 1 },
      { s = "one two", text = "o", init = 2 },
      { s = "one two", text = "o", init = -1 },
      { s = "one two", text = "x", init = 1 },
      { s = "one", text = "", init = 2 },
    },
    "finds plain text as stock Lua: {text} from {init}",
    function(row)
      eq(
        { walk.plain(row.s, row.text, row.init) },
        { string.find(row.s, row.text, row.init, true) }
      )
    end
  )

  it("finds and matches from a place on", function()
    eq({ walk.find("a1b22", "(%d+)", 3) }, { 4, 5, "22" })
    eq({ walk.match("a1b22", "%d+", 3) }, { "22" })
    eq({ walk.match("a1b22", "(%a)(%d)", 1) }, { "a", "1" })
    eq({ walk.match("abc", "%d", 1) }, {})
  end)

  it("goes through all matches", function()
    local found = {}
    for word in walk.gmatch("one two  three", "%a+", 1) do
      found[#found + 1] = word
    end
    eq(found, { "one", "two", "three" })
  end)

  each(
    {
      { what = "a text", with = "<%0>", result = "<a><b>", count = 2 },
      { what = "a table", with = { a = "1" }, result = "1b", count = 2 },
      {
        what = "a function",
        with = function(letter)
          return letter == "b" and "B"
        end,
        result = "aB",
        count = 2,
      },
    },
    "puts in {what}",
    function(row)
      eq({ walk.gsub("ab", "%a", row.with, math.maxinteger) }, { row.result, row.count })
    end
  )

  it("puts in so many and no more", function()
    eq({ walk.gsub("aaa", "a", "b", 2) }, { "bba", 2 })
    eq({ walk.gsub("aaa", "^a", "b", 9) }, { "baa", 1 })
    eq({ walk.gsub("ab", "", "-", 9) }, { "-a-b-", 3 })
  end)
end)
