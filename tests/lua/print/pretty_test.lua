local errors = require("errors")
local json = require("json")
local pretty = require("host.print.pretty")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

--- What a literal means when it is pasted back.
local function pasted(text)
  return assert(load("return " .. text, "=pasted", "t", { math = math, json = json }))()
end

describe("pretty.value", function()
  each(
    {
      { text = "nil", value = nil },
      { text = "true", value = true },
      { text = "1", value = 1 },
      { text = "1.0", value = 1.0 },
      { text = "-0.0", value = -0.0 },
      { text = "0.1", value = 0.1 },
      { text = "0.30000000000000004", value = 0.1 + 0.2 },
      { text = "1e+100", value = 1e100 },
      { text = "9223372036854775807", value = math.maxinteger },
      { text = "math.mininteger", value = math.mininteger },
      { text = "math.huge", value = math.huge },
      { text = "-math.huge", value = -math.huge },
      { text = "0/0", value = 0 / 0 },
      { text = '"it\'s"', value = "it's" },
      { text = [["a \"b\" \\ c"]], value = 'a "b" \\ c' },
      { text = [["line\nnext\r\tend"]], value = "line\nnext\r\tend" },
      { text = [["\0001\0279\127"]], value = "\0001\0279\127" },
      { text = '"Straße …"', value = "Straße …" },
      { text = [["caf\233 \195"]], value = "caf\233 \195" },
      { text = [["\194\155J"]], value = "\194\155J" },
      { text = "{}", value = {} },
      { text = "{ 1, 2, 3 }", value = { 1, 2, 3 } },
      { text = '{ 1, [3] = "c" }', value = { 1, [3] = "c" } },
      { text = "{ [-1] = 1, [0] = 2, [1.5] = 3 }", value = { [0] = 2, [-1] = 1, [1.5] = 3 } },
      {
        text = '{ ["end"] = 1, ["odd name"] = 2, plain = 3 }',
        value = { ["end"] = 1, ["odd name"] = 2, plain = 3 },
      },
      { text = "{ [false] = 1, [true] = 2 }", value = { [true] = 2, [false] = 1 } },
      { text = "json.null", value = json.null },
      { text = "{ a = { b = { json.null } } }", value = { a = { b = { json.null } } } },
    },
    "writes {text}, which can be pasted back",
    function(row)
      if row.skip then
        return
      end
      local text = pretty.value(row.value)
      eq(text, row.text)
      local back = pasted(text)
      eq(back, row.value)
      eq(math.type(back), math.type(row.value))
    end
  )

  it("sorts numbers, texts, truth values and the rest, whatever the order of making", function()
    local one, other = {}, {}
    for _, key in ipairs({ "b", "a", 10, 9, true, "c" }) do
      one[key] = 0
    end
    for _, key in ipairs({ "c", true, 9, "a", 10, "b" }) do
      other[key] = 0
    end
    eq(pretty.value(one), "{ [9] = 0, [10] = 0, a = 0, b = 0, c = 0, [true] = 0 }")
    eq(pretty.value(one), pretty.value(other))
  end)

  it("sorts false before true among other keys", function()
    eq(
      pretty.keys({ x = 1, [true] = 1, [1] = 1, [false] = 1, y = 1 }),
      { 1, "x", "y", false, true }
    )
  end)

  it("sorts tables as keys by what they hold", function()
    eq(pretty.value({ [{ 2 }] = "b", [{ 1 }] = "a" }), '{ [{ 1 }] = "a", [{ 2 }] = "b" }')
  end)

  it("breaks a table that is too wide, with an entry on each line", function()
    local text = pretty.value({ name = "Ada", tags = { "x", "y" } }, { width = 30 })
    eq(text, '{\n  name = "Ada",\n  tags = { "x", "y" },\n}')
  end)

  it("indents what is inside, and breaks only what does not fit", function()
    local text = pretty.value({ a = { b = { "cccccccccc", "dddddddddd" } } }, { width = 24 })
    eq(text, '{\n  a = {\n    b = {\n      "cccccccccc",\n      "dddddddddd",\n    },\n  },\n}')
  end)

  it("keeps whole lines within the width, with their keys and commas", function()
    local wide = "{\n  name = { 1, 2 },\n}"
    eq(pretty.value({ name = { 1, 2 } }, { width = 18, open = true }), wide)
    local narrow = "{\n  name = {\n    1,\n    2,\n  },\n}"
    eq(pretty.value({ name = { 1, 2 } }, { width = 17, open = true }), narrow)
  end)

  it("counts characters and not bytes against the width", function()
    eq(pretty.value({ "ääääääääää" }, { width = 16 }), '{ "ääääääääää" }')
    eq(pretty.value({ "ääääääääää" }, { width = 15 }), '{\n  "ääääääääää",\n}')
    eq(pretty.value({ "a", "b" }, { width = 12 }), '{ "a", "b" }')
    eq(pretty.value({ "a", "b" }, { width = 11 }), '{\n  "a",\n  "b",\n}')
  end)

  it("opens the outermost table when told to", function()
    eq(pretty.value({ 1, { 2 } }, { open = true }), "{\n  1,\n  { 2 },\n}")
  end)

  it("says in a comment what a literal cannot carry, and keeps the places of a list", function()
    local text = pretty.value({ print, coroutine.create(print), 3 })
    eq(text, "{ --[[function]] nil, --[[thread]] nil, 3 }")
    eq(pasted(text)[3], 3)
  end)

  it("names the place where a script's function was written", function()
    test.matches(
      pretty.value(function() end),
      "^%-%-%[%[function%(.-pretty_test%.lua:%d+%)%]%] nil$"
    )
  end)

  it("leaves out a key that no literal can have, and says so", function()
    local text = pretty.value({ [print] = 1, a = 2 })
    eq(text, "{ a = 2, --[[a function as key]] }")
    eq(pasted(text), { a = 2 })
    eq(pretty.value({ [print] = 1 }), "{ --[[a function as key]] }")
    text = pretty.value({ [print] = 1, a = 2 }, { width = 9 })
    eq(text, "{\n  a = 2,\n  --[[a function as key]]\n}")
  end)

  it("marks a cycle and says how far up it leads", function()
    local order = { items = { {} } }
    order.items[1].order = order
    eq(pretty.value(order), "{ items = { { order = --[[cycle, 3 up]] nil } } }")
    test.is_table(pasted(pretty.value(order)))
  end)

  it("prints a table twice that is there twice without a cycle", function()
    local shared = { 1 }
    eq(pretty.value({ shared, shared }), "{ { 1 }, { 1 } }")
  end)

  it("stops at its depth", function()
    local text = pretty.value({ { { { 1 } } } }, { depth = 2 })
    eq(text, "{ { { --[[deeper than 2]] } } }")
    eq(pasted(text), { { {} } })
  end)

  it("shows an empty table even at its depth", function()
    eq(pretty.value({ {} }, { depth = 1 }), "{ {} }")
  end)

  it("cuts a long text between two characters", function()
    eq(pretty.value("aäz", { text = 4 }), '"aäz"')
    eq(pretty.value("aäz", { text = 3 }), '"aä" --[[and 1 more bytes]]')
    eq(pretty.value("äz", { text = 1 }), '"" --[[and 3 more bytes]]')
    eq(pretty.value("aäz", { text = 2 }), '"a" --[[and 3 more bytes]]')
  end)

  it("says how many entries it left out of a large table", function()
    local list, map = {}, {}
    for index = 1, 100000 do
      list[index], map["k" .. index] = 1, 1
    end
    test.matches(pretty.value(list, { bytes = 30 }), "^{ 1, 1, .- %-%-%[%[99990 more%]%] }$")
    local text = pretty.value(map, { bytes = 1000, width = 9 })
    local _, shown = text:gsub(" = 1,", "")
    eq(tonumber(text:match("\n  %-%-%[%[(%d+) more%]%]\n}$")), 100000 - shown)
    test.lt(#pretty.value({ list, map }, { bytes = 1000 }), 3000)
    test.is_table(pasted(pretty.value({ list, map }, { bytes = 1000 })))
  end)

  it("prints an error as the call that makes it", function()
    local err = errors.new({ kind = errors.TIMEOUT, message = "down" })
    eq(pretty.value(err), 'errors.new({ kind = "TIMEOUT", message = "down", retryable = true })')
  end)

  it("prints what a module holds although the table itself is empty", function()
    test.contains(pretty.value(json), "decode = --[[function]] nil")
  end)

  it("puts what an object says of itself in front of its fields", function()
    local class = {
      __tostring = function(self)
        return "order " .. self.id
      end,
    }
    eq(pretty.value(setmetatable({ id = 7 }, class)), "--[[order 7]] { id = 7 }")
  end)

  it("escapes what an object says, for it may be meant for a terminal", function()
    local class = {
      __tostring = function()
        return "a\27[2Jb\255"
      end,
    }
    eq(pretty.value(setmetatable({}, class)), [=[--[[a\027[2Jb\255]] {}]=])
  end)

  it("survives an object that cannot speak, or speaks to break the literal", function()
    local raising = { __tostring = error }
    local breaking = {
      __tostring = function()
        return "]] os.exit() --[["
      end,
    }
    eq(pretty.value(setmetatable({ 1 }, raising)), "{ 1 }")
    eq(pretty.value(setmetatable({ 1 }, breaking)), "{ 1 }")
  end)

  it("shows no address", function()
    local named = { __name = "shop.Order" }
    eq(pretty.value(setmetatable({ 1 }, named)), "{ 1 }")
  end)
end)

describe("pretty.brief", function()
  it("is one line however large the value", function()
    local rows = {}
    for index = 1, 50 do
      rows[index] = { id = index, text = "line\nbreak" }
    end
    local text = pretty.brief(rows, 40)
    eq(utf8.len(text), 40)
    test.is_nil(text:find("\n", 1, true))
    test.matches(text, "…$")
  end)

  it("leaves out what does not fit and uses no comments", function()
    eq(pretty.brief({ 1, 2, 3, 4, 5, 6, 7 }, 14), "{ 1, 2, 3, 4,…")
    eq(pretty.brief("abc", 5), '"abc"')
    eq(pretty.brief({ { { { 1 } } } }), "{ { { { … } } } }")
    eq(pretty.brief(print), "function")
  end)
end)

describe("pretty.step", function()
  each(
    {
      { key = "name", step = ".name" },
      { key = "while", step = '["while"]' },
      { key = "end", step = '["end"]' },
      { key = "odd name", step = '["odd name"]' },
      { key = 3, step = "[3]" },
      { key = true, step = "[true]" },
      { key = { 1 }, step = "[{ 1 }]" },
    },
    "writes {step} for a key",
    function(row)
      eq(pretty.step(row.key), row.step)
    end
  )
end)

describe("pretty.keys", function()
  it("leaves out the list before an index", function()
    eq(pretty.keys({ 1, 2, 3, a = 1, [-1] = 1, [9] = 1 }, 4), { -1, 9, "a" })
    eq(pretty.keys({ "x", "y" }), { 1, 2 })
  end)
end)
