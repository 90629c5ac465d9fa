local test = require("test")
local timestamps = require("host.run.timestamps")

local describe, it, eq = test.describe, test.it, test.eq

local MOMENTS = {
  { "1970-01-01T00:00:00.000Z", 0.0 },
  { "1969-12-31T23:59:59.500Z", -0.5 },
  { "2000-02-29T12:00:00.000Z", 951825600.0 },
  { "2024-03-01T00:00:00.000Z", 1709251200.0 },
  { "2026-01-01T00:00:00.250Z", 1767225600.25 },
  { "0000-01-01T00:00:00.000Z", -62167219200.0 },
  { "9999-12-31T23:59:59.000Z", 253402300799.0 },
}

describe("timestamps", function()
  for _, case in ipairs(MOMENTS) do
    local text, seconds = case[1], case[2]
    it("writes and reads " .. text, function()
      eq(timestamps.show(seconds), text)
      eq(timestamps.parse(text), seconds)
    end)
  end

  it("reads back every day of eight hundred years", function()
    for day = -146097, 146097, 7 do
      local seconds = day * 86400.0 + 1
      eq(timestamps.parse(timestamps.show(seconds)), seconds)
    end
  end)
end)

describe("timestamps.parse", function()
  for _, case in ipairs({
    { "2026-01-01T01:00:00+01:00", 1767225600.0 },
    { "2025-12-31T18:30:00-05:30", 1767225600.0 },
    { "2026-01-01t00:00:00z", 1767225600.0 },
    { "2026-01-01 00:00:00Z", 1767225600.0 },
    { "2016-12-31T23:59:60Z", 1483228800.0 },
  }) do
    local text, seconds = case[1], case[2]
    it("reads " .. text, function()
      eq(timestamps.parse(text), seconds)
    end)
  end

  for _, value in ipairs({
    "",
    "2026-01-01",
    "2026-01-01T00:00:00",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:61Z",
    "2026-01-01T00:00:00.Z",
    "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00+0100",
    "2026-01-01T00:00:00Z tomorrow",
    7,
  }) do
    it(("refuses %s"):format(value), function()
      local seconds, fault = timestamps.parse(value)
      test.is_nil(seconds)
      test.contains(fault, 'a time such as "2026-01-31T08:00:00Z" is expected, got ')
    end)
  end
end)

describe("timestamps.show", function()
  for _, seconds in ipairs({ -62167219201, 253402300800, math.huge, 0 / 0 }) do
    it(("refuses %s"):format(seconds), function()
      local text, fault = timestamps.show(seconds)
      test.is_nil(text)
      eq(fault, "a time of the years 0 to 9999 is expected")
    end)
  end

  it("rounds to the next second", function()
    eq(timestamps.show(0.9999), "1970-01-01T00:00:01.000Z")
  end)
end)
