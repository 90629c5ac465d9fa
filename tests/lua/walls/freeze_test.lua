local freeze = require("host.walls.freeze")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

describe("freeze.table", function()
  it("reads what lies behind it", function()
    local view = freeze.table({ 1, 2, pi = 3 }, "numbers")
    eq({ view.pi, view[2], #view }, { 3, 2, 2 })
    local seen = {}
    for key, value in pairs(view) do
      seen[key] = value
    end
    eq(seen, { 1, 2, pi = 3 })
  end)

  it("takes writes until it is sealed", function()
    local backing = {}
    local view, seal = freeze.table(backing, "numbers")
    view.pi = 3
    eq(backing.pi, 3)
    seal()
    fails("cannot set 'pi': 'numbers' is read-only", function()
      view.pi = 4
    end)
    fails("cannot change 'numbers': it is read-only", function()
      view[1] = 4
    end)
    eq(backing.pi, 3)
  end)

  it("may let what is there be replaced", function()
    local view, seal = freeze.table({ pi = 3 }, "numbers", { keeps_known = true })
    seal()
    view.pi = nil
    view.pi = 4
    eq(view.pi, 4)
    fails("read-only", function()
      view.tau = 6
    end)
  end)

  it("lets its owner word the complaint", function()
    local view = freeze.table({}, "numbers", {
      sealed = true,
      complain = function(name, key)
        error(name .. " has no room for " .. key, 3)
      end,
    })
    fails("numbers has no room for pi", function()
      view.pi = 3
    end)
  end)

  it("cannot be changed past its metatable", function()
    local view = freeze.table({ pi = 3 }, "numbers", { sealed = true })
    fails("read-only", rawset, view, "pi", 4)
    eq(getmetatable(view), false)
    fails("protected", setmetatable, view, {})
    eq(next(view), "pi")
  end)
end)

describe("freeze.copy", function()
  it("is a sealed table of its own with the same functions", function()
    local module = { f = print }
    local copy = freeze.copy(module, "module")
    module.g = print
    eq(copy.f, print)
    test.is_nil(copy.g)
    fails("read-only", function()
      copy.f = nil
    end)
  end)
end)

describe("freeze.is_frozen and backing", function()
  it("know frozen tables from others", function()
    local backing = { pi = 3 }
    local view = freeze.table(backing, "numbers")
    eq({ freeze.is_frozen(view), freeze.is_frozen(backing) }, { true, false })
    test.is(freeze.backing(view), backing)
  end)
end)
