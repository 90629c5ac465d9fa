local test = require("test")
local trace = require("host.walls.trace")

local describe, it, eq = test.describe, test.it, test.eq

describe("trace.script", function()
  it("lists the script's own frames, the innermost first", function()
    local function inner()
      return (trace.script(1))
    end
    local stack = inner()
    test.matches(stack, "^lua/walls/trace_test.lua:%d+: in ")
    test.is_nil(stack:find("moonq", 1, true))
  end)

  it("shows twenty-two frames at most", function()
    local function dig(depth)
      local stack = depth == 0 and trace.script(1) or dig(depth - 1)
      return stack
    end
    local stack = dig(100)
    local _, breaks = stack:gsub("\n", "")
    eq(breaks, 22)
    test.matches(stack, "%.%.%.$")
  end)
end)

describe("trace.place", function()
  it("is the innermost script frame", function()
    local source, line = trace.place(1)
    local _, below = trace.place(1)
    eq(source, "lua/walls/trace_test.lua")
    eq(below, line + 1)
  end)
end)

describe("trace.handler", function()
  it("keeps the value and where it was raised", function()
    local raised = trace.handler("fell down")
    eq({ raised.value, raised.source }, { "fell down", "lua/walls/trace_test.lua" })
    test.contains(raised.stack, "trace_test.lua:" .. raised.line)
  end)
end)

describe("trace.raised", function()
  it("takes apart what the handler made", function()
    eq({ trace.raised({ value = 7, stack = "here" }) }, { 7, "here" })
  end)

  it("takes anything else for what Lua itself raised", function()
    eq({ trace.raised("not enough memory") }, { "not enough memory", "" })
    eq({ trace.raised({ no = "stack" }) }, { { no = "stack" }, "" })
  end)
end)

describe("trace.last", function()
  it("tells of the last error once", function()
    trace.handler("lost")
    test.contains(trace.last(), "trace_test.lua")
    eq(trace.last(), "")
  end)

  it("forgets when it is told to", function()
    trace.handler("lost")
    trace.clear()
    eq(trace.last(), "")
  end)
end)

describe("trace.traceback", function()
  it("answers like debug.traceback, without the host's frames", function()
    test.matches(trace.traceback("lost"), "^lost\nstack traceback:\n\tlua/walls/trace_test.lua:")
    test.matches(trace.traceback(), "^stack traceback:")
    local object = {}
    test.is(trace.traceback(object), object)
  end)
end)
