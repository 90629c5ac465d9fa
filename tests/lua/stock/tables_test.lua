local tables = require("host.stock.tables")
local test = require("test")

local describe, it, eq, fails, each = test.describe, test.it, test.eq, test.fails, test.each

local t = tables.new()

--- A list that answers through a metatable, and what it has been asked to store.
local function proxy(list)
  return setmetatable({}, {
    __len = function()
      return #list
    end,
    __index = list,
    __newindex = list,
  }),
    list
end

--- A list that says it is long beyond measure.
local function endless(length)
  return setmetatable({}, {
    __len = function()
      return length
    end,
    __index = function(_, index)
      return index
    end,
    __newindex = function(_, index)
      error("stored " .. index)
    end,
  })
end

describe("concat", function()
  it("joins plain lists, ranges and lists behind a metatable", function()
    eq(t.concat({ "a", 1, 2.5 }, "-"), "a-1-2.5")
    eq(t.concat({ "a", "b", "c" }, "", 2, 3), "bc")
    eq(t.concat({ "a" }, "x", 2), "")
    eq(t.concat(proxy({ "a", "b" }), ","), "a,b")
    eq(t.concat({ [math.maxinteger] = "z" }, ",", math.maxinteger, math.maxinteger), "z")
  end)

  it("joins long lists in pieces", function()
    local list = {}
    for i = 1, 120001 do
      list[i] = i % 10
    end
    local text = t.concat(list, ",")
    eq({ #text, text:sub(1, 5), text:sub(-5) }, { 240001, "1,2,3", "9,0,1" })
  end)

  it("says which value has no text", function()
    fails("invalid value (table) at index 2 in table for 'concat'", t.concat, { 1, {} })
    fails(
      "invalid value (nil) at index 3 in table for 'concat'",
      t.concat,
      proxy({ 1, 2 }),
      "",
      1,
      3
    )
    fails("bad argument #1 to 'concat' (table expected, got string)", t.concat, "ab")
  end)
end)

describe("insert", function()
  it("appends, or makes room", function()
    local list = {}
    t.insert(list, "c")
    t.insert(list, 1, "a")
    t.insert(list, 2, "b")
    t.insert(list, 4, "d")
    eq(list, { "a", "b", "c", "d" })
  end)

  it("goes through metamethods", function()
    local view, list = proxy({ "a", "c" })
    t.insert(view, 2, "b")
    t.insert(view, "d")
    eq(list, { "a", "b", "c", "d" })
  end)

  it("knows nil from nothing", function()
    local list = { 1, 2 }
    t.insert(list, nil)
    t.insert(list, 1, nil)
    eq({ list[1] == nil, list[2], list[3] }, { true, 1, 2 })
    fails("wrong number of arguments to 'insert'", t.insert, list)
    fails("wrong number of arguments to 'insert'", t.insert, list, 1, 2, 3)
  end)

  each(
    {
      { 0, "bad argument #2 to 'insert' (position out of bounds)" },
      { 5, "bad argument #2 to 'insert' (position out of bounds)" },
      { "x", "bad argument #2 to 'insert' (number expected, got string)" },
    },
    "refuses position {1}",
    function(row)
      fails(row[2], t.insert, { 1, 2, 3 }, row[1], "x")
      fails(row[2], t.insert, proxy({ 1, 2, 3 }), row[1], "x")
    end
  )

  it("needs a table, and a length that is a whole number", function()
    fails("bad argument #1 to 'insert' (table expected, got nil)", t.insert, nil, 1)
    fails("bad argument #1 to 'insert' (table expected, got number)", t.insert, 5, 1)
    fails("object length is not an integer", t.insert, endless("x"), 1)
    fails("object length is not an integer", t.insert, endless(1.5), 1)
  end)
end)

describe("remove", function()
  it("takes the last, or closes the gap", function()
    local list = { "a", "b", "c", "d" }
    eq({ t.remove(list), t.remove(list, 1), t.remove(list, 3) }, { "d", "a" })
    eq(list, { "b", "c" })
    test.is_nil(t.remove({}))
    test.is_nil(t.remove({}, 0))
  end)

  it("goes through metamethods", function()
    local view, list = proxy({ "a", "b", "c" })
    eq({ t.remove(view, 1), t.remove(view) }, { "a", "c" })
    eq(list, { "b" })
  end)

  it("refuses a position outside", function()
    fails("bad argument #2 to 'remove' (position out of bounds)", t.remove, { 1 }, 3)
    fails("bad argument #2 to 'remove' (position out of bounds)", t.remove, proxy({ 1 }), -1)
    fails("bad argument #1 to 'remove' (table expected, got nil)", t.remove)
    fails("bad argument #1 to 'remove' (table expected, got number)", t.remove, 5)
  end)
end)

describe("move", function()
  it("copies and shifts, whichever way they overlap", function()
    eq(t.move({ 1, 2, 3 }, 1, 3, 2), { 1, 1, 2, 3 })
    eq(t.move({ 1, 2, 3 }, 2, 3, 1), { 2, 3, 3 })
    eq(t.move({ 1, 2, 3 }, 1, 3, 3, { 9 }), { 9, nil, 1, 2, 3 })
    eq(t.move(proxy({ 1, 2, 3 }), 1, 3, 1, {}), { 1, 2, 3 })
    eq(t.move({ 1 }, 2, 1, 5), { 1 })
  end)

  it("moves long ranges in pieces, whichever way they overlap", function()
    local list = {}
    for i = 1, 150000 do
      list[i] = i
    end
    t.move(list, 1, 150000, 3)
    for i = 1, 150000 do
      test.is(list[i + 2], i)
    end
    t.move(list, 3, 150002, 1)
    for i = 1, 150000 do
      test.is(list[i], i)
    end
  end)

  it("shifts behind a metatable", function()
    local view, list = proxy({ 1, 2, 3 })
    t.move(view, 1, 3, 2)
    eq(list, { 1, 1, 2, 3 })
    t.move(view, 2, 4, 1)
    eq(list, { 1, 2, 3, 3 })
  end)

  it("refuses ranges that do not exist", function()
    fails("(too many elements to move)", t.move, {}, -1, math.maxinteger, 2)
    fails("(destination wrap around)", t.move, {}, 1, math.maxinteger, 2)
    fails("bad argument #4 to 'move' (number expected, got nil)", t.move, {}, 1, 3)
    fails("bad argument #5 to 'move' (table expected, got number)", t.move, {}, 1, 3, 1, 7)
  end)
end)

describe("sort", function()
  it("sorts numbers, strings, and by an order", function()
    local list = { 3, 1, 2 }
    t.sort(list)
    eq(list, { 1, 2, 3 })
    t.sort(list, function(a, b)
      return a > b
    end)
    eq(list, { 3, 2, 1 })
    local words = { "b", "a", ("x"):rep(1e6), ("x"):rep(1e6) .. "a" }
    t.sort(words)
    eq({ words[1], words[2], #words[4] }, { "a", "b", 1e6 + 1 })
  end)

  it("compares in Lua what C would take too long for", function()
    local list = {}
    for i = 1, 100001 do
      list[i] = i * 7919 % 100003
    end
    t.sort(list)
    for i = 2, #list do
      test.lte(list[i - 1], list[i])
    end
  end)

  it("calls an order written in C from Lua", function()
    local list = { 1, 1, 1 }
    t.sort(list, math.ult)
    eq(list, { 1, 1, 1 })
  end)

  it("sorts through a metatable, nils and an order included", function()
    local view, list = proxy({ 3, 1, 2 })
    t.sort(view)
    eq(list, { 1, 2, 3 })
    t.sort(view, function(a, b)
      return a > b
    end)
    eq(list, { 3, 2, 1 })
    local holes = setmetatable({ nil, 2, nil, 1 }, {
      __len = function()
        return 4
      end,
    })
    t.sort(holes, function(a, b)
      return (a or 9) < (b or 9)
    end)
    eq({ holes[1], holes[2], holes[3] == nil, holes[4] == nil }, { 1, 2, true, true })
  end)

  it("refuses a table that is longer than any", function()
    fails("bad argument #1 to 'sort' (array too big)", t.sort, endless(math.maxinteger))
  end)

  it("tells no place of its own where values cannot be compared", function()
    local list = {}
    for i = 1, 100001 do
      list[i] = i
    end
    list[5] = "x"
    local _, problem = pcall(t.sort, list)
    test.matches(problem, "^attempt to compare")
  end)

  it("needs a table and a function", function()
    fails("bad argument #1 to 'sort' (table expected, got nil)", t.sort)
    fails("bad argument #2 to 'sort' (function expected, got number)", t.sort, { 2, 1 }, 1)
  end)
end)

describe("unpack", function()
  it("gives the elements, a range, or those behind a metatable", function()
    eq({ t.unpack({ 1, 2, 3 }) }, { 1, 2, 3 })
    eq({ t.unpack({ 1, 2, 3 }, 2) }, { 2, 3 })
    eq({ t.unpack({ 1, 2, 3 }, -1, 1) }, { nil, nil, 1 })
    eq({ t.unpack((proxy({ 1, 2 }))) }, { 1, 2 })
    eq(select("#", t.unpack({}, 1, 5000)), 5000)
    eq(select("#", t.unpack({}, 2, 1)), 0)
  end)

  each(
    {
      { 1, 5001 },
      { math.mininteger, math.maxinteger },
      { -1, math.maxinteger },
    },
    "refuses the range {1} to {2}",
    function(row)
      fails("too many results to unpack", t.unpack, {}, row[1], row[2])
    end
  )

  it("refuses an endless table", function()
    fails("too many results to unpack", t.unpack, endless(1 << 40))
  end)

  it("says what has no length, as C does: without a place", function()
    local _, problem = pcall(t.unpack, 5)
    eq(problem, "attempt to get length of a number value")
  end)
end)

describe("an endless table", function()
  it("is walked from Lua, where it can be stopped", function()
    fails("stored 1099511627777", t.insert, endless(1 << 40), 1, "x")
    fails("stored 1", t.remove, endless(1 << 40), 1)
    fails("stored 1", t.move, endless(1), 2, 1 << 40, 1)
    fails("stored 1099511627777", t.insert, endless(1 << 40), "x")
  end)
end)
