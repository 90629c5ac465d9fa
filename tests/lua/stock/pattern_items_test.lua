local items = require("host.stock.pattern_items")
local test = require("test")

local describe, it, eq, each = test.describe, test.it, test.eq, test.each

describe("pattern_items.read", function()
  it("tells sets, repetitions, captures and the anchor apart", function()
    local list, anchored, fault = items.read("^(%a+)=()[^]x]-$")
    eq(list, {
      { kind = "open", capture = 1 },
      { kind = "set", class = "%a", times = "+" },
      { kind = "close", capture = 1 },
      { kind = "set", class = "%=" },
      { kind = "position", capture = 2 },
      { kind = "set", class = "[^]x]", times = "-" },
      { kind = "finish" },
    })
    test.is_true(anchored)
    test.is_nil(fault)
  end)

  it("knows balance, frontier and back references", function()
    eq(items.read("%b()%f[%w](.)%1"), {
      { kind = "balance", text = "%b()" },
      { kind = "frontier", class = "[%w]", text = "%f[%w]" },
      { kind = "open", capture = 1 },
      { kind = "set", class = "." },
      { kind = "close", capture = 1 },
      { kind = "back", capture = 1 },
    })
  end)

  it("escapes what is magic elsewhere", function()
    eq(items.read("*$^?"), {
      { kind = "set", class = "%*" },
      { kind = "set", class = "%$" },
      { kind = "set", class = "%^", times = "?" },
    })
  end)

  each(
    {
      { "a%", "malformed pattern (ends with '%')" },
      { "a[%]", "malformed pattern (missing ']')" },
      { "a[]", "malformed pattern (missing ']')" },
      { "a%bx", "malformed pattern (missing arguments to '%b')" },
      { "a%fx", "missing '[' after '%f' in pattern" },
      { "a)", "invalid pattern capture" },
      { "a%1", "invalid capture index %1" },
      { "(a%1)", "invalid capture index %1" },
      { "a(", "unfinished capture" },
      { ("()"):rep(33), "too many captures" },
    },
    "gives what comes before the fault of {1}",
    function(row)
      local list, _, fault = items.read(row[1])
      eq(fault, row[2])
      test.gte(#list, 1)
    end
  )
end)
