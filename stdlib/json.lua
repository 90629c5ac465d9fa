--- JSON, strictly as RFC 8259 has it, both ways.
---
---     local json = require("json")
---     json.decode('{"id": 7, "tags": []}').id   --> 7
---     json.encode({ id = 7, price = 1.0 })      --> {"id":7,"price":1.0}
---     json.decode('{"id": }')    --> nil, json: line 1, column 8: a value expected, got '}'
---     json.encode({ items = { print } })        --> nil, value.items[1] is a function, …
---
--- What to know:
--- * `null` is `json.null`, so that lists keep their length and objects their keys.
--- * Integers of 64 bits and floats keep their type: 1 and 1.0 stay different. A longer integer
---   becomes a float; a number too large for a float is an error.
--- * An empty table is the object `{}`. A decoded `[]` stays a list, and `json.array()` makes one.
--- * Of a name that is there twice, the last one counts.
--- * Objects are written in no particular order; the option `sorted` gives a stable one.
--- * Metatables are not looked at: what counts is what is really in the table.
local check = require("check")
local errors = require("errors")

local error, next, rawget = error, next, rawget
local setmetatable, tonumber, tostring, type = setmetatable, tonumber, tostring, type
local byte, find, format, gsub = string.byte, string.find, string.format, string.gsub
local match, rep, sub = string.match, string.rep, string.sub
local huge, math_type = math.huge, math.type
local concat, sort = table.concat, table.sort
local utf8_char, utf8_len = utf8.char, utf8.len
local ANY_CHARACTER = "^" .. utf8.charpattern

local json = {}

--- How many lists and objects may lie in each other.
local MAX_DEPTH = 128

--- JSON's null, which is no field's absence.
---@class json.Null
json.null = setmetatable({}, {
  __name = "json.null",
  __metatable = "json.null",
  __tostring = function()
    return "null"
  end,
  __newindex = function()
    error("json.null cannot be changed", 2)
  end,
})

--- How an empty table is written if not as `{}`. Weak, because it must not keep a table alive; a
--- mark in a metatable instead would be seen by table.sort and all else that looks for one.
local EMPTY = setmetatable({ [json.null] = "null" }, { __mode = "k" })

--- Makes a table a list even while it is empty.
---
---     json.encode({ tags = json.array() }) --> {"tags":[]}
---@generic T
---@param list? T[]
---@return T[]
---@nodiscard
function json.array(list)
  check.argument("json.array", "list", list, "table|nil")
  list = list or {}
  EMPTY[list] = "[]"
  return list
end

-- Decoding ---------------------------------------------------------------------------------------
--
-- A reader gets the text, the position behind the character that chose it, and the depth; it
-- answers the value and the position behind it, or nil after `fail`. Patterns do the work: one
-- anchored match reads a whole name or value with the mark behind it, while nothing unusual comes.

local SPACE = "[ \n\r\t]*"
--- What a string may hold as it is. The ranges come in the order in which they decide soonest.
local PLAIN = "[]-~#-[ !\127-\255]*"

local NAME = '^"(' .. PLAIN .. ')":(.)()'
local SPACED_NAME = "^" .. SPACE .. '"(' .. PLAIN .. ')"' .. SPACE .. ":" .. SPACE .. "(.)()"
local OBJECT_STRING = "^(" .. PLAIN .. ')"([,}])()'
local OBJECT_INTEGER = "^([1-9]%d*)([,}])()"
local OBJECT_MARK = "^" .. SPACE .. "([,}])()"
local CLOSED_OBJECT = "^" .. SPACE .. "}()"
local LIST_STRING = "^(" .. PLAIN .. ')"([],])()'
local LIST_INTEGER = "^([1-9]%d*)([],])()"
local LIST_MARK = "^" .. SPACE .. "([],])()"
local FIRST = "^" .. SPACE .. "(.)()"

