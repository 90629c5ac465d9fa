local json_values = require("host.json.values")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

describe("json_values.null", function()
  it("is a value of its own that nobody can change", function()
    test.not_nil(json_values.null)
    eq(tostring(json_values.null), "null")
    test.is_not(json_values.null, {})
    fails("", function()
      json_values.null.x = 1
    end)
  end)
end)

describe("json_values.EMPTY", function()
  it("knows nothing of tables that nobody marked", function()
    test.is_nil(json_values.EMPTY[{}])
  end)
end)
