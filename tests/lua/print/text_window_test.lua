local test = require("test")
local text_window = require("host.print.text_window")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

describe("text_window.place", function()
  each(
    {
      { got = "one two", expected = "one 2", place = 5 },
      { got = "", expected = "a", place = 1 },
      { got = "ab", expected = "abc", place = 3 },
      { got = ("x"):rep(4097) .. "a", expected = ("x"):rep(4097) .. "b", place = 4098 },
      { got = ("x"):rep(10000), expected = ("x"):rep(9999), place = 10000 },
      { got = ("x"):rep(9000) .. "ab", expected = ("x"):rep(9000) .. "b", place = 9001 },
    },
    "is the first byte that differs: {place}",
    function(row)
      eq(text_window.place(row.got, row.expected), row.place)
      eq(text_window.place(row.expected, row.got), row.place)
    end
  )
end)

describe("text_window.parts", function()
  it("are what lies around the first difference, on both sides", function()
    local same = ("0123456789"):rep(20)
    local got, expected = text_window.parts(same .. "A" .. same, same .. "B" .. same)
    test.matches(got, "^…0123.*789A0123.*…$")
    eq(expected, (got:gsub("A", "B")))
    test.lte(#got, 80)
  end)

  it("are whole where a text is short", function()
    eq({ text_window.parts("abc", "abd") }, { "abc", "abd" })
    eq({ text_window.parts("", "abd") }, { "", "abd" })
  end)

  it("never cut a character in two", function()
    for shift = 0, 7 do
      local same = ("x"):rep(shift) .. ("€ü"):rep(60)
      local got, expected = text_window.parts(same .. "ä" .. same, same .. "ö" .. same)
      test.not_nil(utf8.len(got))
      test.not_nil(utf8.len(expected))
      test.contains(got, "ä")
      test.contains(expected, "ö")
    end
  end)

  it("end where a text ends before the other differs", function()
    local same = ("0123456789"):rep(20)
    local got, expected = text_window.parts(same, same .. "more")
    test.matches(got, "^….*789$")
    test.matches(expected, "^….*789more$")
  end)
end)
