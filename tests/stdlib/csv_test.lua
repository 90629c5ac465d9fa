local csv = require("csv")
local errors = require("errors")
local json = require("json")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

local BARE = { header = false }

describe("csv.decode", function()
  it("reads rows by the names of their columns", function()
    eq(
      csv.decode("id,name\n7,Ann\n8,Bob"),
      { { id = "7", name = "Ann" }, { id = "8", name = "Bob" } }
    )
    eq(csv.decode("id,name\n"), {})
    eq(csv.decode(""), {})
  end)

  for text, expected in pairs({
    ["a,b\r\nc,d\r\n"] = { { "a", "b" }, { "c", "d" } },
    ["a,b\rc,d"] = { { "a", "b" }, { "c", "d" } },
    ['"a,b","c\nd"'] = { { "a,b", "c\nd" } },
    ['"say ""hi""",'] = { { 'say "hi"', "" } },
    [",,\n"] = { { "", "", "" } },
    ["\n"] = { { "" } },
    ['""""""\n'] = { { '""' } },
    ["\xEF\xBB\xBFä"] = { { "ä" } },
    [" a , b "] = { { " a ", " b " } },
  }) do
    it(("reads %q"):format(text), function()
      eq(csv.decode(text, BARE), expected)
    end)
  end

  it("takes other separators", function()
    eq(csv.decode("a;b,c\n", { header = false, separator = ";" }), { { "a", "b,c" } })
    eq(csv.decode("a\tb\n", { header = false, separator = "\t" }), { { "a", "b" } })
    eq(csv.decode("a^b\n", { header = false, separator = "^" }), { { "a", "b" } })
  end)

  for text, message in pairs({
    ['a\n"b'] = "csv: line 2: a quote is opened and never closed",
    ['a\nb"c'] = "csv: line 2: a quote in the midst of a field that has none around it",
    ['a\n"x\ny" z'] = "csv: line 3: text behind a closing quote",
    ["a,b\n1,2\n3"] = "csv: line 3 has 1 fields, the header 2",
    ["a\n1,2"] = "csv: line 2 has 2 fields, the header 1",
    ["a,b,a\n"] = "csv: line 1: columns 1 and 3 are both called 'a'",
  }) do
    it(("answers an error to %q"):format(text), function()
      local rows, err = csv.decode(text)
      test.is_nil(rows)
      eq(err:kind(), errors.INVALID)
      eq(err:message(), message)
    end)
  end

  it("refuses separators that could not be told from the rest", function()
    for _, separator in ipairs({ "", ";;", '"', "\n" }) do
      fails(
        "csv.decode: option 'separator': one byte expected",
        csv.decode,
        "a",
        { separator = separator }
      )
    end
  end)

  it("takes no time to speak of for a megabyte", function()
    eq(#csv.decode(("1,2,3,4\n"):rep(20000), BARE), 20000)
    local _, err = csv.decode('"' .. ('"'):rep(100000), BARE)
    test.contains(err:message(), "never closed")
  end)
end)

describe("csv.rows", function()
  it("answers one row at a time, with its line", function()
    local seen = {}
    for row, line in csv.rows('id,note\n1,"a\nb"\n2,c\n') do
      seen[#seen + 1] = { row.id, line }
    end
    eq(seen, { { "1", 2 }, { "2", 4 } })
  end)

  it("raises where the text is malformed", function()
    fails("csv: line 2 has 2 fields, the header 1", function()
      for _ in csv.rows("a\n1,2\n") do
        test.ok(false, "there is no such row")
      end
    end)
  end)
end)

describe("csv.encode", function()
  it("writes lists, and fields by their columns", function()
    eq(csv.encode({ { 1, "x" }, { 2, true } }), "1,x\r\n2,true\r\n")
    local rows = { { id = 7, name = "Ann", age = 3 } }
    eq(csv.encode(rows, { columns = { "id", "name" } }), "id,name\r\n7,Ann\r\n")
    eq(csv.encode(rows, { columns = { "id" }, header = false, eol = "\n" }), "7\n")
  end)

  it("puts quotes around what needs them", function()
    eq(csv.encode({ { "a,b", 'c"d', "e\nf", " g" } }), '"a,b","c""d","e\nf"," g"\r\n')
    eq(csv.encode({ { "a,b", "c;d" } }, { separator = ";" }), 'a,b;"c;d"\r\n')
  end)

  it("writes numbers as they are, and nothing for nil and null", function()
    eq(csv.encode({ { 2.0, 2.5, 1e300, json.null, -7 } }), "2,2.5,1e+300,,-7\r\n")
    eq(csv.encode({ { a = 1 } }, { columns = { "a", "b" } }), "a,b\r\n1,\r\n")
  end)

  it("is read back as it was", function()
    local rows = { { "", "" }, { 'a "b", c', "\r\n" }, { "ü", " " }, { "x", "y" } }
    eq(csv.decode(csv.encode(rows), BARE), rows)
    eq(csv.decode(csv.encode({ { "" } }), BARE), { { "" } })
  end)

  it("answers an error to what has no text", function()
    local text, err = csv.encode({ { 1 }, { {} } })
    test.is_nil(text)
    eq(err:message(), "csv.encode: row 2: 1: string, number, boolean or nil expected, got table")
    eq(select(2, csv.encode({ 1 })):message(), "csv.encode: row 1: table expected, got number")
  end)
end)
