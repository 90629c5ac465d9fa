local handed = require("host.json.handed")
local json = require("json")
local test = require("test")

local describe, each, eq = test.describe, test.each, test.eq

local function nested(depth)
  local value = {}
  for _ = 2, depth do
    value = { value }
  end
  return value
end

describe("handed.text", function()
  local lost = errors.new({ message = "lost", details = { call = print } })
  local said = { kind = "UNKNOWN", message = "lost" }
  each(
    {
      { value = { 1, "two", false }, told = { 1, "two", false } },
      { value = lost, told = said },
      { value = { first = { lost } }, told = { first = { said } } },
      { value = { errors.new("lost") }, told = { said } },
    },
    "hands an error over as what it says: {value}",
    function(row)
      eq(json.decode((handed.text(row.value, "result"))), row.told)
    end
  )

  local cycle = { 1 }
  cycle[2] = { cycle, cycle }
  each(
    {
      { value = cycle, complaint = "result[2][1] is result again, and JSON has no cycles" },
      { value = { errors.new("x"), print }, complaint = "result[2] is a function, which" },
      { value = nested(300000), complaint = "is nested deeper than 128 levels" },
    },
    "refuses what it cannot: {complaint}",
    function(row)
      local text, err = handed.text(row.value, "result")
      eq(text, nil)
      test.contains(err:message(), row.complaint)
    end
  )
end)
