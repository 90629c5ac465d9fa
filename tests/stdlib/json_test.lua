local json = require("json")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails
local contains, is_nil = test.contains, test.is_nil

--- What a text becomes on its way through both halves.
local function through(text)
  local value, err = json.decode(text)
  is_nil(err)
  return json.encode(value)
end

--- Whether both values are of one type, integer and float apart.
local function same_number(actual, expected)
  eq(actual, expected)
  eq(math.type(actual), math.type(expected))
end

describe("json.decode", function()
  it("reads objects, lists and all scalars", function()
    local text = [[ { "id" : 7 , "tags" : [ "a" , "b" ], "price":19.95,"ok":true,"no":false } ]]
    eq(json.decode(text), { id = 7, tags = { "a", "b" }, price = 19.95, ok = true, no = false })
  end)

  it("answers what is no text as it is", function()
    local body = { id = 7 }
    test.is(json.decode(body), body)
    eq(json.decode(7), 7)
    eq(json.decode(false), false)
    is_nil(json.decode(nil))
  end)

  it("reads a lone false without an error", function()
    local value, err = json.decode("false")
    eq(value, false)
    is_nil(err)
  end)

  it("keeps null as a value of its own", function()
    test.is(json.decode("null"), json.null)
    eq(#json.decode("[null, null, 1]"), 3)
    eq(json.decode('{"a": null}').a == json.null, true)
  end)

  it("takes the last of two equal names", function()
    eq(json.decode('{"a": 1, "a": 2}'), { a = 2 })
  end)

  for _, case in ipairs({
    { "0", 0 },
    { "-0", 0 },
    { "1", 1 },
    { "1.0", 1.0 },
    { "-0.0", -0.0 },
    { "10e2", 1000.0 },
    { "1E-2", 0.01 },
    { "1e+2", 100.0 },
    { "9223372036854775807", math.maxinteger },
    { "-9223372036854775808", math.mininteger },
    { "9223372036854775808", 2.0 ^ 63 },
    { "123456789012345678901234567890", 123456789012345678901234567890.0 },
    { "1.5", 1.5 },
    { "-20.25", -20.25 },
    { "0.5", 0.5 },
  }) do
    local text, expected = case[1], case[2]
    it("reads " .. text .. " as a number of the right type", function()
      same_number(json.decode(text), expected)
      same_number(json.decode("[" .. text .. "]")[1], expected)
      same_number(json.decode('{"n":' .. text .. "}").n, expected)
    end)
  end

  for _, case in ipairs({
    { [["\"\\\/\b\f\n\r\t"]], '"\\/\b\f\n\r\t' },
    { [["\u0041\u00fc\u20ac"]], "Aü€" },
    { [["\ud83d\ude00"]], "😀" },
    { [["a\u0000b"]], "a\0b" },
    { '"\127"', "\127" },
    { '"grün 😀"', "grün 😀" },
  }) do
    local text, expected = case[1], case[2]
    it("reads the string " .. text, function()
      eq(json.decode(text), expected)
      eq(json.decode('{"s":' .. text .. "}"), { s = expected })
      eq(json.decode("[1," .. text .. " ]"), { 1, expected })
    end)
  end

  it("reads names with escapes and with blanks around them", function()
    eq(json.decode('{ "a\\u0062" : 1,"\\"" :2 }'), { ab = 1, ['"'] = 2 })
  end)

  it("reads 128 levels and refuses the next one", function()
    local _, err = json.decode(("["):rep(128) .. ("]"):rep(128))
    is_nil(err)
    _, err = json.decode(("["):rep(129) .. ("]"):rep(129))
    eq(tostring(err), "json: line 1, column 129: nested deeper than 128 levels")
    _, err = json.decode(('{"a":'):rep(129) .. "1" .. ("}"):rep(129))
    contains(tostring(err), "nested deeper than 128 levels")
  end)
end)

describe("a decoded list", function()
  --- What a text becomes when `change` has been at the value.
  local function changed(text, change)
    local value = json.decode(text)
    change(value)
    return json.encode(value)
  end

  it("stays a list when its last item is taken away", function()
    local function remove(value)
      table.remove(value.tags)
    end
    eq(changed('{"tags":["a"]}', remove), '{"tags":[]}')
    eq(changed('{"tags":[{"a":1}]}', remove), '{"tags":[]}')
    eq(json.encode(json.decode("[[[1]]]")), "[[[1]]]")
    eq(
      changed("[[1],[2,3]]", function(value)
        value[1][1], value[2][2], value[2][1] = nil, nil, nil
      end),
      "[[],[]]"
    )
  end)

  it("is what its content says while there is any", function()
    eq(
      changed('["a"]', function(value)
        value[1], value.name = nil, "b"
      end),
      '{"name":"b"}'
    )
  end)

  it("has no metatable, so that everything works on it as on a table of one's own", function()
    local list = json.decode("[3,1,2]")
    is_nil(getmetatable(list))
    table.sort(list)
    eq(list, { 1, 2, 3 })
  end)

  it("is forgotten with its list", function()
    local function kib()
      local _ = json.decode("[" .. ("[1],"):rep(100000) .. "1]")
      _ = nil
      return collectgarbage("count")
    end
    local first, last = kib(), 0
    for _ = 1, 5 do
      last = kib()
    end
    test.lt(last, 3 * first)
  end)
end)

describe("json.decode refuses", function()
  for _, case in ipairs({
    { "", 1, "a value expected, got the end of the text" },
    { "  ", 3, "a value expected, got the end of the text" },
    { '{"id": }', 8, "a value expected, got '}'" },
    { "[1,]", 4, "a value expected, got ']'" },
    { "[,1]", 2, "a value expected, got ','" },
    { '{"a":1,}', 8, "a name in double quotes expected, got '}'" },
    { "{,}", 2, "a name in double quotes expected, got ','" },
    { "{a:1}", 2, "a name in double quotes expected, got 'a'" },
    { "{1:1}", 2, "a name in double quotes expected, got '1'" },
    { '{"a" 1}', 6, "':' expected, got '1'" },
    { '{"a\\n":', 8, "a value expected, got the end of the text" },
    { '{"a":', 6, "a value expected, got the end of the text" },
    { '{"a":1', 7, "',' or '}' expected, got the end of the text" },
    { '{"a":1 "b":2}', 8, "',' or '}' expected, got '\"'" },
    { '{"a":1]', 7, "',' or '}' expected, got ']'" },
    { "[1 2]", 4, "',' or ']' expected, got '2'" },
    { "[1", 3, "',' or ']' expected, got the end of the text" },
    { "[1}", 3, "',' or ']' expected, got '}'" },
    { "[", 2, "a value expected, got the end of the text" },
    { "[1] x", 5, "the end of the text expected, got 'x'" },
    { "1 2", 3, "the end of the text expected, got '2'" },
    { "nul", 1, "a value expected, got 'nul'" },
    { "truer", 5, "the end of the text expected, got 'r'" },
    { "None", 1, "a value expected, got 'None'" },
    { "NaN", 1, "a value expected, got 'NaN'" },
    { "'a'", 1, "a value expected, got '''" },
    { "// no", 1, "a value expected, got '/'" },
    { "01", 1, "malformed number '01'" },
    { "-01", 2, "malformed number '01'" },
    { "-", 1, "malformed number '-'" },
    { "-a", 1, "malformed number '-a'" },
    { "1.", 1, "malformed number '1.'" },
    { "[2.,3]", 2, "malformed number '2.'" },
    { '{"a":1.}', 6, "malformed number '1.'" },
    { "1e", 1, "malformed number '1e'" },
    { "1e+", 1, "malformed number '1e+'" },
    { "1+2", 1, "malformed number '1+2'" },
    { ".5", 1, "a value expected, got '.5'" },
    { "+1", 1, "a value expected, got '+1'" },
    { "0x10", 2, "the end of the text expected, got 'x10'" },
    { "1e999", 1, "a number too large for a float" },
    { "-1e999", 2, "a number too large for a float" },
    { "[" .. ("9"):rep(400) .. "]", 2, "a number too large for a float" },
    { '{"a":' .. ("9"):rep(400) .. ".5}", 6, "a number too large for a float" },
    { '"abc', 5, "a string without its closing quote" },
    { '"abc\\', 6, "a string without its closing quote" },
    { '"a\nb"', 3, "a control character (\\u000a) in a string" },
    { '{"a\0":1}', 4, "a control character (\\u0000) in a string" },
    { '"\\x41"', 2, "unknown escape \\x" },
    { '"\\u12"', 4, "four hexadecimal digits expected, got '12'" },
    { '"\\ud800"', 2, "half of a surrogate pair: \\ud800" },
    { '"\\ud800\\u0041"', 2, "half of a surrogate pair: \\ud800" },
    { '"\\ude00\\ud83d"', 2, "half of a surrogate pair: \\ude00" },
    { '"a\xFFb"', 3, "invalid UTF-8" },
    { '"\xED\xA0\x80"', 2, "invalid UTF-8" },
    { '"\xC0\xAF"', 2, "invalid UTF-8" },
    { '["gr\xC3\xBCn" x', 9, "',' or ']' expected, got 'x'" },
  }) do
    local text, column, message = case[1], case[2], case[3]
    it(("%q with %q"):format(text, message), function()
      local value, err = json.decode(text)
      is_nil(value)
      eq(tostring(err), ("json: line 1, column %d: %s"):format(column, message))
      eq(err:kind(), "INVALID")
      eq(err:details(), { line = 1, column = column })
    end)
  end

  it("and counts lines", function()
    local _, err = json.decode('{\n  "a": 1,\n\n  "b": x\n}')
    eq(tostring(err), "json: line 4, column 8: a value expected, got 'x'")
  end)
end)

describe("json.encode", function()
  for _, case in ipairs({
    { { id = 7 }, '{"id":7}' },
    { { 1, "a", true, { false } }, '[1,"a",true,[false]]' },
    { {}, "{}" },
    { { {} }, "[{}]" },
    { json.array(), "[]" },
    { json.array({ 1 }), "[1]" },
    { json.null, "null" },
    { { json.null }, "[null]" },
    { "text", '"text"' },
    { 'a"b\\c/\b\f\n\r\t\0\31\127', '"a\\"b\\\\c/\\b\\f\\n\\r\\t\\u0000\\u001f\127"' },
    { "grün 😀", '"grün 😀"' },
    { { ['a"\n'] = 1 }, '{"a\\"\\n":1}' },
    { true, "true" },
    { 1, "1" },
    { 1.0, "1.0" },
    { -0.0, "-0.0" },
    { 0.1, "0.1" },
    { 0.1 + 0.2, "0.30000000000000004" },
    { 1e15, "1e+15" },
    { 2.0 ^ 53, "9007199254740992.0" },
    { 1e100, "1e+100" },
    { math.mininteger, "-9223372036854775808" },
  }) do
    local value, text = case[1], case[2]
    it("writes " .. text, function()
      eq(json.encode(value), text)
      eq(json.encode({ value }), "[" .. text .. "]")
      eq(json.encode({ k = value }, { sorted = true }), '{"k":' .. text .. "}")
    end)
  end

  it("keeps the kind of an empty list on its way through", function()
    eq(through('{"a":[]}'), '{"a":[]}')
    eq(through('{"a":{}}'), '{"a":{}}')
  end)

  it("writes a decoded empty list as what it became", function()
    local list = json.decode("[]")
    list[1] = "a"
    eq(json.encode(list), '["a"]')
  end)

  it("writes a list whose places were set in any order", function()
    eq(json.encode({ [3] = "c", [1] = "a", [2] = "b" }), '["a","b","c"]')
  end)

  it("looks past metatables", function()
    local object = setmetatable({ a = 1 }, {
      __index = { b = 2 },
      __pairs = function()
        error("ran")
      end,
      __len = function()
        error("ran")
      end,
    })
    eq(json.encode(object), '{"a":1}')
  end)

  it("writes the same table twice", function()
    local shared = { 1 }
    eq(json.encode({ shared, shared }), "[[1],[1]]")
    eq(json.encode({ shared, shared }, { sorted = true }), "[[1],[1]]")
  end)

  it("writes more names than it keeps, short and long", function()
    local object = {}
    for i = 1, 1500 do
      object[("name"):rep(i % 30) .. i] = i
    end
    eq(json.decode(json.encode(object)), object)
  end)

  it("keeps nothing of the texts before", function()
    eq(json.encode(("x"):rep(9000)), '"' .. ("x"):rep(9000) .. '"')
    eq(json.encode({ 1, 2, 3 }), "[1,2,3]")
    is_nil((json.encode({ 1, 2, print })))
    eq(json.encode({ a = 1 }), '{"a":1}')
  end)

  it("sorts when it is asked to", function()
    local object = { b = 1, a = { d = 1, c = 1 }, ["B"] = 1 }
    eq(json.encode(object, { sorted = true }), '{"B":1,"a":{"c":1,"d":1},"b":1}')
  end)

  it("writes pretty text", function()
    local value = { a = { 1, {} }, b = json.array(), c = { d = "e" } }
    local lines = {
      "{",
      '  "a": [',
      "    1,",
      "    {}",
      "  ],",
      '  "b": [],',
      '  "c": {',
      '    "d": "e"',
      "  }",
      "}",
    }
    eq(json.encode(value, { pretty = true }), table.concat(lines, "\n"))
  end)
end)

describe("json.encode refuses", function()
  local cycle = { items = { {}, {} } }
  cycle.items[2].parent = cycle
  local deep = {}
  for _ = 1, 200 do
    deep = { deep }
  end

  for _, case in ipairs({
    { nil, "value is nil; null is written json.null" },
    { print, "value is a function, which JSON cannot carry" },
    { { items = { 1, 2, { callback = print } } }, "value.items[3].callback is a function" },
    { { co = coroutine.create(print) }, "value.co is a thread, which JSON cannot carry" },
    { { a = { b = 0 / 0 } }, "value.a.b is NaN, which JSON cannot carry" },
    { { math.huge }, "value[1] is infinite, which JSON cannot carry" },
    { { -math.huge }, "value[1] is infinite, which JSON cannot carry" },
    { cycle, "value.items[2].parent is value again, and JSON has no cycles" },
    { { 1, a = 2 }, "value has both list places and names as keys" },
    { { x = { [1] = 1, [3] = 3 } }, "value.x is a list with holes: only 2 of 3 places are set" },
    { { [2] = 1 }, "value is a list with holes: only 1 of 2 places are set" },
    { { [true] = 1 }, "value has the key true, and a name in JSON is a string" },
    { { [1.5] = 1 }, "value has the key 1.5, and a name in JSON is a string" },
    { { [0] = 1 }, "value has the key 0, and a name in JSON is a string" },
    { { [{}] = 1 }, "value has the key table, and a name in JSON is a string" },
    { { name = "a\xFF" }, "value.name is not valid UTF-8 (byte 2)" },
    { { ["a\xFF"] = 1 }, "value has a name that is not valid UTF-8: 'a\\xFF'" },
    { { ["a b"] = { print } }, "value['a b'][1] is a function" },
    { { b = print, a = print }, "value.a is a function" },
    { deep, "value[1][1][1][1][1][1]…[1][1][1][1][1][1] is nested deeper than 128 levels" },
  }) do
    local value, message = case[1], case[2]
    it(message, function()
      local text, err = json.encode(value)
      is_nil(text)
      contains(tostring(err), message)
      eq(err:kind(), "INVALID")
    end)
  end

  it("and begins the path as it is told", function()
    local _, err = json.encode({ items = { print } }, { name = "body" })
    contains(tostring(err), "body.items[1] is a function")
  end)

  it("and drops the link of a cycle when it is told to", function()
    eq(json.encode(cycle, { cycles = "null", sorted = true }), '{"items":[{},{"parent":null}]}')
  end)

  it("options that it does not have", function()
    fails(
      "json.encode: unknown option 'prety', did you mean 'pretty'?",
      json.encode,
      1,
      { prety = 1 }
    )
    fails("option 'cycles': one of error, null expected", json.encode, 1, { cycles = "nil" })
  end)
end)

describe("json.array", function()
  it("answers the table it was given", function()
    local list = {}
    test.is(json.array(list), list)
    eq(json.encode(list), "[]")
  end)

  it("refuses what is no table, and null", function()
    fails("json.array: list: table or nil expected, got string", json.array, "a")
    fails("json.null cannot become a list", json.array, json.null)
  end)
end)

describe("json.null", function()
  it("shows itself as null and stays as it is", function()
    eq(tostring(json.null), "null")
    fails("json.null cannot be changed", function()
      json.null.a = 1
    end)
    fails("protected metatable", setmetatable, json.null, {})
  end)
end)

describe("json.validate", function()
  local ORDER = {
    type = "object",
    required = { "id" },
    properties = {
      id = { type = "integer", minimum = 1 },
      items = { type = "array", items = { ["$ref"] = "#/$defs/item" } },
    },
    ["$defs"] = { item = { type = "object", properties = { cents = { type = "integer" } } } },
  }

  it("takes a value that fits", function()
    eq(json.validate(ORDER, { id = 7, items = { { cents = 1 } } }), true)
    eq(json.validate(json.encode(ORDER), { id = 7, items = json.array() }), true)
    eq(json.validate({}, json.null), true)
  end)

  it("names the places that do not fit, and no value", function()
    local ok, err = json.validate(ORDER, { id = 0, items = { { cents = "x" }, 7 } })
    test.is_nil(ok)
    eq(err:kind(), "INVALID")
    test.contains(err:message(), "id: the value is less than the minimum of 1")
    test.contains(err:message(), 'items[0].cents: the value is not of type "integer"')
    test.contains(err:message(), 'items[1]: the value is not of type "object"')
    eq(select(2, json.validate(ORDER, {})):message(), '"id" is a required property')
    local odd = { properties = { ["a b"] = { properties = { c = { type = "null" } } } } }
    test.contains(
      select(2, json.validate(odd, { ["a b"] = { c = 1 } })):message(),
      '"a b".c: the value'
    )
  end)

  it("tells of three problems at most", function()
    local list = {}
    for place = 1, 1000 do
      list[place] = "x"
    end
    local _, err = json.validate({ items = { type = "integer" } }, list)
    eq(select(2, err:message():gsub("the value", "")), 3)
  end)

  for name, case in pairs({
    ["is none"] = { { type = "strnig" }, "json.validate: not a JSON Schema: type: " },
    ["has a malformed pattern"] = { { pattern = "(a" }, "not a JSON Schema: pattern: " },
    ["looks around in a pattern"] = { { pattern = "(?=a)b" }, "not a JSON Schema: pattern: " },
    ["is no JSON"] = { "{", "json.validate: " },
    ["contains itself"] = { { items = { ["$ref"] = "#/items" } }, "contains itself by '#/items'" },
    ["refers to a file"] = { { ["$ref"] = "file:///etc/passwd" }, "only `#/…` in it is known" },
    ["refers to the net"] = { { ["$ref"] = "http://127.0.0.1/x" }, "only `#/…` in it is known" },
    ["refers to nothing"] = { { ["$ref"] = "#/$defs/x" }, "'#/$defs/x', which is not there" },
    ["holds a function"] = { { a = print }, "json.validate: schema.a is a function" },
  }) do
    it("refuses a schema that " .. name, function()
      local ok, err = json.validate(case[1], 1)
      test.is_nil(ok)
      eq(err:kind(), "INVALID")
      test.contains(err:message(), case[2])
    end)
  end

  it("refuses a schema that grows without end when its references are written out", function()
    local defs = { a30 = { type = "integer" } }
    for level = 0, 29 do
      local below = { ["$ref"] = ("#/$defs/a%d"):format(level + 1) }
      defs["a" .. level] = { allOf = { below, below } }
    end
    local _, err = json.validate({ ["$ref"] = "#/$defs/a0", ["$defs"] = defs }, 1)
    test.contains(err:message(), "more than 10000 parts")
  end)

  it("refuses a schema whose time doubles with each level", function()
    local schema = { type = "object" }
    for _ = 1, 26 do
      schema = { anyOf = { schema, { x = 1 } }, unevaluatedProperties = false }
    end
    local _, err = json.validate(schema, { a = 1 })
    test.contains(err:message(), "more than 10000 parts")
    local closed = { properties = { a = true }, unevaluatedProperties = false }
    eq(json.validate(closed, { a = 1 }), true)
  end)

  it("refuses more patterns than are quickly compiled", function()
    local all, named = {}, {}
    for place = 1, 41 do
      all[place] = { pattern = "[a-z]{1500}|" .. place }
      named["[a-z]{1500}|" .. place] = true
    end
    local _, err = json.validate({ allOf = all }, "a")
    test.contains(err:message(), "the schema has more than 40 patterns")
    _, err = json.validate({ patternProperties = named }, {})
    test.contains(err:message(), "the schema has more than 40 patterns")
    eq(json.validate({ properties = { pattern = { type = "string" } } }, { pattern = "(" }), true)
  end)

  it("refuses schemas and values that would fill the host", function()
    local _, err = json.validate({ description = ("x"):rep(262144) }, 1)
    test.contains(err:message(), "the schema has 262162 bytes, more than 262144")
    _, err = json.validate({}, ("x"):rep(1048576))
    test.contains(err:message(), "the value has 1048578 bytes, more than 1048576")
  end)

  it("follows references into lists, and those that are escaped", function()
    local schema = {
      ["$defs"] = { ["a b/c"] = { type = "string" } },
      anyOf = { { ["$ref"] = "#/anyOf/1" }, { ["$ref"] = "#/$defs/a%20b~1c" } },
    }
    eq(json.validate(schema, "x"), true)
    test.contains(select(2, json.validate(schema, 1)):message(), "not valid")
  end)

  it("refuses a schema that is too large for the value", function()
    local all = {}
    for place = 1, 1000 do
      all[place] = { minimum = place }
    end
    eq(json.validate({ anyOf = all }, 1), true)
    local _, err = json.validate({ anyOf = all }, ("x"):rep(10000))
    test.contains(err:message(), "the schema is too large for a value of 10002 bytes")
  end)

  it("refuses a value that JSON cannot carry", function()
    test.contains(
      select(2, json.validate({}, print)):message(),
      "json.validate: value is a function"
    )
  end)
end)
