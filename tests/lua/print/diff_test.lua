local diff = require("host.print.diff")
local errors = require("errors")
local json = require("json")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

--- A table that contains itself.
local function ring(value)
  local link = { value = value }
  link.next = link
  return link
end

local NAN = 0 / 0
local ONE_ERROR = errors.new("x")
local SAME_ERROR = errors.new("x")
local CLASS = {}
local ALIKE = {
  __eq = function()
    return true
  end,
}

describe("diff.equal", function()
  each(
    {
      { name = "equal numbers of both types", 1, 1.0, equal = true },
      { name = "NaN and NaN", NAN, NAN, equal = true },
      { name = "NaN and a number", NAN, 1, equal = false },
      { name = "a number and NaN", 1, NAN, equal = false },
      { name = "a number and its text", 1, "1", equal = false },
      { name = "nil and false", nil, false, equal = false },
      { name = "tables of equal content", { 1, { a = 2 } }, { 1, { a = 2 } }, equal = true },
      { name = "a longer and a shorter list", { 1, 2 }, { 1 }, equal = false },
      { name = "a shorter and a longer list", { 1 }, { 1, 2 }, equal = false },
      {
        name = "tables that differ deep inside",
        { a = { b = 1 } },
        { a = { b = 2 } },
        equal = false,
      },
      { name = "cycles of equal shape", ring(1), ring(1), equal = true },
      { name = "cycles of different content", ring(1), ring(2), equal = false },
      { name = "a table and null", {}, json.null, equal = false },
      { name = "null and null", { json.null }, { json.null }, equal = true },
      { name = "a decoded and a written empty list", json.decode("[]"), {}, equal = true },
      {
        name = "objects that say they are equal",
        setmetatable({ 1 }, ALIKE),
        setmetatable({ 2 }, ALIKE),
        equal = true,
      },
      {
        name = "empty objects of one class",
        setmetatable({}, CLASS),
        setmetatable({}, CLASS),
        equal = true,
      },
      {
        name = "empty objects of two classes",
        setmetatable({}, CLASS),
        setmetatable({}, {}),
        equal = false,
      },
      { name = "an object and its fields", setmetatable({ 1 }, CLASS), { 1 }, equal = true },
      { name = "equal errors made in two places", ONE_ERROR, SAME_ERROR, equal = true },
      { name = "errors of different text", errors.new("x"), errors.new("y"), equal = false },
    },
    "of {name} is {equal}",
    function(row)
      eq(diff.equal(row[1], row[2]), row.equal)
    end
  )
end)

describe("diff.lines", function()
  it("shows where long texts differ, on both sides", function()
    local same = ("lorem ipsum "):rep(20)
    local lines, count = diff.lines(
      { a = { same .. "1" .. same } },
      { a = { same .. "2" .. same } }
    )
    eq({ #lines, count, lines[1] }, { 3, 1, "at a[1]" })
    test.matches(lines[2], '^  got      …"[%l ]+1[%l ]+"…$')
    test.matches(lines[3], '^  expected …"[%l ]+2[%l ]+"…$')
  end)

  it("names each place that differs, in sorted order", function()
    local lines, count = diff.lines(
      { b = 1, a = { x = 1, y = { 1, 2 } }, same = 0 },
      { b = 2, a = { x = 1, y = { 1, 3 } }, same = 0 }
    )
    eq(lines, { "at a.y[2]   got 2   expected 3", "at b   got 1   expected 2" })
    eq(count, 2)
  end)

  it("says what is missing and what is too much", function()
    eq(diff.lines({ a = 1 }, { b = 2 }), {
      "at a   got 1   expected nothing",
      "at b   got nothing   expected 2",
    })
  end)

  it("says when only the type differs", function()
    eq(diff.lines({ price = "25.0" }, { price = 25.0 }), {
      'at price   got "25.0"   expected 25.0 (same text, different type)',
    })
  end)

  it("says when two things only look alike", function()
    local lines = diff.lines({ coroutine.create(print) }, { coroutine.create(print) })
    eq(lines, { "at [1]   got thread   expected thread (not the same one)" })
  end)

  it("shows eight places and counts the others", function()
    local got, expected = {}, {}
    for index = 1, 20 do
      got[index], expected[index] = index, -index
    end
    local lines, count = diff.lines(got, expected)
    eq(count, 20)
    eq(#lines, 9)
    eq(lines[9], "and 12 more differences")
  end)

  it("shows eight places without counting others", function()
    local lines = diff.lines({ 1, 2, 3, 4, 5, 6, 7, 8 }, {})
    eq(#lines, 8)
    test.matches(lines[8], "^at %[8%]")
  end)

  it("looks only at the expected fields when asked for a part", function()
    local lines, count = diff.lines({ a = { x = 1, y = 2 }, b = 3 }, { a = { x = 1 } }, true)
    eq({ lines, count }, { {}, 0 })
  end)

  it("ends on cycles", function()
    eq(diff.lines(ring(1), ring(2)), { "at value   got 1   expected 2" })
  end)
end)

describe("diff.remark", function()
  it("is about values of two types that print alike", function()
    eq(diff.remark("25.0", 25.0), " (same text, different type)")
    eq(diff.remark("nil", nil), " (same text, different type)")
    eq(diff.remark("25", 25.0), "")
    eq(diff.remark("a", "a"), "")
  end)

  it("asks no object for its text", function()
    local silent = setmetatable({}, { __tostring = error })
    eq(diff.remark(silent, "text") .. diff.remark("text", silent), "")
  end)
end)

describe("diff.literals", function()
  it("is empty when a line each is enough", function()
    eq(diff.literals({ 1 }, { 2 }), {})
  end)

  it("compares tables entry by entry", function()
    local note = ("long "):rep(12)
    eq(diff.literals({ id = 1, note = note }, { id = 2, note = note }), {
      "  {",
      "-   id = 2,",
      "+   id = 1,",
      ('    note = "%s",'):format(note),
      "  …",
    })
  end)

  it("opens the shorter of two tables too, so that lines can be compared", function()
    local long = ("x"):rep(60)
    local lines = { "  …", "    1,", ('+   "%s",'):format(long), "  }" }
    eq(diff.literals({ 1, long }, { 1 }), lines)
    lines[3] = lines[3]:gsub("^%+", "-")
    eq(diff.literals({ 1 }, { 1, long }), lines)
  end)
end)
