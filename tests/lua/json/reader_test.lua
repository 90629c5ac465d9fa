local json_reader = require("host.json.reader")
local json = require("json")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

describe("json_reader.read", function()
  it("reads values of every kind", function()
    eq(
      json_reader.read('{"a": [1, -2.5, true, false, "x"]}'),
      { a = { 1, -2.5, true, false, "x" } }
    )
  end)

  it("tells integers from floats", function()
    local values = json_reader.read("[1, 1.0, 1e2, 9223372036854775807, 9223372036854775808]")
    local types = {}
    for place, value in ipairs(values) do
      types[place] = math.type(value)
    end
    eq(types, { "integer", "float", "float", "integer", "float" })
  end)

  it("reads escapes", function()
    eq(json_reader.read([["\u20ac\ud83d\ude00\n\/"]]), "€😀\n/")
  end)

  each(
    {
      { text = '{"id": }', at = "line 1, column 8" },
      { text = "[1,\n2,]", at = "line 2, column 3" },
      { text = '"€" x', at = "line 1, column 5" },
      { text = "", at = "line 1, column 1" },
      { text = "01", at = "line 1, column 1" },
    },
    "says where it cannot go on: {text}",
    function(row)
      local value, err = json_reader.read(row.text)
      test.is_nil(value)
      test.error_kind(err, errors.INVALID)
      test.contains(err:message(), row.at)
    end
  )

  it("refuses what lies too deep", function()
    test.no_error(json_reader.read(("["):rep(100) .. ("]"):rep(100)))
    test.has_error(json_reader.read(("["):rep(200) .. ("]"):rep(200)))
  end)
end)

describe("json_reader.read_body", function()
  local read_body = json_reader.read_body

  it("leaves fields out that are null, at every depth", function()
    eq(read_body('{"a": null, "b": {"c": null, "d": 1}, "e": [{"f": null}]}'), {
      b = { d = 1 },
      e = { {} },
    })
  end)

  it("lets a later null take an earlier value of the same name away", function()
    eq(read_body('{"a": 1, "a": null}'), {})
    eq(read_body('{"a": null, "a": 1}'), { a = 1 })
  end)

  it("keeps the place of a null in a list, and a null that is all there is", function()
    local list = read_body("[null, 1, null]")
    eq({ #list, list[1] == json.null, list[3] == json.null }, { 3, true, true })
    test.is(read_body("null"), json.null)
  end)

  it("leaves the next reader of a text every null", function()
    read_body('{"a": null}')
    test.is(json_reader.read('{"a": null}').a, json.null)
  end)

  it("refuses what it would refuse with other values", function()
    for _, text in ipairs({ '{"a":null,}', '{"a":null', '{"a":nul}', "{,}", '{"a":null "b":1}' }) do
      test.has_error(read_body(text))
    end
  end)
end)
