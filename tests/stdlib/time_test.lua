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

local BERLIN = "Europe/Berlin"
-- 2026-03-29: the clocks go from 2:00 to 3:00; 2026-10-25: from 3:00 back to 2:00.
local NEW_YEAR = 1767225600

describe("time.rfc3339", function()
  it("writes a moment as the clocks of a zone show it, and parse reads it", function()
    eq(time.rfc3339(NEW_YEAR, BERLIN), "2026-01-01T01:00:00.000+01:00")
    eq(time.rfc3339(NEW_YEAR, "America/New_York"), "2025-12-31T19:00:00.000-05:00")
    eq(time.rfc3339(NEW_YEAR, "Asia/Kolkata"), "2026-01-01T05:30:00.000+05:30")
    eq(time.rfc3339(NEW_YEAR, "UTC"), "2026-01-01T00:00:00.000Z")
    eq(time.parse(time.rfc3339(NEW_YEAR, "Asia/Kolkata")), NEW_YEAR + 0.0)
  end)
end)

describe("time.date", function()
  it("says what calendar and clocks show", function()
    eq(time.date(NEW_YEAR + 0.5, BERLIN), {
      year = 2026,
      month = 1,
      day = 1,
      hour = 1,
      minute = 0,
      second = 0,
      fraction = 0.5,
      weekday = 4,
      yearday = 1,
      week = 1,
      offset = 3600.0,
      zone = "CET",
    })
    eq(time.date(0).year, 1970)
    eq(time.date(-1).second, 59)
    eq(time.date().year, time.date(time.now(), "UTC").year)
  end)
end)

describe("time.at", function()
  it("is the way back", function()
    eq(time.at({ year = 2026 }), NEW_YEAR + 0.0)
    eq(time.at({ year = 2026, hour = 1 }, BERLIN), NEW_YEAR + 0.0)
    eq(time.at({ year = 2026, month = 7, hour = 2 }, BERLIN), time.at({ year = 2026, month = 7 }))
  end)

  it("takes the first of two hours with one name", function()
    local hour = { year = 2026, month = 10, day = 25, hour = 2, minute = 30 }
    eq(time.rfc3339(time.at(hour, BERLIN)), "2026-10-25T00:30:00.000Z")
  end)

  it("refuses days that there are not", function()
    local _, err = time.at({ year = 2026, month = 2, day = 29 })
    test.contains(err:message(), "time.at: day")
    eq(time.date(time.at({ year = 2024, month = 2, day = 29 })).yearday, 60)
    fails(
      "time.at: option 'month': at most 12 expected, got 13",
      time.at,
      { year = 2026, month = 13 }
    )
    fails("time.at: option 'year': integer expected, got nil", time.at, {})
  end)
end)

