local durations = require("host.run.durations")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

describe("durations.parse", function()
  for _, case in ipairs({
    { "500ms", 0.5 },
    { "5s", 5.0 },
    { "1.5h", 5400.0 },
    { "1h30m", 5400.0 },
    { " 1h 30m ", 5400.0 },
    { "2d", 172800.0 },
    { "0s", 0.0 },
    { 7, 7.0 },
    { 0.25, 0.25 },
    { 0, 0.0 },
  }) do
    local text, seconds = case[1], case[2]
    it(("reads %s as %s seconds"):format(text, seconds), function()
      eq(durations.parse(text), seconds)
    end)
  end

  for _, value in ipairs({
    "",
    " ",
    "5",
    "s",
    "5 parsecs",
    "-5s",
    "1.s",
    "1h30",
    "5S",
    "1e3s",
    ("1s"):rep(33),
    -1,
    math.huge,
    0 / 0,
    true,
    {},
  }) do
    local name = type(value) == "table" and "a table" or tostring(value)
    it(("refuses %s"):format(name), function()
      local seconds, fault = durations.parse(value)
      test.is_nil(seconds)
      test.contains(fault, 'a duration is expected ("500ms", "5s", "1h30m" or seconds), got ')
    end)
  end
end)

describe("durations.show", function()
  for _, case in ipairs({
    { 0, "0ms" },
    { 0.25, "250ms" },
    { 1, "1s" },
    { 2.5, "2.5s" },
    { 60, "1m" },
    { 90, "1m30s" },
    { 5400, "1h30m" },
    { 3600.4, "1h" },
    { 86400 * 3 + 7200 + 60, "3d2h" },
  }) do
    local seconds, text = case[1], case[2]
    it(("writes %s seconds as %s"):format(seconds, text), function()
      eq(durations.show(seconds), text)
    end)
  end
end)
