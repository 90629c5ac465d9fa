local check = require("check")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

local SPEC = {
  base = { type = "number", default = 1, min = 0, max = 9 },
  count = { type = "integer" },
  mode = { type = "string", default = "fast", one_of = { "fast", "slow" } },
  name = { type = "string|number" },
  quiet = { type = "boolean", default = true },
}

--- The options as `check.options` reads them.
local function read(options)
  return check.options("pump.start", options, SPEC)
end

describe("check.options", function()
  it("fills in the defaults", function()
    eq(read(nil), { base = 1, mode = "fast", quiet = true })
  end)

  it("keeps what was given, false too", function()
    eq(read({ base = 2, count = 3, quiet = false }), {
      base = 2,
      count = 3,
      mode = "fast",
      quiet = false,
    })
  end)

  it("takes the smallest and the largest number allowed", function()
    eq(read({ base = 0 }).base, 0)
    eq(read({ base = 9 }).base, 9)
  end)

  it("does not touch the caller's table", function()
    local options = { base = 2 }
    read(options)
    eq(options, { base = 2 })
  end)

  it("names an option that is required", function()
    local spec = { id = { type = "string", required = true } }
    fails(
      "pump.start: option 'id': string expected, got nil",
      check.options,
      "pump.start",
      {},
      spec
    )
  end)

  for _, case in ipairs({
    { { bse = 1 }, "pump.start: unknown option 'bse', did you mean 'base'?" },
    { { quite = true }, "unknown option 'quite', did you mean 'quiet'?" },
    { { [1] = "x" }, "unknown option 1" },
    { { zzz = 1, aaa = 1 }, "unknown option 'aaa' (there are " },
    { { base = -1 }, "option 'base': at least 0 expected, got -1" },
    { { base = 10 }, "option 'base': at most 9 expected, got 10" },
    { { base = 0 / 0 }, "option 'base': at least 0 expected, got " },
    { { base = "2" }, "option 'base': number expected, got string" },
    { { count = 1.5 }, "option 'count': integer expected, got 1.5" },
    { { name = {} }, "option 'name': string or number expected, got table" },
    { { mode = "slwo" }, "one of fast, slow expected, got 'slwo', did you mean 'slow'?" },
    { 7, "pump.start: options: table expected, got number" },
  }) do
    local options, message = case[1], case[2]
    it("refuses " .. message, function()
      fails(message, read, options)
    end)
  end

  it("blames the line of the function's caller", function()
    local function start(options)
      local o = check.options("pump.start", options, SPEC)
      return o
    end
    local _, message = pcall(function()
      local started = start({ bse = 1 })
      return started
    end)
    test.matches(message, "check_test.lua:%d+: pump.start")
  end)

  it("never runs metamethods of the options", function()
    local trap = setmetatable({}, {
      __index = function()
        error("ran")
      end,
      __pairs = function()
        error("ran")
      end,
    })
    eq(read(trap).base, 1)
  end)
end)

describe("check.read", function()
  it("answers the fault instead of raising it", function()
    local options, fault = check.read({ bse = 1 }, SPEC)
    test.is_nil(options)
    eq(fault, "unknown option 'bse', did you mean 'base'?")
  end)
end)

describe("check.argument", function()
  it("names the function, the argument and both types", function()
    fails(
      "pump.start: speed: number expected, got nil",
      check.argument,
      "pump.start",
      "speed",
      nil,
      "number"
    )
  end)

  it("says nothing when the type is right", function()
    check.argument("pump.start", "speed", 7, "integer|string")
  end)
end)

describe("check.hint", function()
  for _, case in ipairs({
    { "delya", "delay" },
    { "dely", "delay" },
    { "piority", "priority" },
    { "TTL", nil },
    { "x", nil },
    { ("delay"):rep(20), nil },
    { {}, nil },
  }) do
    local word, name = case[1], case[2]
    it(("finds %s for %s"):format(name or "nothing", check.show(word)), function()
      local expected = name and (", did you mean '%s'?"):format(name) or ""
      eq(check.hint(word, { "delay", "priority", "ttl" }), expected)
    end)
  end
end)

describe("check.hint for a long word", function()
  it("finds nothing, however near it is", function()
    eq(check.hint(("a"):rep(33), { ("a"):rep(34) }), "")
  end)
end)

describe("check.show", function()
  for _, case in ipairs({
    { "delay", "'delay'" },
    { 1.0, "1.0" },
    { nil, "nil" },
    { {}, "table" },
    { "two\nlines", "'two\\x0Alines'" },
    { "grün", "'grün'" },
    { "gr\xFCn", "'gr\\xFCn'" },
    { ("x"):rep(100), "'" .. ("x"):rep(60) .. "…'" },
    { ("x"):rep(59) .. "ü" .. ("x"):rep(9), "'" .. ("x"):rep(59) .. "…'" },
  }) do
    local value, expected = case[1], case[2]
    it("writes " .. expected, function()
      eq(check.show(value), expected)
    end)
  end
end)