local IS_SPACE = { [" "] = true, ["\n"] = true, ["\r"] = true, ["\t"] = true }
local IS_DIGIT = {}
for digit = 1, 9 do
  IS_DIGIT[tostring(digit)] = true
end

--- What is wrong with the text being read, and where. Only between `fail` and the end of `decode`.
local fault, fault_at

local function fail(message, position)
  fault, fault_at = message, position
  return nil
end

--- Fails where something else was expected.
local function expected(what, text, position)
  local at = match(text, "^" .. SPACE .. "()", position)
  if at > #text then
    return fail(what .. " expected, got the end of the text", at)
  end
  local got = match(text, "^[%w_.+-]+", at) or match(text, ANY_CHARACTER, at)
  return fail(format("%s expected, got %s", what, check.show(got)), at)
end

local ESCAPES = {
  ['"'] = '"',
  ["\\"] = "\\",
  ["/"] = "/",
  b = "\b",
  f = "\f",
  n = "\n",
  r = "\r",
  t = "\t",
}

--- The text of a \u escape and the position behind it; `at` is behind the `u`.
local function read_unicode(text, at)
  local digits = match(text, "^%x%x%x%x", at)
  if not digits then
    return expected("four hexadecimal digits", text, at)
  end
  local code = tonumber(digits, 16)
  if code < 0xD800 or code > 0xDFFF then
    return utf8_char(code), at + 4
  end
  local low = code < 0xDC00 and tonumber(match(text, "^\\u([dD][c-fC-F]%x%x)", at + 4) or "", 16)
  if not low then
    return fail("half of a surrogate pair: \\u" .. digits, at - 2)
  end
  return utf8_char(0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00), at + 10
end

--- The text of an escape and the position behind it; `at` is behind the backslash.
local function read_escape(text, at)
  local letter = sub(text, at, at)
  if letter == "u" then
    return read_unicode(text, at + 1)
  end
  local plain = ESCAPES[letter]
  if not plain then
    return fail("unknown escape \\" .. letter, at - 1)
  end
  return plain, at + 1
end

local function read_string(text, at)
  local parts, n = {}, 0
  while true do
    local plain, mark, behind = match(text, "^(" .. PLAIN .. ")(.?)()", at)
    n = n + 1
    parts[n] = plain
    if mark == '"' then
      return concat(parts, "", 1, n), behind
    elseif mark == "\\" then
      n = n + 1
      parts[n], at = read_escape(text, behind)
      if not at then
        return nil
      end
    elseif mark == "" then
      return fail("a string without its closing quote", behind)
    else
      return fail(format("a control character (\\u%04x) in a string", byte(mark)), behind - 1)
    end
  end
end

local function malformed_number(text, at)
  return fail(format("malformed number %s", check.show(match(text, "^[-+.%w]+", at))), at)
end

--- Reads on behind the first digit. Every part of the pattern may be empty, so it never backtracks.
local function read_number(text, at)
  local fraction, exponent, behind = match(text, "^%d*(%.?%d*)([eE]?[+-]?%d*)()", at)
  if fraction == "." or (exponent ~= "" and not find(exponent, "^[eE][+-]?%d")) then
    return malformed_number(text, at - 1)
  end
  local value = tonumber(sub(text, at - 1, behind - 1))
  if value == huge then
    return fail("a number too large for a float", at - 1)
  end
  return value, behind
end

--- Behind a zero that came first no digit may follow.
local function read_zero(text, at)
  if find(text, "^%d", at) then
    return malformed_number(text, at - 1)
  end
  return read_number(text, at)
end

local function read_negative(text, at)
  local first = sub(text, at, at)
  if first ~= "0" and not IS_DIGIT[first] then
    return malformed_number(text, at - 1)
  end
  local _, behind = (first == "0" and read_zero or read_number)(text, at + 1)
  if not behind then
    return nil
  end
  -- Read with its sign: the smallest integer has no positive twin.
  return tonumber(sub(text, at - 1, behind - 1)), behind
