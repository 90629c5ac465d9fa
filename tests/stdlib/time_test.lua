local errors = require("errors")
local test = require("test")
local time = require("time")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

describe("time", function()
  it("tells the time in seconds with a fraction", function()
    eq(math.type(time.now()), "float")
    eq(math.type(time.monotonic()), "float")
  end)

  it("reads and writes durations", function()
    eq(time.duration("1h30m"), 5400.0)
    eq(time.format(5400), "1h30m")
  end)

  it("reads and writes moments", function()
    eq(time.rfc3339(1767225600), "2026-01-01T00:00:00.000Z")
    eq(time.parse("2026-01-01T00:00:00Z"), 1767225600.0)
  end)

  it("writes the present moment by itself", function()
    test.near(time.parse(time.rfc3339()), time.now(), 60)
  end)

  it("sleeps", function()
    eq(time.sleep("1ms"), true)
  end)

  for _, case in ipairs({
    { "sleep", "soon", "time.sleep: a duration is expected" },
    { "duration", "soon", "time.duration: a duration is expected" },
    { "parse", "tomorrow", "time.parse: a time such as" },
  }) do
    local name, argument, message = case[1], case[2], case[3]
    it(("answers an error to %s(%q)"):format(name, argument), function()
      local value, err = time[name](argument)
      test.is_nil(value)
      test.contains(tostring(err), message)
      eq(err:kind(), errors.INVALID)
      eq(err:retryable(), false)
    end)
  end

  it("raises where only a mistake can be the reason", function()
    fails("time.format: seconds: number expected, got string", time.format, "5s")
    fails("time.format: seconds: a duration is expected", time.format, -1)
    fails("time.rfc3339: seconds: a time of the years 0 to 9999", time.rfc3339, math.huge)
  end)
end)
