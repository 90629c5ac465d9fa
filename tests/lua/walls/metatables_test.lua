local copies = require("host.walls.copies")
local lock = require("host.walls.lock")
local metatables = require("host.walls.metatables")
local names = require("host.walls.names")
local test = require("test")

local describe, it, each, eq, fails = test.describe, test.it, test.each, test.eq, test.fails

-- Where names are hidden the copies work as well; then both ways are looked at.
local WAYS = {
  {
    way = names.are_hidden and "stock" or "as here",
    set = metatables.setmetatable,
    get = metatables.getmetatable,
    of = metatables.of,
  },
  { way = "copies", set = copies.setmetatable, get = copies.getmetatable, of = copies.of },
}

describe("setmetatable", function()
  each(WAYS, "gives an object its class: {way}", function(one)
    local Point = { __index = {} }
    function Point.__index:length()
      return self.x + self.y
    end
    local point = one.set({ x = 3, y = 4 }, Point)
    eq(point:length(), 7)
    test.is(one.get(point), Point)
    test.is(one.of(point), Point)
  end)

  each(WAYS, "answers every event: {way}", function(one)
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
    local first, other = one.set({}, meta), one.set({}, meta)
    eq(
      { first(5), tostring(first), #first, first .. "", first + 1 },
      { 5, "me", 42, "joined", "sum" }
    )
    test.ok(rawequal(first, other) == false and first == other)
  end)

  each(WAYS, "follows what a class gets before its next object: {way}", function(one)
    local Class = {}
    local object = one.set({}, Class)
    Class.__index = { late = 7 }
    local later = one.set({}, Class)
    eq(later.late, 7)
    test.is(one.get(object), Class)
  end)

  each(WAYS, "makes nothing weak and finalizes nothing: {way}", function(one)
    local ran = false
    local meta = {
      __mode = "kv",
      __gc = function()
        ran = true
      end,
    }
    local object = one.set({ {} }, meta)
    one.set({}, meta)
    for round = 1, 100 do
      local _ = ("x"):rep(300000) .. round
    end
    test.not_nil(object[1])
    test.is_false(ran)
    eq(one.get(object).__mode, "kv")
  end)

  each(WAYS, "respects a lock: {way}", function(one)
    local locked = one.set({}, { __metatable = "locked" })
    eq(one.get(locked), "locked")
    fails("cannot change a protected metatable", one.set, locked, {})
    fails("cannot change a protected metatable", one.set, errors.new("x"), {})
  end)

  each(WAYS, "takes a metatable away: {way}", function(one)
    local object = one.set(one.set({}, { __index = { a = 1 } }), nil)
    test.is_nil(object.a)
    test.is_nil(one.get(object))
  end)

  each(WAYS, "refuses what is no table: {way}", function(one)
    fails("bad argument #1 to", one.set, 7, {})
    fails("(table expected, got number)", one.set, 7, {})
    fails("bad argument #2 to", one.set, {}, 7)
  end)
end)

-- What the copies lack: `stdlib/README.md` says so.
local only_stock = names.are_hidden and it or test.it_skip

describe("setmetatable where names are hidden", function()
  only_stock("lets a class be completed after its first object", function()
    local Account = {}
    function Account:new(o)
      metatables.setmetatable(o, self)
      self.__index = self
      return o
    end
    local early = Account:new({ balance = 1 })
    function Account:twice()
      return 2 * self.balance
    end
    Account.__add = function(a, b)
      return a.balance + b.balance
    end
    eq({ early:twice(), early + early }, { 2, 2 })
  end)

  -- What each event makes of an object whose handler answers `mark`.
  local USES = {
    {
      "__index",
      function(object)
        return object.anything
      end,
    },
    {
      "__call",
      function(object)
        return object()
      end,
    },
    {
      "__add",
      function(object)
        return object + 1
      end,
    },
    {
      "__concat",
      function(object)
        return object .. "x"
      end,
    },
    {
      "__unm",
      function(object)
        return -object
      end,
    },
    {
      "__len",
      function(object)
        return #object
      end,
    },
    {
      "__tostring",
      function(object)
        return tostring(object)
      end,
    },
    {
      "__pairs",
      function(object)
        return (pairs(object))
      end,
    },
  }

  for _, case in ipairs(USES) do
    local event, use = case[1], case[2]
    only_stock("counts " .. event .. " at once when it is added, replaced and removed", function()
      local meta = {}
      local object = metatables.setmetatable({}, meta)
      local function seen()
        local ok, value = pcall(use, object)
        return ok and value
      end
      local before = seen()
      for _, mark in ipairs({ "first", "second" }) do
        meta[event] = function()
          return mark
        end
        eq(seen(), mark)
      end
      meta[event] = nil
      eq(seen(), before)
    end)
  end

  only_stock("counts __newindex, __eq, __lt and __close at once", function()
    local meta, log = {}, {}
    local a, b = metatables.setmetatable({}, meta), metatables.setmetatable({}, meta)
    function meta.__newindex(_, key)
      log[#log + 1] = key
    end
    function meta.__eq()
      return true
    end
    function meta.__lt()
      return true
    end
    function meta.__close()
      log[#log + 1] = "closed"
    end
    do
      local _ <close> = a
      a.key = 1
    end
    eq(log, { "key", "closed" })
    test.ok(a == b and a < b)
    meta.__eq, meta.__newindex = nil, nil
    a.key = 1
    test.ok(a ~= b and rawget(a, "key") == 1)
  end)
end)

describe("rawset", function()
  it("refuses the objects that no script has made, and no other", function()
    fails("cannot change 'x': the table is read-only", metatables.rawset, errors.new("x"), "x", 1)
    fails("the table is read-only", metatables.rawset, string, "x", 1)
    eq(rawget(metatables.rawset({}, "x", 1), "x"), 1)
    for _, one in ipairs(WAYS) do
      local locked = one.set({}, { __metatable = "error" })
      eq(rawget(metatables.rawset(locked, "x", 1), "x"), 1)
    end
  end)

  it("refuses what is no table", function()
    fails("bad argument #1 to 'rawset' (table expected, got number)", metatables.rawset, 1, 2, 3)
  end)
end)

describe("lock", function()
  it("knows the host's objects, whatever a script's own lock says", function()
    local lie = metatables.setmetatable({}, { __metatable = "error" })
    eq(
      { lock.is(errors.new("x")), lock.is(lie), lock.is({}), lock.is("") },
      { true, false, false, false }
    )
  end)
end)
