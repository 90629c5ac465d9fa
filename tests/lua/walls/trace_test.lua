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
  it("leaves the value as it is and notes where it was raised", function()
    local value = { code = 7 }
    test.is(trace.handler(value), value)
    local stack, source, line = trace.of(value)
    eq(source, "lua/walls/trace_test.lua")
    test.contains(stack, "trace_test.lua:" .. line)
    eq(value, { code = 7 })
  end)
end)

describe("trace.of", function()
  it("tells nothing of a value that the handler has not seen", function()
    trace.handler("lost")
    eq({ trace.of("not enough memory") }, { "" })
    eq({ trace.of(setmetatable({}, { __eq = rawequal })) }, { "" })
  end)

  it("keeps apart what several handlers have seen", function()
    local inner = {}
    trace.handler("lost")
    trace.noting(inner)("found")
    test.contains(trace.of("found", inner), "trace_test.lua")
    test.contains(trace.of("lost"), "trace_test.lua")
    eq({ trace.of("lost", inner) }, { "" })
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
