local test = require("test")
local time = require("time")
local times = require("host.stock.times")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

describe("os in a test", function()
  it("tells the time of the test, as the module time does", function()
    eq(os.time(), math.floor(time.now()))
    eq(os.date("!%Y-%m-%dT%H:%M:%S"), "2026-01-01T00:00:00")
    eq(math.type(os.time()), "integer")
  end)

  it("moves with the test's clock", function()
    local now, elapsed = os.time(), os.clock()
    test.clock.advance("1h")
    eq(os.time() - now, 3600)
    eq(os.clock() - elapsed, 3600)
    eq(os.date("!%H:%M"), "01:00")
    test.clock.set(0)
    eq(os.date("!%Y"), "1970")
  end)

  it("is the same in the handlers under test", function()
    test.clock.set(86400)
    local as = { consumer = "contract:tasks.consumer" }
    local told = test.call("contract:obey", { ["do"] = "date" }, nil, as)
    eq(told, { 86400, "1970-01-02", 86400 })
  end)

  it("reads other moments as ever", function()
    eq(os.date("!%Y", 0), "1970")
    local fields = { year = 2026, month = 1, day = 2, hour = 12 }
    eq(os.date("%Y-%m-%d", os.time(fields)), "2026-01-02")
    fails("field 'year' missing in date table", os.time, {})
    fails("times_test.lua", function()
      os.time(7)
    end)
  end)
end)

describe("times.new", function()
  it("is a library of one's own", function()
    test.is_not(times.new(), times.new())
    eq(times.new().difftime(3, 1), 2.0)
  end)
end)