describe("time.add", function()
  local function later(text, span, zone)
    return time.rfc3339(time.add(time.parse(text), span, zone), zone)
  end

  it("keeps the day of the month, or takes the last", function()
    eq(later("2026-01-31T12:00:00Z", { months = 1 }), "2026-02-28T12:00:00.000Z")
    eq(later("2024-01-31T12:00:00Z", { months = 1 }), "2024-02-29T12:00:00.000Z")
    eq(later("2024-02-29T12:00:00Z", { years = 1 }), "2025-02-28T12:00:00.000Z")
    eq(later("2026-01-31T12:00:00Z", { months = -11 }), "2025-02-28T12:00:00.000Z")
    eq(
      later("2026-12-31T12:00:00Z", { years = 1, months = 2, days = 1 }),
      "2028-03-01T12:00:00.000Z"
    )
  end)

  it("keeps the time of the day over days, and counts hours by the clock", function()
    local before = "2026-03-28T12:00:00+01:00"
    eq(later(before, { days = 1 }, BERLIN), "2026-03-29T12:00:00.000+02:00")
    eq(later(before, { hours = 24 }, BERLIN), "2026-03-29T13:00:00.000+02:00")
    eq(later(before, { weeks = -1, minutes = -0.5 }, BERLIN), "2026-03-21T11:59:30.000+01:00")
  end)

  it("refuses what leads out of all years, and units that there are not", function()
    local _, err = time.add(NEW_YEAR, { years = 9000 })
    test.contains(err:message(), "time.add: ")
    eq(err:kind(), errors.INVALID)
    test.contains(tostring(select(2, time.add(NEW_YEAR, { days = 1e12 // 1 | 0 }))), "time.add: ")
    fails("unknown option 'month', did you mean 'months'?", time.add, 0, { month = 1 })
    fails("time.add: seconds: number expected, got nil", time.add, nil, { days = 1 })
    fails("time.add: option 'days': integer expected", time.add, 0, { days = 0.5 })
  end)
end)

describe("time.start_of", function()
  local function start(unit, text, zone)
    return time.rfc3339(time.start_of(unit, time.parse(text), zone), zone)
  end

  for unit, expected in pairs({
    minute = "2026-10-25T13:14:00.000Z",
    hour = "2026-10-25T13:00:00.000Z",
    day = "2026-10-25T00:00:00.000Z",
    week = "2026-10-19T00:00:00.000Z",
    month = "2026-10-01T00:00:00.000Z",
    year = "2026-01-01T00:00:00.000Z",
  }) do
    it("knows when the " .. unit .. " began", function()
      eq(start(unit, "2026-10-25T13:14:15.500Z"), expected)
    end)
  end

  it("goes by the clocks of the zone", function()
    eq(start("day", "2026-10-25T13:00:00+01:00", BERLIN), "2026-10-25T00:00:00.000+02:00")
    eq(start("day", "2026-01-01T03:00:00Z", "America/New_York"), "2025-12-31T00:00:00.000-05:00")
  end)

  it("refuses units that there are not", function()
    fails("time.start_of: unit: one of minute, hour, day", time.start_of, "dya")
  end)
end)

describe("time.strftime and time.strptime", function()
  it("write and read moments", function()
    eq(time.strftime("%d.%m.%Y %H:%M", NEW_YEAR, BERLIN), "01.01.2026 01:00")
    eq(
      time.strftime("%A, %F %T.%f %z %Z %% ü", NEW_YEAR),
      "Thursday, 2026-01-01 00:00:00.000000 +0000 UTC % ü"
    )
    eq(time.strftime("%Y", time.at({ year = 33 })), "0033")
    eq(time.strptime("01.01.2026 01:00", "%d.%m.%Y %H:%M", BERLIN), NEW_YEAR + 0.0)
    eq(time.strptime("2026-01-01 02:00 +0200", "%F %R %z", BERLIN), NEW_YEAR + 0.0)
  end)

  it("refuse what does not fit, and directives that depend on the machine", function()
    local _, err = time.strptime("1.13.2026", "%d.%m.%Y")
    test.contains(err:message(), "time.strptime: time data '1.13.2026' does not match format")
    test.contains(
      select(2, time.strftime("%c")):message(),
      "time.strftime: the format has %c; there are %a"
    )
    test.contains(select(2, time.strftime("100%")):message(), "the format has %;")
    test.contains(select(2, time.strftime(("x"):rep(257))):message(), "more than 256")
  end)
end)

describe("a zone", function()
  it("is a name that there is", function()
    for _, zone in ipairs({ "Europe/Berln", "../../etc/passwd", "\0", ("x"):rep(5000) }) do
      local _, err = time.date(0, zone)
      eq(err:kind(), errors.INVALID)
      test.contains(err:message(), "time: no time zone")
    end
    test.contains(select(2, time.date(0, "Europe/Berln")):message(), "did you mean `Europe/Berlin`")
  end)

  it("cannot be asked for moments out of all years", function()
    local _, err = time.date(1e12, "UTC")
    eq(err:kind(), errors.INVALID)
    fails("time.date: seconds: at most", time.date, 1e300)
    fails("time.date: seconds: at least", time.date, 0 / 0)
  end)
end)
