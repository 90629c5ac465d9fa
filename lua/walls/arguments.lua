--- Arguments as the C libraries read them: numbers pass for strings, and "3" for 3.
---
---     arguments.text(1, "find", 12)        --> "12"
---     arguments.integer(3, "find", "4")    --> 4
---     arguments.integer(3, "find", {})   --> bad argument #3 to 'find' (number expected, …)
local blame = require("host.walls.blame")

local tointeger, tonumber, tostring, type = math.tointeger, tonumber, tostring, type

local arguments = {}

--- Raises that an argument cannot be used.
---@param index integer  counted as in a plain call, not a method call
---@param name string    the function's
---@param reason string
function arguments.refuse(index, name, reason)
  blame.raise("bad argument #" .. index .. " to '" .. name .. "' (" .. reason .. ")", name)
end

--- Raises that an argument has the wrong type.
---@param index integer
---@param name string
---@param expected string
---@param value any
function arguments.mistyped(index, name, expected, value)
  arguments.refuse(index, name, expected .. " expected, got " .. type(value))
end

---@param index integer
---@param name string
---@param value any
---@return string
function arguments.text(index, name, value)
  if type(value) == "string" then
    return value
  elseif type(value) == "number" then
    return tostring(value)
  end
  arguments.mistyped(index, name, "string", value)
end

---@param index integer
---@param name string
---@param value any
---@param default? integer  for nil
---@return integer
function arguments.integer(index, name, value, default)
  if value == nil and default then
    return default
  end
  local whole = tointeger(value)
  if whole then
    return whole
  elseif (type(value) == "number" or type(value) == "string") and tonumber(value) then
    arguments.refuse(index, name, "number has no integer representation")
  end
  arguments.mistyped(index, name, "number", value)
end

blame.hide()

return arguments
