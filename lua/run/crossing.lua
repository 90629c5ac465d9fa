--- Carries values from one state to another: arguments and results of stubs, results of handlers.
---
---     crossing.decode(crossing.encode(nil, errors.new("down")))  --> nil, down
---
--- Errors stay errors and nil stays nil. What JSON cannot carry arrives as its description.
local errors = require("errors")
local fault = require("host.run.fault")
local json = require("json")
local pretty = require("host.print.pretty")

local next, rawequal, select, type = next, rawequal, select, type
local metatable_of = debug.getmetatable
local concat, format, math_type, unpack = table.concat, string.format, math.type, table.unpack
local utf8_len = utf8.len

local crossing = {}

local DEEPEST = 20

local function described(value)
  return pretty.brief(value, 1000)
end

--- A copy that JSON can carry: the parts that it cannot are described.
local function carriable(value, depth)
  local kind = type(value)
  if kind == "string" then
    return utf8_len(value) and value or described(value)
  elseif kind == "boolean" or rawequal(value, json.null) then
    return value
  elseif kind == "number" then
    return (math_type(value) == "integer" or value - value == 0) and value or described(value)
  elseif kind ~= "table" or depth > DEEPEST or metatable_of(value) ~= nil then
    return described(value)
  end
  local copy, is_list = {}, #value > 0
  for key, item in next, value do
    local name = (type(key) == "string" or (is_list and math_type(key) == "integer")) and key
      or described(key)
    copy[name] = carriable(item, depth + 1)
  end
  return json.encode(copy) and copy or described(value)
end

local function encode_error(err)
  return json.encode({
    error = {
      kind = err:kind(),
      message = carriable(err:message(), 1),
      retryable = err:retryable(),
      details = carriable(err:details(), 1),
    },
  })
end

local function encode_value(value)
  if value == nil then
    return "{}"
  elseif fault.is_error(value) then
    return encode_error(value)
  end
  local text = json.encode(value) or json.encode(carriable(value, 1))
  return format('{"value":%s}', text)
end

--- Any values as one text.
---@param ... any
---@return string
---@nodiscard
function crossing.encode(...)
  local items = {}
  for index = 1, select("#", ...) do
    items[index] = encode_value((select(index, ...)))
  end
  return "[" .. concat(items, ",") .. "]"
end

--- The values of a text.
---@param text string  from `encode`
---@return any ...
function crossing.decode(text)
  local items = json.decode(text)
  local values = {}
  for index = 1, #items do
    local item = items[index]
    values[index] = item.error and errors.new(item.error) or item.value
  end
  return unpack(values, 1, #items)
end

return crossing
