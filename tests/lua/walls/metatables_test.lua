local metatables = require("host.walls.metatables")
local test = require("test")

local describe, it, each, eq, fails = test.describe, test.it, test.each, test.eq, test.fails
local set, get = metatables.setmetatable, metatables.getmetatable

describe("metatables.setmetatable", function()
  it("gives an object its class", function()
    local Point = { __index = {} }
    function Point.__index:length()
      return self.x + self.y
    end
    local point = set({ x = 3, y = 4 }, Point)
    eq(point:length(), 7)
    test.is(get(point), Point)
  end)

  it("answers every event", function()
    local meta = {
      __call = function(_, value)
        return value
      end,
      __tostring = function()
        return "me"
      end,
      __len = function()
        return 42
      end,
      __eq = function()
        return true
      end,
      __concat = function()
        return "joined"
      end,
      __add = function()
        return "sum"
      end,
    }
    local one, other = set({}, meta), set({}, meta)
    eq({ one(5), tostring(one), #one, one .. "", one + 1 }, { 5, "me", 42, "joined", "sum" })
    test.ok(rawequal(one, other) == false and one == other)
  end)

  it("follows what a class gets while its file still runs", function()
    local Class = {}
    local object = set({}, Class)
    Class.__index = { late = 7 }
    local later = set({}, Class)
    eq(later.late, 7)
    test.is(get(object), Class)
  end)

  each(
    {
      { event = "__gc", says = "'__gc' is not available" },
      { event = "__mode", says = "'__mode' (a weak table) is not available" },
    },
    "refuses {event}",
    function(row)
      fails(row.says, set, {}, { [row.event] = "k" })
    end
  )

  it("respects a lock", function()
    local locked = set({}, { __metatable = "locked" })
    eq(get(locked), "locked")
    fails("protected metatable", set, locked, {})
    fails("protected metatable", set, errors.new("x"), {})
  end)

  it("takes a metatable away", function()
    local object = set(set({}, { __index = { a = 1 } }), nil)
    test.is_nil(object.a)
    test.is_nil(get(object))
  end)

  it("refuses what is no table", function()
    fails("bad argument #1 to 'setmetatable' (table expected, got number)", set, 7, {})
    fails("bad argument #2 to 'setmetatable' (nil or table expected)", set, {}, 7)
  end)
end)

describe("metatables.rawset", function()
  it("refuses the objects that no script has made, and no other", function()
    fails("cannot change 'x': the table is read-only", metatables.rawset, errors.new("x"), "x", 1)
    eq(rawget(metatables.rawset({}, "x", 1), "x"), 1)
    eq(rawget(metatables.rawset(set({}, {}), "x", 1), "x"), 1)
  end)
end)
