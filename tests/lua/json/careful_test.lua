local json_careful = require("host.json.careful")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

local function write(value, options)
  local all = { name = "body", pretty = false, cycles = "error" }
  for key, option in pairs(options or {}) do
    all[key] = option
  end
  return json_careful.write(value, all)
end

describe("json_careful.write", function()
  it("sorts names", function()
    eq(write({ b = 1, a = { d = 2, c = 3 } }), '{"a":{"c":3,"d":2},"b":1}')
  end)

  it("indents where that is wanted", function()
    eq(write({ a = { 1 } }, { pretty = true }), '{\n  "a": [\n    1\n  ]\n}')
  end)

  each(
    {
      { value = print, says = "body is a function" },
      { value = { items = { 1, { cb = print } } }, says = "body.items[2].cb is a function" },
      { value = { rate = 0 / 0 }, says = "body.rate is NaN" },
      { value = { ["a b"] = "\xFF" }, says = "body['a b'] is not valid UTF-8 (byte 1)" },
    },
    "names the place: {says}",
    function(row)
      local text, err = write(row.value)
      test.is_nil(text)
      test.contains(err:message(), row.says)
    end
  )

  it("names both ends of a cycle, or writes null for it", function()
    local cycle = { a = {} }
    cycle.a.me = cycle
    local _, err = write(cycle)
    test.contains(err:message(), "body.a.me is body again")
    eq(write(cycle, { cycles = "null" }), '{"a":{"me":null}}')
  end)
end)
