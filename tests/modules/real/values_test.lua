local bank = require("bank")
local json = require("json")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

--- The error of a call that fails.
local function err_of(value, err)
  eq(value, nil)
  return test.not_nil(err)
end

describe("values of Lua arrive in Python", function()
  for _, case in ipairs({
    { "a text", "héllo", "'héllo'" },
    { "an integer", 42, "42" },
    { "the smallest integer", math.mininteger, "-9223372036854775808" },
    { "a float", 1.5, "1.5" },
    { "a whole float", 2.0, "2.0" },
    { "a boolean", false, "False" },
    { "a list", { 1, { "a" } }, "[1, ['a']]" },
    { "a map", { a = { b = 1 } }, "{'a': {'b': 1}}" },
    { "a null", json.null, "None" },
    { "a null in a list", { json.null }, "[None]" },
    { "an empty table", {}, "{}" },
    { "an empty list out of JSON", json.decode("[]"), "[]" },
  }) do
    it(("as what %s is"):format(case[1]), function()
      eq(bank.kept(case[2]), case[3])
    end)
  end

  it("with nil as None", function()
    eq(bank.kept(nil), "None")
  end)

  it("as bytes where the annotation says so, whatever they are", function()
    eq(bank.card("\255\0", { "a", "\254" }), { 255, 0, 97, 254 })
  end)

  it("as an empty list where the annotation says so", function()
    eq(bank.lists({}, {}, { {}, { "a" } }), "[] {} [[], ['a']]")
  end)

  for _, case in ipairs({
    { "\255", "value is not valid UTF-8 (byte 1)" },
    { { items = { "a", "b\255" } }, "value.items[2] is not valid UTF-8 (byte 2)" },
    { { items = { print } }, "argument 1.items[1] is a function" },
    { { [1.5] = 1 }, "argument 1 has a key of type number" },
    { { 1, nil, 3 }, "argument 1 is a list with holes" },
    { { 1, a = 2 }, "argument 1 has both list places and names" },
    { coroutine.create(print), "argument 1 is a thread" },
  }) do
    it(("unless %s"):format(case[2]), function()
      local err = err_of(bank.echo(case[1]))
      eq(err:kind(), errors.INVALID)
      test.contains(err:message(), case[2])
    end)
  end

  it("unless a table is inside of itself", function()
    local order = {}
    order.again = { order }
    test.contains(err_of(bank.echo(order)):message(), "argument 1.again[1] is inside of itself")
  end)

  it("as many as the function takes", function()
    eq(bank.strict(1), 3)
    eq(err_of(bank.strict()):message(), "modules:bank.strict: `one` is missing")
    eq(bank.strict(1, nil), 3)
    local err = err_of(bank.strict(1, 2, 3))
    eq(err:message(), "modules:bank.strict takes 2 arguments, 3 are given")
    eq(err:kind(), errors.INVALID)
  end)
end)

describe("values of Python come back", function()
  for _, case in ipairs({
    { "decimal", "12.50" },
    { "moment", "2026-01-02T03:04:05+00:00" },
    { "day", "2026-01-02" },
    { "uuid", "00000000-0000-0000-0000-000000000007" },
    { "enum", "red" },
    { "bytes", "\0\255" },
    { "null_in_list", { 1, json.null, 3 } },
    { "null_in_map", { b = 1 } },
    { "largest", math.maxinteger },
  }) do
    it(("as %s does"):format(case[1]), function()
      eq(bank.odd(case[1]), case[2])
    end)
  end

  it("as lists that stay lists while they are empty", function()
    eq(json.encode(bank.odd("empty_list")), "[]")
    eq(json.encode(bank.echo(json.decode("[]"))), "[]")
  end)

  it("as several results where they are a tuple", function()
    eq(table.pack(bank.several()), { n = 3, 1, nil, "three" })
  end)

  for _, case in ipairs({
    { "too_large", "result.sum[1] is an integer of more than 64 bits" },
    { "set", "result.tags is of type set" },
    { "object", "result[1] is of type object" },
    { "generator", "result is of type generator" },
    { "key", "result.a has a key of type int" },
    { "surrogate", "result has a lone surrogate" },
    { "huge", "the answer has 50000" },
  }) do
    it(("unless it is %s"):format(case[1]), function()
      local err = err_of(bank.odd(case[1]))
      eq(err:kind(), errors.INTERNAL)
      test.contains(err:message(), case[2])
    end)
  end
end)

describe("a module", function()
  it("is called with a dot or with a colon", function()
    eq(bank:strict(1), bank.strict(1))
  end)

  it("opens with the options of its entry", function()
    eq(bank.opened(), { rate = 3, names = { "a", "b" } })
  end)

  it("is a table that no script changes, with nothing else in it", function()
    test.fails("'bank' is read-only", function()
      bank.charge = print
    end)
    test.fails("module 'bank' lends no function 'refund'", function()
      return bank.refund
    end)
  end)
end)

describe("nested tables", function()
  it("cross as deep as those of messages, and no deeper", function()
    local deep = {}
    for _ = 1, 120 do
      deep = { deep }
    end
    eq(bank.echo(deep), deep)
    for _ = 1, 10 do
      deep = { deep }
    end
    test.contains(err_of(bank.echo(deep)):message(), "is nested deeper than 128 levels")
  end)
end)
