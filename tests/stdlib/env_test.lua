local env = require("env")
local errors = require("errors")
local test = require("test")

test.describe("env.get", function()
  test.it("knows no variable that no entry names, whatever the default", function()
    for _, default in ipairs({ false, "a default" }) do
      local value, err = env.get("MOONQ_NOBODY_NAMES_THIS", default or nil)
      test.is_nil(value)
      test.eq(err:kind(), errors.NOT_FOUND)
    end
  end)

  test.it("refuses what is no name", function()
    test.fails("env.get: name: string expected, got nil", env.get)
  end)
end)
