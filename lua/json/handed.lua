--- Values that are handed to a program, as JSON: what JSON cannot carry is an error that names its
--- place, never left out and never replaced by something else.
---
---     handed.text({ cb = print }, handed.name("result", 2, 3))
---     --> nil, result 2.cb is a function, which JSON cannot carry
local fault = require("host.run.fault")
local json = require("json")

local find, next, type = string.find, next, type

local handed = {}

--- What one of several values is called, such as `result 2`; one alone is `result`.
---@param what string
---@param place integer
---@param count integer
---@return string
---@nodiscard
function handed.name(what, place, count)
  return count == 1 and what or what .. " " .. place
end

--- A copy of a value with its error values as what they say, not as what they are made of.
local function told(value)
  if type(value) ~= "table" or next(value) == nil then
    return value
  elseif fault.is_error(value) then
    return { kind = value:kind(), message = value:message(), retryable = value:retryable() }
  end
  local copy = {}
  for key, item in next, value do
    copy[key] = told(item)
  end
  return copy
end

--- The value as JSON, or nil and an error that begins with *name* and the path in the value.
---@param value any
---@param name string
---@return string|nil text
---@return errors.Error|nil err
---@nodiscard
function handed.text(value, name)
  if value == nil then
    return "null", nil
  end
  -- What belongs to it only inside, such as its details, need not be JSON.
  local handed_over = fault.is_error(value) and told(value) or value
  local text, err = json.encode(handed_over, { name = name })
  if text and find(text, '"_kind":', 1, true) then
    return json.encode(told(value), { name = name })
  end
  return text, err
end

return handed
