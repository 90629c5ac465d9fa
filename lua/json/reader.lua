--- Reads JSON text: the half of the module `json` that every message goes through.
---
--- Where the host has a native codec (`native.lua`), that reads what is plain, and this what it
--- declines; the values are the same.
---
--- A reader gets the text, the position behind the character that chose it, and the depth; it
--- answers the value and the position behind it, or nil after `fail`. Patterns do the work: one
--- anchored match reads a whole name or value with the mark behind it, while nothing unusual comes.
local check = require("check")
local errors = require("errors")
local json_values = require("host.json.values")
local native = require("host.json.native")

local next, setmetatable, tonumber, tostring = next, setmetatable, tonumber, tostring
local byte, find, format, gsub = string.byte, string.find, string.format, string.gsub
local match, sub, concat, huge = string.match, string.sub, table.concat, math.huge
local utf8_char, utf8_len = utf8.char, utf8.len
local ANY_CHARACTER = "^" .. utf8.charpattern
local EMPTY, NULL = json_values.EMPTY, json_values.null
local decode, MAIN = native.decode, native.main

local json_reader = {}

--- How many lists and objects may lie in each other.
local MAX_DEPTH = 128

local SPACE = "[ \n\r\t]*"
--- What a string may hold as it is. The ranges come in the order in which they decide soonest.
local PLAIN = "[]-~#-[ !\127-\255]*"

local NAME = '^"(' .. PLAIN .. ')":([^ \n\r\t])()'
local SPACED_NAME = "^" .. SPACE .. '"(' .. PLAIN .. ')"' .. SPACE .. ":" .. SPACE .. "(.)()"
local OBJECT_STRING = "^(" .. PLAIN .. ')"([,}])()'
local OBJECT_INTEGER, OBJECT_FLOAT = "^([1-9]%d*)([,}])()", "^([1-9]%d*%.%d+)([,}])()"
local OBJECT_MARK = "^" .. SPACE .. "([,}])()"
local CLOSED_OBJECT = "^" .. SPACE .. "}()"
local LIST_STRING = "^(" .. PLAIN .. ')"([],])()'
local LIST_INTEGER, LIST_FLOAT = "^([1-9]%d*)([],])()", "^([1-9]%d*%.%d+)([],])()"
local LIST_MARK = "^" .. SPACE .. "([],])()"
local FIRST = "^" .. SPACE .. "(.)()"

local IS_SPACE = { [" "] = true, ["\n"] = true, ["\r"] = true, ["\t"] = true }
local IS_DIGIT = {}
for digit = 1, 9 do
  IS_DIGIT[tostring(digit)] = true
end

--- What is wrong with the text being read, and where. Only between `fail` and the end of `decode`.
local fault, fault_at
--- What a field that is null becomes in the text being read: `NULL`, or nil where it is absent.
local null_field

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

local UNCLOSED = "a string without its closing quote"

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
  if letter == "" then
    return fail(UNCLOSED, at)
  elseif not plain then
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
      return fail(UNCLOSED, behind)
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
  n = word_reader("null", NULL),
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
      local behind = not mark and match(text, CLOSED_OBJECT, at)
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
      if not mark then
        value, mark, at = match(text, OBJECT_FLOAT, inside - 1)
      end
      value = mark and tonumber(value)
      if value == huge then
        mark = nil -- the long way finds the words for it
      end
    end
    if not mark then
      value, mark, at = read_marked(text, first, inside, depth + 1, OBJECT_MARK, "',' or '}'")
      if not mark then
        return nil
      elseif value == NULL then
        value = null_field
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
  -- So that it stays a list when a script takes its last item away.
  EMPTY[list] = "[]"
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
      if not mark then
        value, mark, at = match(text, LIST_FLOAT, inside - 1)
      end
      value = mark and tonumber(value)
      if value == huge then
        mark = nil -- the long way finds the words for it
      end
    elseif first == "]" and n == 0 then
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

--- The failure in words, and its line and column, counted in characters.
local function describe(text)
  local before = sub(text, 1, fault_at - 1)
  local _, lines = gsub(before, "\n", "")
  local start = match(before, "^.*\n()") or 1
  local column = (utf8_len(before, start) or fault_at - start) + 1
  return format("line %d, column %d: %s", lines + 1, column, fault), lines + 1, column
end

local function read(text, null)
  null_field = null
  local value, behind = read_text(text)
  if behind then
    return value, nil
  end
  local words, line, column = describe(text)
  return nil,
    errors.new({
      kind = errors.INVALID,
      message = "json: " .. words,
      details = { line = line, column = column },
    })
end

--- The value of a JSON text, or nil and an error.
---@param text string
---@return any value            with `json.null` for every null
---@return errors.Error|nil err
function json_reader.read(text)
  local value = decode(text, NULL, NULL, EMPTY, "[]", MAIN)
  if value ~= nil then
    return value, nil
  end
  return read(text, NULL)
end

--- The body of a message, or nil and an error. A field that is null is absent, because scripts ask
--- `if body.field then`; a null in a list is `json.null`, because it keeps its place.
---@param text string
---@return any value
---@return errors.Error|nil err
function json_reader.read_body(text)
  local value = decode(text, NULL, nil, EMPTY, "[]", MAIN)
  if value ~= nil then
    return value, nil
  end
  return read(text, nil)
end

--- What keeps a text from being read, or nil.
---@param text string
---@return string|nil fault
function json_reader.fault(text)
  local _, behind = read_text(text)
  return not behind and describe(text) or nil
end

return json_reader
