--- Writes JSON carefully: sorted, indented where that is wanted, and able to say which part of a
--- value cannot be written. It sorts always, so that the first complaint is always the same one.
local check = require("check")
local errors = require("errors")
local json_values = require("host.json.values")
local json_writer = require("host.json.writer")

local next, rawget, tostring, type = next, rawget, tostring, type
local find, format, rep = string.find, string.format, string.rep
local math_type, concat, sort, utf8_len = math.type, table.concat, table.sort, utf8.len
local EMPTY, MAX_DEPTH = json_values.EMPTY, json_writer.MAX_DEPTH
local quoted, float_text = json_writer.quoted, json_writer.float_text

local json_careful = {}

---@class json_careful.Writer
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

--- The value as JSON, or nil and an error.
---@param value any
---@param options json.EncodeOptions  with every default filled in
---@return string|nil text
---@return errors.Error|nil err
function json_careful.write(value, options)
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

return json_careful
