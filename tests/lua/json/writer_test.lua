local json_writer = require("host.json.writer")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

describe("json_writer.quoted", function()
  it("escapes what JSON wants escaped", function()
    eq(json_writer.quoted('a"\\\n\1€'), '"a\\"\\\\\\n\\u0001€"')
    eq(json_writer.quoted(""), '""')
  end)
end)

describe("json_writer.float_text", function()
  each(
    {
      { value = 1.0, text = "1.0" },
      { value = 0.1, text = "0.1" },
      { value = 1e100, text = "1e+100" },
      { value = 2.0 ^ 53, text = "9007199254740992.0" },
    },
    "reads as the same float: {text}",
    function(row)
      local text = json_writer.float_text(row.value)
      eq(text, row.text)
      eq(tonumber(text), row.value)
    end
  )

  it("has none for NaN and infinity", function()
    test.is_nil(json_writer.float_text(0 / 0))
    test.is_nil(json_writer.float_text(math.huge))
  end)
end)

describe("json_writer.write", function()
  it("writes what is plain", function()
    eq(json_writer.write({ 1, 2.0, "a", true, { id = 7 } }), '[1,2.0,"a",true,{"id":7}]')
  end)

  each(
    {
      { what = "functions", value = { print } },
      { what = "mixed keys", value = { 1, x = 2 } },
      { what = "lists with holes", value = { 1, nil, 3 } },
      { what = "invalid UTF-8", value = "\xFF" },
      { what = "NaN", value = 0 / 0 },
    },
    "gives up without a word at {what}",
    function(row)
      test.is_nil(json_writer.write(row.value))
    end
  )

  it("gives up at a cycle, however deep it would go", function()
    local cycle = {}
    cycle[1] = cycle
    test.is_nil(json_writer.write(cycle))
  end)
end)
