--- Writes JSON fast: puts pieces into a list and gives up, without a word, at anything that is not
--- plain. Then `json_careful` starts anew and explains. Where the host has a native codec
--- (`native.lua`), that is asked before; the texts are the same.
local json_values = require("host.json.values")
local native = require("host.json.native")

local next, setmetatable, tonumber, tostring, type = next, setmetatable, tonumber, tostring, type
local find, format, gsub = string.find, string.format, string.gsub
local huge, math_type = math.huge, math.type
local concat, utf8_len = table.concat, utf8.len
local EMPTY = json_values.EMPTY
local encode, MAIN = native.encode, native.main

local json_writer = {}

--- How many lists and objects may lie in each other.
json_writer.MAX_DEPTH = 128
local MAX_DEPTH = json_writer.MAX_DEPTH

--- Finds a text that can be written as it is; that it is UTF-8 is seen once, in the whole result.
local ALL_PLAIN = "^[]-~#-[ !\127-\255]*$"

local ESCAPED = { ['"'] = '\\"', ["\\"] = "\\\\" }
for code = 0, 31 do
  ESCAPED[string.char(code)] = format("\\u%04x", code)
end
for letter, char in next, { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" } do
  ESCAPED[char] = "\\" .. letter
end

--- A text in quotes.
---@param text string
---@return string
function json_writer.quoted(text)
  if not find(text, ALL_PLAIN) then
    text = gsub(text, '[%z\1-\31"\\]', ESCAPED)
  end
  return '"' .. text .. '"'
end

--- Digits that read as the same float, with a mark of being one; nil for NaN and infinity.
---@param value number
---@return string|nil
function json_writer.float_text(value)
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

local quoted, float_text = json_writer.quoted, json_writer.float_text

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

-- The list of pieces is used again, for making one costs a tenth of the writing. A long one, or one
-- with long texts in it, would keep too much memory.
local MAX_KEPT_PIECES, MAX_KEPT_TEXT = 512, 8192
local pieces = {}

--- The value as JSON, or nil when it is not as plain as it must be here.
---@param value any
---@return string|nil
function json_writer.write(value)
  local quick = encode(value, EMPTY, MAIN)
  if quick then
    return quick
  end
  local n = write(value, pieces, 0, 0)
  local text = n and concat(pieces, "", 1, n)
  if not text or n > MAX_KEPT_PIECES or #text > MAX_KEPT_TEXT then
    pieces = {}
  end
  return text and utf8_len(text) and text or nil
end

return json_writer
