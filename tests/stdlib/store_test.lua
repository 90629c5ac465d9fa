local errors = require("errors")
local store = require("store")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

describe("store.open", function()
  it("says that there is no such store", function()
    local opened, err = store.open("app:nobody")
    test.is_nil(opened)
    eq(err:kind(), errors.NOT_FOUND)
  end)

  it("refuses what is no id", function()
    fails("store.open: id: string expected, got nil", store.open)
  end)
end)
