local errors = require("errors")
local funcs = require("funcs")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

describe("funcs.call", function()
  it("says that there is no such function", function()
    local result, err = funcs.call("app:nobody")
    test.is_nil(result)
    eq(err:kind(), errors.NOT_FOUND)
  end)

  it("names the argument that cannot be passed", function()
    local _, err = funcs.call("app:nobody", 1, { cb = print })
    test.contains(tostring(err), "funcs.call: argument 2.cb is a function")
  end)

  it("refuses what is no id", function()
    fails("funcs.call: id: string expected, got nil", funcs.call)
  end)
end)
