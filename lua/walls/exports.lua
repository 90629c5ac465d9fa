--- Finds the function of an entry in what its file returns.
---
---     exports.find("app:orders", "main")  --> the field `main` of the file's table
---     exports.find("app:orders", "")      --> its field `handler`, or the only function it has
---
--- Where the file returns a function itself, that is the one, whatever the entry calls it.
local modules = require("host.walls.modules")

local error, next, require, sort, type = error, next, require, table.sort, type
local concat, format = table.concat, string.format

local exports = {}

local function describe(value)
  if type(value) ~= "table" then
    return "a " .. type(value)
  end
  return require("host.print.pretty").brief(value, 200)
end

--- The names of the functions in a table, in order; of a metatable nothing is asked.
local function names_of(value)
  local names = {}
  for name, item in next, value do
    if type(name) == "string" and type(item) == "function" then
      names[#names + 1] = name
    end
  end
  sort(names)
  return names
end

local function unnamed(value)
  local names = names_of(value)
  if #names > 1 then
    local list = "'" .. concat(names, "', '", 1, #names < 10 and #names or 10) .. "'"
    error("the file returns several functions: name one of " .. list .. " under `method`", 0)
  elseif #names == 0 then
    error("the file returns no function but " .. describe(value), 0)
  end
  return value[names[1]]
end

local function named(value, method)
  local found = value[method]
  if type(found) ~= "function" then
    error(format("the file returns no function '%s'; it returns %s", method, describe(value)), 0)
  end
  return found
end

--- Runs the file of an entry if it has not run yet. Raises when there is no such function.
---@param id string
---@param method string  "" where the entry names none
---@return function
---@nodiscard
function exports.find(id, method)
  local value = modules.value(id)
  local place = modules.silent_end(id)
  if place then
    error(place .. ": the file returns nothing; end it with `return` and its function", 0)
  elseif type(value) == "function" then
    return value
  elseif type(value) ~= "table" then
    error("the file returns no function but " .. describe(value), 0)
  elseif method ~= "" then
    return named(value, method)
  end
  return type(value.handler) == "function" and value.handler or unnamed(value)
end

return exports