end

--- A reader for one of the three words of JSON.
local function word_reader(word, value)
  local rest = "^" .. sub(word, 2) .. "()"
  return function(text, at)
    local behind = match(text, rest, at)
    if not behind then
      return expected("a value", text, at - 1)
    end
    return value, behind
  end
end

--- The reader of each first character.
local READ = setmetatable({
  ['"'] = read_string,
  ["-"] = read_negative,
  ["0"] = read_zero,
  t = word_reader("true", true),
  f = word_reader("false", false),
  n = word_reader("null", json.null),
}, {
  __index = function()
    return function(text, at)
      return expected("a value", text, at - 1)
    end
  end,
})
for digit in next, IS_DIGIT do
  READ[digit] = read_number
end

--- A name with escapes or blanks, then the first character of its value and the position behind it.
local function read_name(text, at)
  local name, first, inside = match(text, SPACED_NAME, at)
  if name then
    return name, first, inside
  end
  first, inside = match(text, FIRST, at)
  if first ~= '"' then
    return expected("a name in double quotes", text, at)
  end
  local behind
  name, behind = read_string(text, inside)
  if not behind then
    return nil
  end
  local colon = match(text, "^" .. SPACE .. ":()", behind)
  if not colon then
    return expected("':'", text, behind)
  end
  first, inside = match(text, FIRST, colon)
  if not first then
    return expected("a value", text, colon)
  end
  return name, first, inside
end

--- Any value and the mark behind it: the way of all that the quick patterns do not match.
local function read_marked(text, first, inside, depth, pattern, marks)
  local value, behind = READ[first](text, inside, depth)
  if not behind then
    return nil
  end
  local mark, at = match(text, pattern, behind)
  if not mark then
    return expected(marks, text, behind)
  end
  return value, mark, at
end

local function too_deep(at)
  return fail(format("nested deeper than %d levels", MAX_DEPTH), at - 1)
end

local function read_object(text, at, depth)
  if depth == MAX_DEPTH then
    return too_deep(at)
  end
  -- Room for four names from the start: growing a table step by step costs more than the rest.
  local object = { a = nil, b = nil, c = nil, d = nil }
  local value, mark
  repeat
    local name, first, inside = match(text, NAME, at)
    if not name then
      local behind = next(object) == nil and match(text, CLOSED_OBJECT, at)
      if behind then
        return object, behind
      end
      name, first, inside = read_name(text, at)
      if not name then
        return nil
      end
    end
    mark = nil
    if first == '"' then
      value, mark, at = match(text, OBJECT_STRING, inside)
    elseif IS_DIGIT[first] then
      value, mark, at = match(text, OBJECT_INTEGER, inside - 1)
      value = mark and tonumber(value)
    end
    if not mark then
      value, mark, at = read_marked(text, first, inside, depth + 1, OBJECT_MARK, "',' or '}'")
      if not mark then
        return nil
      end
    end
    object[name] = value
  until mark == "}"
  return object, at
end

local function read_list(text, at, depth)
  if depth == MAX_DEPTH then
    return too_deep(at)
  end
  local list, n = { nil, nil, nil, nil }, 0
  local value, mark
  repeat
    local first, inside = sub(text, at, at), at + 1
    if IS_SPACE[first] then
      first, inside = match(text, FIRST, at)
    end
    mark = nil
    if first == '"' then
      value, mark, at = match(text, LIST_STRING, inside)
    elseif IS_DIGIT[first] then
      value, mark, at = match(text, LIST_INTEGER, inside - 1)
      value = mark and tonumber(value)
    elseif first == "]" and n == 0 then
      EMPTY[list] = "[]"
      return list, inside
    end
    if not mark then
      value, mark, at = read_marked(text, first or "", inside, depth + 1, LIST_MARK, "',' or ']'")
      if not mark then
        return nil
      end
    end
    n = n + 1
    list[n] = value
  until mark == "]"
  return list, at
