--- Values that are handed to a program, as JSON: what JSON cannot carry is an error that names its
--- place, never left out and never replaced by something else.
---
---     handed.text({ cb = print }, handed.name("result", 2, 3))
---     --> nil, result 2.cb is a function, which JSON cannot carry
local fault = require("host.run.fault")
local json = require("json")
local json_writer = require("host.json.writer")

local find, next, type = string.find, next, type
local DEEPEST = json_writer.MAX_DEPTH

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

--- A copy of a value with its error values as what they say, not as what they are made of; of what
--- JSON cannot carry anyway, cycles and what lies too deep, as it is.
local function told(value, depth, copies)
  if type(value) ~= "table" or next(value) == nil or depth > DEEPEST then
    return value
  elseif fault.is_error(value) then
    return { kind = value:kind(), message = value:message(), retryable = value:retryable() }
  elseif not copies[value] then
    local copy = {}
    copies[value] = copy
    for key, item in next, value do
      copy[key] = told(item, depth + 1, copies)
    end
  end
  return copies[value]
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
  local text, err = json.encode(value, { name = name })
  if err or find(text, '"_kind":', 1, true) then
    return json.encode(told(value, 1, {}), { name = name })
  end
  return text, nil
end

return handed
