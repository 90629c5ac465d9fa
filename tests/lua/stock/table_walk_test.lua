local test = require("test")
local walk = require("host.stock.table_walk")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

--- A table that answers through its metatable.
local function answering(list)
  return setmetatable({}, {
    __index = list,
    __newindex = list,
    __len = function()
      return #list
    end,
  })
end

describe("table_walk.concat", function()
  it("joins texts and numbers", function()
    eq(walk.concat({ "a", 1, 2.5 }, ", ", 1, 3), "a, 1, 2.5")
    eq(walk.concat({ "a", "b", "c" }, "", 2, 3), "bc")
    eq(walk.concat({}, ",", 1, 0), "")
  end)

  it("reads through metatables", function()
    eq(walk.concat(answering({ "a", "b" }), "-", 1, 2), "a-b")
  end)

  it("names what it cannot join", function()
    fails("invalid value", walk.concat, { "a", {} }, "", 1, 2)
  end)
end)

describe("table_walk.move", function()
  it("moves forwards and backwards over itself", function()
    local list = { 1, 2, 3, 4, 5 }
    walk.move(list, 1, 3, 3, list)
    eq(list, { 1, 2, 1, 2, 3 })
    list = { 1, 2, 3, 4, 5 }
    walk.move(list, 3, 5, 1, list)
    eq(list, { 3, 4, 5, 4, 5 })
  end)

  it("moves into another table, through metatables", function()
    local target = {}
    walk.move(answering({ "a", "b" }), 1, 2, 2, answering(target))
    eq(target, { nil, "a", "b" })
  end)
end)

describe("table_walk.shift_up and shift_down", function()
  it("make room and close it", function()
    local list = { "a", "b", "c" }
    walk.shift_up(list, 2, 4)
    list[2] = "new"
    eq(list, { "a", "new", "b", "c" })
    walk.shift_down(list, 2, 4)
    eq(list, { "a", "b", "c" })
  end)
end)
