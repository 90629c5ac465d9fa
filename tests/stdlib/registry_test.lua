local errors = require("errors")
local registry = require("registry")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

describe("registry", function()
  it("says that there is no such entry", function()
    local entry, err = registry.get("app:nobody")
    test.is_nil(entry)
    eq(err:kind(), errors.NOT_FOUND)
  end)

  it("finds a list, if need be an empty one", function()
    eq(#registry.find({ kind = "no.such.kind" }), 0)
  end)

  it("refuses criteria that it does not have", function()
    fails("registry.find: unknown option 'knd', did you mean 'kind'?", registry.find, { knd = "x" })
    fails("registry.get: id: string expected, got nil", registry.get)
  end)

  it("answers an error when the criteria are no JSON", function()
    local _, err = registry.find({ meta = { print } })
    test.contains(tostring(err), "registry.find: criteria.meta[1] is a function")
  end)
end)