end

READ["{"] = read_object
READ["["] = read_list

--- The one value of a whole text, and the position behind it.
local function read_text(text)
  local _, invalid = utf8_len(text)
  if invalid then
    return fail("invalid UTF-8", invalid)
  end
  local first, inside = match(text, FIRST)
  if not first then
    return expected("a value", text, 1)
  end
  local value, behind = READ[first](text, inside, 0)
  if behind and behind <= #text and not find(text, "^" .. SPACE .. "$", behind) then
    return expected("the end of the text", text, behind)
  end
  return value, behind
end

--- The failure as an error value with line and column, counted in characters.
local function decode_error(text)
  local before = sub(text, 1, fault_at - 1)
  local _, lines = gsub(before, "\n", "")
  local start = match(before, ".*\n()") or 1
  local column = (utf8_len(before, start) or fault_at - start) + 1
  return errors.new({
    kind = errors.INVALID,
    message = format("json: line %d, column %d: %s", lines + 1, column, fault),
    details = { line = lines + 1, column = column },
  })
end

--- Reads a JSON text.
---
--- What is no text is answered as it is, so a handler may decode a body that is decoded already.
---@param text any
---@return any value               `json.null` for null; nil only beside an error
---@return errors.Error|nil err    INVALID, with line and column in message and details
---@nodiscard
function json.decode(text)
  if type(text) ~= "string" then
    return text, nil
  end
  local value, behind = read_text(text)
  if behind then
    return value, nil
  end
  return nil, decode_error(text)
end

-- Encoding ---------------------------------------------------------------------------------------
--
-- Two writers. The quick one puts pieces into a list and gives up, without a word, at anything that
-- is not plain. Then the careful one starts anew: it knows where it is, sorts, indents, explains.

--- Finds a text that can be written as it is; that it is UTF-8 is seen once, in the whole result.
local ALL_PLAIN = "^" .. PLAIN .. "$"

local ESCAPED = { ['"'] = '\\"', ["\\"] = "\\\\" }
for code = 0, 31 do
  ESCAPED[string.char(code)] = format("\\u%04x", code)
