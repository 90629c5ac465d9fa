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

describe("store:once", function()
  local values = store.open("contract:values")

  local function answer()
    return "mine"
  end

  it("waits for who runs it, and answers the same", function()
    values:set("k", { once = "running", by = "another" }, { ttl = "20s" })
    local began = test.clock.now()
    eq(values:once("k", "1h", answer), "mine")
    test.near(test.clock.now() - began, 20, 1)
  end)

  it("answers what another one has made meanwhile", function()
    values:set("k", { once = "running", by = "another" }, { ttl = "20s" })
    values:cas("k", { once = "running", by = "another" }, { once = "done", answer = "theirs" })
    eq(values:once("k", "1h", answer), "theirs")
  end)

  it("is called with a key, a time and a function", function()
    fails("store:once: key: string expected, got nil", values.once, values)
    fails("store:once: ttl: string or number expected, got nil", values.once, values, "k")
    fails("store:once: fn: function expected, got nil", values.once, values, "k", "1h")
    eq(select(2, values:once("k", "soon", answer)):kind(), errors.INVALID)
  end)
end)

describe("store:cas", function()
  it("is called with a colon, on a store", function()
    fails("store:cas() is called with a colon", store.open("contract:values").cas, "k")
  end)

  it("names what JSON cannot carry", function()
    local _, err = store.open("contract:values"):cas("k", print, 1)
    test.contains(err:message(), "store: cas: value is a function")
  end)
end)
