local limits = require("host.walls.limits")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

local MIB = 1024 * 1024

describe("limits.check_memory", function()
  test.after_each(function()
    limits.set_memory(64 * MIB)
  end)

  it("is silent while there is room", function()
    test.no_throw(limits.check_memory)
  end)

  it("raises when even a collection leaves too much", function()
    limits.set_memory(1)
    local ok, raised = pcall(limits.check_memory)
    limits.set_memory(64 * MIB)
    eq({ ok, raised }, { false, limits.EXCEEDED })
  end)

  it("collects before it complains", function()
    local used = collectgarbage("count") * 1024
    limits.set_memory(used + 4 * MIB)
    for _ = 1, 60 do
      local _ = ("x"):rep(MIB)
      test.no_throw(limits.check_memory)
    end
  end)
end)

describe("limits.is_over", function()
  it("is false while nobody has stopped the state", function()
    test.is_false(limits.is_over())
  end)
end)

describe("limits.has_waited", function()
  it("remembers a wait until it is told to forget", function()
    limits.forget_waits()
    test.is_false(limits.has_waited())
    limits.note_wait()
    test.is_true(limits.has_waited())
    limits.forget_waits()
    test.is_false(limits.has_waited())
  end)
end)
