local patterns = require("host.stock.patterns")
local test = require("test")

local describe, it, eq, each = test.describe, test.it, test.eq, test.each

describe("patterns.decide", function()
  -- An ordinary pattern and the length of an ordinary subject for it.
  each(
    {
      { "%S+", 1000000 },
      { "%a+", 1000000 },
      { "[^,]*", 1000000 },
      { "^%s*$", 1000000 },
      { "^(%S+)%s+(.*)$", 100000 },
      { "^(%a[%w+.-]*)://([^/:]+):?(%d*)(/?.*)$", 2000 },
      { "(%w+)=(%w+)", 1000 },
      { "^%s*(.-)%s*$", 1000 },
      { "(%d+)-(%d+)-(%d+)", 1000 },
      { '"[^"]*"', 1000 },
      { "%f[%w]%w+", 100000 },
      { ".", 1000000 },
    },
    "leaves {1} on {2} bytes to C",
    function(row)
      eq(patterns.decide(row[1], row[2]), "small")
    end
  )

  each(
    {
      { "^%s*(.-)%s*$", 100000 },
      { "(.-)\n", 1000000 },
      { "(%w+)=(%w+)", 1000000 },
      { ".-b", 1000000 },
      { "%b()", 1000000 },
      { "^(.-):(.-):(.-):(.-)$", 10000 },
      { "(.*)%1", 100000 },
      { ("a?"):rep(30) .. ("a"):rep(30), 30 },
      { (".-"):rep(6) .. "x", 3000 },
    },
    "walks with {1} over {2} bytes",
    function(row)
      eq(patterns.decide(row[1], row[2]), "stepwise")
    end
  )

  each(
    {
      { ("x*"):rep(41), "more than 40 repetitions" },
      { ("%a"):rep(257), "more than 512 bytes" },
    },
    "refuses {2} for any subject",
    function(row)
      eq(patterns.decide(row[1], 0), "refuse")
    end
  )

  it("refuses a pattern of 800 KB without taking it apart", function()
    local long = ("(a)?%d[^xyz]"):rep(70000)
    local before = collectgarbage("count")
    eq(patterns.decide(long, 0), "refuse")
    -- Its items alone would be some 40 MiB.
    test.lt(collectgarbage("count") - before, 1024)
  end)

  it("refuses a long set on a subject that one pass would take too long for", function()
    local class = "[" .. ("ab"):rep(200) .. "]x"
    eq(patterns.decide(class, 1000), "small")
    eq(patterns.decide(class, 10000000), "refuse")
  end)

  it("knows that what cannot fail is not tried twice", function()
    eq(patterns.decide("^%a*%s*%d*", 1000000), "small")
    eq(patterns.decide("^.*$", 1000000), "small")
    eq(patterns.decide("^.*b", 1000000), "small")
    eq(patterns.decide("^.*b.*c", 1000000), "stepwise")
  end)

  it("sees that a set excludes what follows it", function()
    eq(patterns.decide("^([^:]*):([^:]*):", 1000000), "small")
    eq(patterns.decide("^(.-):(.-):", 1000000), "stepwise")
  end)

  it("takes a pattern with a fault as far as stock Lua would", function()
    eq(patterns.decide("%a[", 10), "small")
    eq(patterns.decide("(", 10), "small")
  end)

  it("keeps deciding after more patterns than it remembers", function()
    for i = 1, 1200 do
      eq(patterns.decide("^a*" .. i, 100), "small")
    end
    eq(patterns.decide("%S+", 100), "small")
  end)
end)
