local contents = require("host.walls.contents")
local errors = require("errors")
local json = require("json")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

describe("contents.of", function()
  it("is a plain table itself", function()
    local list = { 1, 2 }
    local fields, maker = contents.of(list)
    test.is(fields, list)
    test.is_nil(maker)
  end)

  it("is what an error says of itself, without the place where it was made", function()
    local fields, maker =
      contents.of(errors.new({ message = "down", kind = "TIMEOUT", details = 7 }))
    eq(fields, { message = "down", kind = "TIMEOUT", retryable = true, details = 7 })
    eq(maker, "errors.new")
  end)

  it("sees into a frozen table, and hands out a copy", function()
    local fields = contents.of(json)
    test.is(fields.decode, json.decode)
    fields.decode = nil
    test.is_function(json.decode)
  end)
end)

describe("contents.are_comparable", function()
  it("asks for two tables", function()
    test.is_true(contents.are_comparable({}, { 1 }))
    test.is_false(contents.are_comparable({}, "text"))
    test.is_false(contents.are_comparable(nil, {}))
  end)

  it("leaves an object alone that shows nothing, unless both are of one class", function()
    local class = {}
    local one, other = setmetatable({}, class), setmetatable({}, class)
    test.is_false(contents.are_comparable(json.null, {}))
    test.is_false(contents.are_comparable(one, {}))
    test.is_false(contents.are_comparable(one, json.null))
    test.is_true(contents.are_comparable(one, other))
    test.is_true(contents.are_comparable(setmetatable({ 1 }, class), {}))
  end)
end)
