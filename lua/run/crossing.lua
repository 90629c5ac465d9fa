--- Carries values from one state to another: arguments and results of stubs, results of handlers.
---
---     crossing.decode(crossing.encode("result", nil, errors.new("down")))  --> nil, down
---     crossing.encode("result", { cb = print })  --> nil, result.cb is a function, …
---     crossing.decode(crossing.marked({ cb = print }))  --> { cb = "function" }
---
--- Errors stay errors and nil stays nil.
local errors = require("errors")
local fault = require("host.run.fault")
local handed = require("host.json.handed")
local json = require("json")
local lock = require("host.walls.lock")
local pretty = require("host.print.pretty")

local next, rawequal, rawlen, select, type = next, rawequal, rawlen, select, type
local concat, format, math_type, unpack = table.concat, string.format, math.type, table.unpack
local sub, utf8_len = string.sub, utf8.len

local crossing = {}

local DEEPEST = 20

local function described(value)
  return pretty.brief(value, 1000)
end

--- A copy that JSON can carry: the parts that it cannot are described. Objects are what is in them,
--- as in JSON: their own code could take all the time of the handler.
local function carriable(value, depth)
  local kind = type(value)
  if kind == "string" then
    return utf8_len(value) and value or described(value)
  elseif kind == "boolean" or rawequal(value, json.null) then
    return value
  elseif kind == "number" then
    return (math_type(value) == "integer" or value - value == 0) and value or described(value)
  elseif kind ~= "table" or depth > DEEPEST or lock.is(value) then
    return described(value)
  end
  local copy, is_list = {}, rawlen(value) > 0
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
      delay = err:delay(),
    },
  })
end

local function encode_value(value, name)
  if value == nil then
    return "{}", nil
  elseif fault.is_error(value) then
    return encode_error(value), nil
  end
  local text, err = handed.text(value, name)
  return text and format('{"value":%s}', text), err
end

--- Any values as one text; or nil and an error that names what JSON cannot carry.
---@param what string  what they are called in the error: "result"
---@param ... any
---@return string|nil text
---@return errors.Error|nil err
---@nodiscard
function crossing.encode(what, ...)
  local items, count = {}, select("#", ...)
  for place = 1, count do
    local text, err = encode_value(select(place, ...), handed.name(what, place, count))
    if not text then
      return nil, err
    end
    items[place] = text
  end
  return "[" .. concat(items, ",") .. "]", nil
end

--- Any values as one text, for people: what JSON cannot carry arrives as its description.
---@param ... any
---@return string
---@nodiscard
function crossing.marked(...)
  local items = {}
  for place = 1, select("#", ...) do
    local value = select(place, ...)
    items[place] = encode_value(value, "") or encode_value(carriable(value, 1), "")
  end
  return "[" .. concat(items, ",") .. "]"
end

--- The text of what a call returned, with the `true` of `pcall` in front.
---@param text string  from `encode`
---@return string
---@nodiscard
function crossing.returned(text)
  return '[{"value":true}' .. (text == "[]" and "]" or "," .. sub(text, 2))
end

--- The values of a text.
---@param text string  from `encode` or `marked`
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
