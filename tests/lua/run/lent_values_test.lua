local json = require("json")
local lent_values = require("host.run.lent_values")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

--- What comes back of values that go there.
local function there_and_back(...)
  return lent_values.decode((lent_values.encode(...)))
end

--- A value of any shape, at most `depth` tables deep.
local function any(depth)
  local kind = math.random(depth > 0 and 9 or 6)
  if kind == 1 then
    return math.random(0)
  elseif kind == 2 then
    return (math.random() - 0.5) * 2 ^ math.random(-80, 80)
  elseif kind == 3 then
    return math.random(2) == 1
  elseif kind <= 6 then
    local bytes = {}
    for place = 1, math.random(0, 12) do
      bytes[place] = string.char(math.random(0, 255))
    end
    return table.concat(bytes)
  end
  local value = {}
  for place = 1, math.random(0, 4) do
    value[kind < 9 and "k" .. place or place] = any(depth - 1)
  end
  return value
end

describe("values on their way to Python", function()
  it("are what they were, whatever they are", function()
    math.randomseed(7)
    for _ = 1, 300 do
      local value = any(4)
      eq(there_and_back(value), value)
    end
  end)

  it("keep their number, nil among them", function()
    eq(table.pack(there_and_back(nil, 1, nil)), { n = 3, nil, 1, nil })
    eq(table.pack(there_and_back()), { n = 0 })
  end)

  it("keep integers apart from floats", function()
    eq(math.type(there_and_back(1)), "integer")
    eq(math.type(there_and_back(1.0)), "float")
    eq(there_and_back(math.huge), math.huge)
  end)

  it("keep lists that are empty, and null in lists", function()
    local text = '{"a":[],"b":{},"c":[null]}'
    eq(json.encode(there_and_back(json.decode(text)), { sorted = true }), text)
  end)

  it("may hold one table twice, but not itself", function()
    local twice = { 1 }
    eq(there_and_back({ twice, twice }), { { 1 }, { 1 } })
    local deep = {}
    for _ = 1, 129 do
      deep = { deep }
    end
    test.matches(select(2, lent_values.encode(deep)), "is nested deeper than 128 levels")
  end)

  it("are errors by what they say", function()
    local err = errors.new({ kind = errors.TIMEOUT, message = "late" })
    eq(there_and_back(err), { kind = "TIMEOUT", message = "late", retryable = true })
  end)

  it("run no code of a script", function()
    local watched = setmetatable({ 1, 2 }, {
      __len = error,
      __index = error,
      __pairs = error,
    })
    eq(there_and_back(watched), { 1, 2 })
  end)
end)
