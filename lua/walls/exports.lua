--- Finds the function of an entry in what its file returns.
---
---     exports.find("app:orders", "main")  --> the field `main` of the file's table
---     exports.find("app:orders", "")      --> what the file returns, a function itself
local modules = require("host.walls.modules")

local error, require, type = error, require, type
local format = string.format

local exports = {}

local function describe(value)
  if type(value) ~= "table" then
    return "a " .. type(value)
  end
  return require("host.print.pretty").brief(value, 200)
end

--- Runs the file of an entry if it has not run yet. Raises when there is no such function.
---@param id string
---@param method string  "" for the file's value itself
---@return function
---@nodiscard
function exports.find(id, method)
  local value = modules.value(id)
  if method == "" then
    if type(value) == "function" then
      return value
    end
    error("the file returns no function but " .. describe(value), 0)
  end
  local found = type(value) == "table" and value[method]
  if type(found) ~= "function" then
    error(format("the file returns no function '%s'; it returns %s", method, describe(value)), 0)
  end
  return found
end

return exports
