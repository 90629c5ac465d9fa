local json_values = require("host.json.values")
local native = require("host.json.native")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq
local NULL, EMPTY = json_values.null, json_values.EMPTY

local function decode(text)
  return native.decode(text, NULL, nil, EMPTY, "[]", native.main)
end

local function encode(value)
  return native.encode(value, EMPTY, native.main)
end

--- Without a library everything is declined; with one, what is plain is not.
local answers = decode("1") == 1

describe("json_native.decode", function()
  it("declines a whole text for one fault, number, level or byte too much", function()
    for _, text in ipairs({
      "",
      "[1,]",
      '{"a":1,}',
      "[1 2]",
      '"\t"',
      '"\xff"',
      "1e999",
      ("["):rep(129) .. ("]"):rep(129),
      '"' .. ("x"):rep(2 ^ 20) .. '"',
    }) do
      test.is_nil(decode(text))
    end
  end)

  it("declines what is no text", function()
    test.is_nil(decode(1))
    test.is_nil(decode({}))
    test.is_nil(native.decode())
    test.is_nil(native.decode("1", NULL, nil, EMPTY, "[]"))
  end)

  it("leaves null fields away where it is told so, and marks its lists", function()
    if answers then
      local value = decode('{"a":null,"b":[null],"c":[]}')
      eq(value, { b = { NULL }, c = {} })
      eq({ EMPTY[value], EMPTY[value.b], EMPTY[value.c] }, { nil, "[]", "[]" })
    end
  end)
end)

describe("json_native.encode", function()
  it("declines what the careful writer has to explain", function()
    local cycle = {}
    cycle[1] = cycle
    local holes, mixed = { 1, nil, 3 }, { 1, a = 2 }
    for _, value in ipairs({ print, { print }, holes, mixed, 0 / 0, "\xff", cycle }) do
      test.is_nil(encode(value))
    end
    test.is_nil(encode(nil))
    test.is_nil(native.encode())
  end)

  it("declines a text of more than a mebibyte", function()
    local list = {}
    for place = 1, 2 ^ 18 do
      list[place] = 1234
    end
    test.is_nil(encode(list))
    -- Where the room for the text has grown to more than that.
    local text = ("x"):rep(600000)
    test.is_nil(encode({ text, text }))
    test.is_nil(encode({ text, ("x"):rep(400000), text }))
  end)

  it("does not look at metatables", function()
    if answers then
      local meta = {
        __index = function()
          return "of the metatable"
        end,
        __pairs = error,
        __len = error,
      }
      eq(encode(setmetatable({ 1.5, "ä\n" }, meta)), '[1.5,"ä\\n"]')
      eq(encode(setmetatable({}, meta)), "{}")
      eq(encode(NULL), "null")
    end
  end)
end)
