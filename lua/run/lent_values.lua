--- Values on their way to Python and back; `moonq/run/modules/crossing.py` is the other end and
--- says how they are written. Unlike JSON this carries any bytes, and integers of 64 bits.
---
---     lent_values.encode({ cents = 4200 }, print)  --> nil, argument 2 is a function, …
local fault = require("host.run.fault")
local json_values = require("host.json.values")
local json_writer = require("host.json.writer")
local limits = require("host.walls.limits")

local math_type, rawequal, rawget = math.type, rawequal, rawget
local concat, next, select, type, unpack = table.concat, next, select, type, table.unpack
local find, format, pack_number, unpack_number =
  string.find, string.format, string.pack, string.unpack
local sub, tostring = string.sub, tostring
local EMPTY, NULL = json_values.EMPTY, json_values.null
local DEEPEST = json_writer.MAX_DEPTH

local lent_values = {}

-- To Python --------------------------------------------------------------------------------------

---@class lent_values.Writer
---@field out string[]
---@field open table   the tables it is inside of
---@field fault? string

local function step(key)
  if type(key) == "string" and find(key, "^[%a_][%w_]*$") then
    return "." .. key
  end
  return type(key) == "string" and format("[%q]", sub(key, 1, 60)) or "[" .. tostring(key) .. "]"
end

local function refuse(writer, path, what)
  writer.fault = path .. " " .. what
  return false
end

local function put(writer, piece)
  writer.out[#writer.out + 1] = piece
  return true
end

--- How many fields a table has, whether it is a list, and what is wrong with its keys.
local function look(value)
  local count, places, top = 0, 0, 0
  for key in next, value do
    count = count + 1
    if math_type(key) == "integer" and key > 0 then
      places, top = places + 1, key > top and key or top
    elseif type(key) ~= "string" then
      return count, false, "has a key of type " .. type(key) .. "; names are strings"
    end
  end
  if places > 0 and places < count then
    return count, false, "has both list places and names as keys"
  elseif top > places then
    return count, false, format("is a list with holes: only %d of %d places are set", places, top)
  end
  return count, places > 0
end

local write

local function write_items(writer, value, path, depth, count)
  if count then
    for place = 1, count do
      if not write(writer, rawget(value, place), path .. "[" .. place .. "]", depth + 1) then
        return false
      end
    end
    return true
  end
  for key, item in next, value do
    put(writer, pack_number("<s4", key))
    if not write(writer, item, path .. step(key), depth + 1) then
      return false
    end
  end
  return true
end

local function write_table(writer, value, path, depth)
  if rawequal(value, NULL) then
    return put(writer, "n")
  elseif fault.is_error(value) then
    value = { kind = value:kind(), message = value:message(), retryable = value:retryable() }
  end
  if writer.open[value] then
    return refuse(writer, path, "is inside of itself")
  elseif depth > DEEPEST then
    return refuse(writer, path, format("is nested deeper than %d levels", DEEPEST))
  end
  local count, is_list, wrong = look(value)
  if wrong then
    return refuse(writer, path, wrong)
  end
  is_list = is_list or (count == 0 and EMPTY[value] == "[]")
  put(writer, pack_number("<c1I4", is_list and "l" or "m", count))
  writer.open[value] = true
  local is_written = write_items(writer, value, path, depth, is_list and count)
  writer.open[value] = nil
  return is_written
end

function write(writer, value, path, depth)
  local kind = type(value)
  if kind == "string" then
    return put(writer, "s" .. pack_number("<s4", value))
  elseif kind == "number" then
    local is_integer = math_type(value) == "integer"
    return put(
      writer,
      is_integer and pack_number("<c1i8", "i", value) or pack_number("<c1d", "d", value)
    )
  elseif kind == "boolean" then
    return put(writer, value and "t" or "f")
  elseif kind == "nil" then
    return put(writer, "n")
  elseif kind == "table" then
    return write_table(writer, value, path, depth)
  end
  return refuse(writer, path, "is a " .. kind .. ", which cannot cross to Python")
end

--- The arguments of a call; or nil and what cannot cross.
---@param ... any
---@return string? data
---@return string? wrong
---@nodiscard
function lent_values.encode(...)
  local count = select("#", ...)
  local writer = { out = { pack_number("<I4", count) }, open = {} }
  for place = 1, count do
    if not write(writer, (select(place, ...)), "argument " .. place, 0) then
      return nil, writer.fault
    end
  end
  limits.check_memory()
  return concat(writer.out)
end

-- To Lua -----------------------------------------------------------------------------------------

local read

local READ = {
  n = function(_, at)
    return nil, at
  end,
  t = function(_, at)
    return true, at
  end,
  f = function(_, at)
    return false, at
  end,
  i = function(data, at)
    return unpack_number("<i8", data, at)
  end,
  d = function(data, at)
    return unpack_number("<d", data, at)
  end,
  s = function(data, at)
    return unpack_number("<s4", data, at)
  end,
  l = function(data, at)
    local list = {}
    local count
    count, at = unpack_number("<I4", data, at)
    for place = 1, count do
      local item
      item, at = read(data, at)
      -- A list keeps its length: nil would be a hole in it.
      list[place] = item == nil and NULL or item
    end
    if count == 0 then
      EMPTY[list] = "[]"
    end
    return list, at
  end,
  m = function(data, at)
    local map = {}
    local count
    count, at = unpack_number("<I4", data, at)
    for _ = 1, count do
      local key
      key, at = unpack_number("<s4", data, at)
      map[key], at = read(data, at)
    end
    return map, at
  end,
}

function read(data, at)
  return READ[sub(data, at, at)](data, at + 1)
end

--- The results of a call.
---@param data string
---@return any ...
function lent_values.decode(data)
  local count, at = unpack_number("<I4", data)
  local values = {}
  for place = 1, count do
    values[place], at = read(data, at)
  end
  return unpack(values, 1, count)
end

return lent_values
