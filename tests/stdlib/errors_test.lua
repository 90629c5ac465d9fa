local errors = require("errors")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails
local is_nil, is_true, is_false = test.is_nil, test.is_true, test.is_false

describe("errors.new", function()
  it("makes an error of kind UNKNOWN from a text", function()
    local err = errors.new("no luck")
    eq(err:kind(), errors.UNKNOWN)
    eq(err:message(), "no luck")
    is_nil(err:details())
  end)

  it("keeps the fields it was given", function()
    local err = errors.new({
      kind = errors.CONFLICT,
      message = "taken",
      retryable = false,
      details = { id = 7 },
    })
    eq(err:kind(), "CONFLICT")
    is_false(err:retryable())
    eq(err:details(), { id = 7 })
  end)

  it("says how long to wait before the next try, where it was told", function()
    local err = errors.new({ message = "busy", kind = errors.RATE_LIMITED, delay = 7 })
    eq({ err:delay(), errors.wrap(err, "charging"):delay() }, { 7, 7 })
    is_nil(errors.new("no luck"):delay())
    fails("option 'delay': at least 0 expected, got -1", errors.new, { message = "x", delay = -1 })
  end)

  it("reads as its message in text", function()
    eq(tostring(errors.new("no luck")), "no luck")
    eq("order 7: " .. errors.new("no luck"), "order 7: no luck")
  end)

  for _, case in ipairs({
    { "UNAVAILABLE", true },
    { "TIMEOUT", true },
    { "RATE_LIMITED", true },
    { "INVALID", nil },
    { "NOT_FOUND", nil },
    { "UNKNOWN", nil },
  }) do
    local kind, expected = case[1], case[2]
    it(("says retryable = %s for %s by itself"):format(expected, kind), function()
      eq(errors.new({ kind = kind, message = "x" }):retryable(), expected)
    end)
  end

  it("lets the caller overrule what the kind says", function()
    is_false(errors.new({ kind = errors.TIMEOUT, message = "x", retryable = false }):retryable())
  end)

  for _, case in ipairs({
    { {}, "errors.new: option 'message': string expected, got nil" },
    { { message = "x", kind = "NOTFOUND" }, "did you mean 'NOT_FOUND'?" },
    {
      { message = "x", retriable = true },
      "unknown option 'retriable', did you mean 'retryable'?",
    },
    { { message = 7 }, "option 'message': string expected, got number" },
    { 7, "errors.new: fields: string or table expected, got number" },
  }) do
    local fields, message = case[1], case[2]
    it("refuses " .. message, function()
      fails(message, errors.new, fields)
    end)
  end
end)

describe("an error value", function()
  it("cannot be changed", function()
    local err = errors.new("x")
    fails("cannot be changed", function()
      err.message = "y"
    end)
  end)

  it("says so when a method is called with a dot", function()
    local err = errors.new("x")
    fails("err:kind() is called with a colon", err.kind)
  end)

  it("hides its metatable", function()
    local err = errors.new("x")
    eq(getmetatable(err), "error")
    fails("protected metatable", setmetatable, err, {})
  end)

  it("has a stack that is a text", function()
    test.is_string(errors.new("x"):stack())
  end)

  it("answers kinds and messages even after a script has written into it", function()
    local err = errors.new({ message = "x", kind = errors.INVALID })
    err._kind = function() end
    err._message = {}
    eq(err:kind(), "UNKNOWN")
    eq(err:message(), "unknown error")
  end)
end)

describe("errors.wrap", function()
  it("puts what was being done in front and keeps the rest", function()
    local inner = errors.new({ kind = errors.TIMEOUT, message = "no answer", details = { s = 5 } })
    local err = errors.wrap(inner, "charging order 7")
    eq(err:message(), "charging order 7: no answer")
    eq(err:kind(), "TIMEOUT")
    is_true(err:retryable())
    eq(err:details(), { s = 5 })
  end)

  it("keeps a written false", function()
    local inner = errors.new({ message = "card stolen", retryable = false })
    is_false(errors.wrap(inner, "charging"):retryable())
  end)

  it("takes a plain text as well", function()
    eq(errors.wrap("no answer", "charging"):message(), "charging: no answer")
  end)

  it("answers nil for no error", function()
    is_nil(errors.wrap(nil, "charging"))
  end)
end)

describe("errors.new with two arguments", function()
  it("takes a kind and a text", function()
    local err = errors.new(errors.NOT_FOUND, "no order 7")
    eq({ err:kind(), err:message() }, { "NOT_FOUND", "no order 7" })
    is_true(errors.new(errors.TIMEOUT, "x"):retryable())
  end)

  it("refuses what is no kind, and what is no text", function()
    fails(
      "errors.new: kind: unknown kind 'NOTFOUND', did you mean 'NOT_FOUND'?",
      errors.new,
      "NOTFOUND",
      "x"
    )
    fails("errors.new: kind: unknown kind nil", errors.new, nil, "x")
    fails("errors.new: message: string expected, got number", errors.new, errors.INVALID, 7)
  end)
end)

describe("errors.is", function()
  it("compares the kind", function()
    local err = errors.new({ kind = errors.NOT_FOUND, message = "x" })
    is_true(errors.is(err, errors.NOT_FOUND))
    is_false(errors.is(err, errors.UNKNOWN))
  end)

  it("counts texts and other values as UNKNOWN", function()
    is_true(errors.is("x", errors.UNKNOWN))
    is_true(errors.is({ code = 1 }, errors.UNKNOWN))
    is_false(errors.is("x", errors.INVALID))
  end)

  it("is false for no error", function()
    is_false(errors.is(nil, errors.UNKNOWN))
  end)

  it("refuses a kind that does not exist", function()
    fails("unknown kind nil", errors.is, "x", errors.NOTFOUND)
    fails("did you mean 'TIMEOUT'?", errors.is, "x", "TIMOUT")
    fails("unknown kind 'new'", errors.is, "x", "new")
  end)
end)

describe("errors.from", function()
  it("leaves an error and nil as they are", function()
    local err = errors.new("x")
    test.is(errors.from(err), err)
    is_nil(errors.from(nil))
  end)

  for _, case in ipairs({
    { "no luck", "no luck" },
    { { message = "no luck" }, "no luck" },
    { { code = 1 }, "error value: table" },
    { 404, "error value: 404" },
    { false, "error value: false" },
    { print, "error value: function" },
  }) do
    local value, message = case[1], case[2]
    it("reads a " .. type(value) .. " as " .. message, function()
      eq(errors.from(value):message(), message)
      eq(errors.from(value):kind(), "UNKNOWN")
    end)
  end

  it("never runs code of the value", function()
    local trap = setmetatable({}, {
      __index = function()
        error("ran")
      end,
      __tostring = function()
        error("ran")
      end,
    })
    eq(errors.from(trap):message(), "error value: table")
  end)
end)
