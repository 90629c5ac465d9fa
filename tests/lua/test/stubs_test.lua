local modules = require("host.walls.modules")
local stubs = require("host.test.stubs")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

local function answering(value)
  return function()
    return function()
      return value
    end
  end
end

describe("stubs", function()
  test.after_each(stubs.clear)

  it("replace a function in every copy that scripts hold", function()
    local one, other = { f = print }, { f = print }
    modules.on_given("stubs-a", one, one)
    modules.on_given("stubs-a", other, other)
    stubs.put("stubs-a", "f", answering(7))
    eq({ one.f(), other.f() }, { 7, 7 })
  end)

  it("reach the copies that come later", function()
    stubs.put("stubs-b", "f", answering(7))
    local late = { f = print }
    modules.on_given("stubs-b", late, late)
    eq(late.f(), 7)
  end)

  it("know the function that they replace", function()
    local module = {
      f = function(x)
        return x + 1
      end,
    }
    modules.on_given("stubs-c", module, module)
    stubs.put("stubs-c", "f", function(original)
      return function(x)
        return original(x) * 10
      end
    end)
    eq(module.f(1), 20)
  end)

  it("get the same arguments with a dot and with a colon", function()
    local module, seen = { f = print }, nil
    modules.on_given("stubs-d", module, module)
    stubs.put("stubs-d", "f", function()
      return function(...)
        seen = table.pack(...)
        return "answer"
      end
    end)
    eq(module.f(1, 2), "answer")
    eq(seen, { 1, 2, n = 2 })
    eq(module:f(1, 2), "answer")
    eq(seen, { 1, 2, n = 2 })
    module.f()
    eq(seen, { n = 0 })
  end)

  it("leave alone what is no function", function()
    local module = { f = 7 }
    modules.on_given("stubs-e", module, module)
    stubs.put("stubs-e", "f", answering(8))
    eq(module.f, 7)
  end)

  it("put everything back, the last replacement first", function()
    local module = { f = print }
    modules.on_given("stubs-f", module, module)
    stubs.put("stubs-f", "f", answering(1))
    stubs.put("stubs-f", "f", answering(2))
    stubs.clear()
    test.is(module.f, print)
    local late = { f = print }
    modules.on_given("stubs-f", late, late)
    test.is(late.f, print)
  end)
end)