end
for letter, char in next, { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" } do
  ESCAPED[char] = "\\" .. letter
end

local function quoted(text)
  if not find(text, ALL_PLAIN) then
    text = gsub(text, '[%z\1-\31"\\]', ESCAPED)
  end
  return '"' .. text .. '"'
end

--- Digits that read as the same float, with a mark of being one; nil for NaN and infinity.
local function float_text(value)
  if value ~= value or value == huge or value == -huge then
    return nil
  end
  local text = tostring(value) -- 14 digits, and ".0" where none would be
  if tonumber(text) == value then
    return text
  end
  for digits = 15, 17 do
    text = format("%." .. digits .. "g", value)
    if tonumber(text) == value then
      break
    end
  end
  return find(text, "^-?%d+$") and text .. ".0" or text
end

--- Names as they are written, kept because the same few come again and again.
local function name_cache(prefix)
  local held = 0
  return setmetatable({}, {
    __index = function(cache, name)
      if type(name) ~= "string" then
        return nil
      end
      local piece = prefix .. quoted(name) .. ":"
      if #name > 64 then
        return piece
      end
      if held == 512 then
        held = 0
        for known in next, cache do
          cache[known] = nil
        end
      end
      held = held + 1
      cache[name] = piece
      return piece
    end,
  })
end

local OPENING_NAME, FURTHER_NAME = name_cache("{"), name_cache(",")

--- The quick writer: puts `value` behind the `n` pieces of `out`; answers the new n, or nil.
local write

local function write_object(object, key, out, n, depth)
  local names, value = OPENING_NAME, object[key]
  repeat
    local name, kind = names[key], type(value)
    if not name then
      return nil
    end
    out[n + 1] = name
    if kind == "string" and find(value, ALL_PLAIN) then
      n = n + 2
      out[n] = '"' .. value .. '"'
    elseif math_type(value) == "integer" then
      n = n + 2
      out[n] = value
    else
      n = write(value, out, n + 1, depth)
      if not n then
        return nil
      end
    end
    names = FURTHER_NAME
    key, value = next(object, key)
  until key == nil
  out[n + 1] = "}"
  return n + 1
end

local function write_list(list, out, n, depth)
  local before, count = "[", 0
  for place, value in next, list do
    count = count + 1
    if place ~= count then
      return nil
    end
    out[n + 1] = before
    n = write(value, out, n + 1, depth)
    if not n then
      return nil
    end
    before = ","
  end
  out[n + 1] = "]"
  return n + 1
end

local function write_table(value, out, n, depth)
  local key = next(value)
  if key == nil then
    out[n + 1] = EMPTY[value] or "{}"
    return n + 1
  elseif depth == MAX_DEPTH then
    return nil
  elseif key == 1 then
    return write_list(value, out, n, depth + 1)
  end
  return write_object(value, key, out, n, depth + 1)
end

function write(value, out, n, depth)
  local kind = type(value)
  if kind == "string" then
    value = quoted(value)
  elseif kind == "number" then
    if math_type(value) == "float" then
      value = float_text(value)
    end
  elseif kind == "table" then
    return write_table(value, out, n, depth)
  elseif kind == "boolean" then
    value = value and "true" or "false"
  else
    return nil
  end
  out[n + 1] = value
  return value and n + 1
end

---@class json.Writer          the careful one
---@field out string[]         the pieces
---@field path any[]           the keys that lead to where it is
---@field name string          how the path begins
---@field open table           the tables it is inside of, with the path's length of each
---@field pretty boolean
---@field cycles "error"|"null"
---@field fault? string

local WORD = "^[%a_][%w_]*$"
--- How many steps of a long path are shown at each of its ends.
local SHOWN_STEPS = 6

--- The first `length` steps of the path, as one would write them in Lua.
local function path_text(writer, length)
  local parts = { writer.name }
  for step = 1, length do
    local key = writer.path[step]
    if length > 2 * SHOWN_STEPS and step == SHOWN_STEPS + 1 then
      parts[#parts + 1] = "…"
    elseif step <= SHOWN_STEPS or step > length - SHOWN_STEPS then
      local is_word = type(key) == "string" and #key <= 60 and find(key, WORD)
      parts[#parts + 1] = is_word and "." .. key or "[" .. check.show(key) .. "]"
    end
  end
  return concat(parts)
end

--- Gives up: `what` is said of the value that is being written.
local function refuse(writer, what)
  writer.fault = path_text(writer, #writer.path) .. " " .. what
  return false
end

local function put(writer, piece)
  writer.out[#writer.out + 1] = piece
  return true
end

--- In pretty text a new line, indented by `depth`.
local function break_line(writer, depth)
  if writer.pretty then
    put(writer, "\n" .. rep("  ", depth))
  end
end

--- The names of an object in order, or the places of a list and true; or nil and what is wrong.
local function keys_of(value)
  local keys, names, places, top = {}, 0, 0, 0
  for key in next, value do
    keys[#keys + 1] = key
    if type(key) == "string" then
      names = names + 1
    elseif math_type(key) == "integer" and key > 0 then
      places, top = places + 1, key > top and key or top
    else
      return nil, format("has the key %s, and a name in JSON is a string", check.show(key))
    end
  end
  if names > 0 and places > 0 then
    return nil, "has both list places and names as keys; JSON carries one or the other"
  elseif top > places then
    return nil, format("is a list with holes: only %d of %d places are set", places, top)
  end
  sort(keys)
  return keys, places > 0
end

local write_carefully

--- Writes the items of a table that are not its marks.
local function write_items(writer, value, keys, is_list)
  local depth = #writer.path
  for index, key in next, keys do
    put(writer, index > 1 and "," or "")
    break_line(writer, depth + 1)
    if not is_list then
      if not utf8_len(key) then
        return refuse(writer, format("has a name that is not valid UTF-8: %s", check.show(key)))
      end
      put(writer, quoted(key) .. (writer.pretty and ": " or ":"))
    end
    writer.path[depth + 1] = key
    if not write_carefully(writer, rawget(value, key)) then
      return false
    end
    writer.path[depth + 1] = nil
  end
  break_line(writer, depth)
  return true
end

local function write_filled(writer, value)
  local keys, is_list = keys_of(value)
  if not keys then
    return refuse(writer, is_list)
  elseif #writer.path == MAX_DEPTH then
    return refuse(writer, format("is nested deeper than %d levels", MAX_DEPTH))
  end
  writer.open[value] = #writer.path
  put(writer, is_list and "[" or "{")
  local written = write_items(writer, value, keys, is_list)
  writer.open[value] = nil
  return written and put(writer, is_list and "]" or "}")
end

local function write_careful_table(writer, value)
  if next(value) == nil then
    return put(writer, EMPTY[value] or "{}")
  elseif not writer.open[value] then
    return write_filled(writer, value)
  elseif writer.cycles == "null" then
    return put(writer, "null")
  end
  local whole = path_text(writer, writer.open[value])
  return refuse(writer, format("is %s again, and JSON has no cycles", whole))
end

function write_carefully(writer, value)
  local kind = type(value)
  if kind == "table" then
    return write_careful_table(writer, value)
  elseif kind == "string" then
    local _, invalid = utf8_len(value)
    if invalid then
      return refuse(writer, format("is not valid UTF-8 (byte %d)", invalid))
    end
    return put(writer, quoted(value))
  elseif kind == "number" then
    local text = math_type(value) == "integer" and tostring(value) or float_text(value)
    return text and put(writer, text)
      or refuse(
        writer,
        "is " .. (value ~= value and "NaN" or "infinite") .. ", which JSON cannot carry"
      )
  elseif kind == "boolean" then
    return put(writer, tostring(value))
  elseif kind == "nil" then
    return refuse(writer, "is nil; null is written json.null")
  end
  return refuse(writer, format("is a %s, which JSON cannot carry", kind))
end

---@class (exact) json.EncodeOptions
---@field pretty? boolean             on many lines, indented by two blanks, and sorted
---@field sorted? boolean             objects in the order of their names
---@field cycles? "error"|"null"      what a table inside itself becomes (default "error")
---@field name? string                how paths in errors begin (default "value")

local OPTIONS = {
  pretty = { type = "boolean", default = false },
  sorted = { type = "boolean", default = false },
  cycles = { type = "string", default = "error", one_of = { "error", "null" } },
  name = { type = "string", default = "value" },
}

--- Writes with the careful writer. It sorts always, so that the first complaint is the same one.
local function encode_carefully(value, options)
  local writer = {
    out = {},
    path = {},
    open = {},
    name = options.name,
    pretty = options.pretty,
    cycles = options.cycles,
  }
  if write_carefully(writer, value) then
    return concat(writer.out), nil
  end
  return nil, errors.new({ kind = errors.INVALID, message = writer.fault })
end

--- Writes a value as JSON.
---@param value any                      tables, strings, numbers, booleans and `json.null`
---@param options? json.EncodeOptions
---@return string|nil text
---@return errors.Error|nil err          INVALID; begins with the path: `value.items[3].callback is`
---@nodiscard
function json.encode(value, options)
  if options == nil then
    -- The room for a usual body, so that the list need not grow step by step.
    local out = { nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil }
    local n = write(value, out, 0, 0)
    local text = n and concat(out, "", 1, n)
    if text and utf8_len(text) then
      return text, nil
    end
  end
  local o = check.options("json.encode", options, OPTIONS)
  return encode_carefully(value, o)
end

return json
