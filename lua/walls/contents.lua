--- What is inside a table, for those who print and compare: not always what `next` finds in it.
---
---     contents.of({ 1, 2 }) --> { 1, 2 }
---     contents.of(errors.new("lost")) --> { kind = "UNKNOWN", message = "lost" }, "errors.new"
---
--- A frozen table keeps its fields elsewhere, and an error value keeps more than it says.
local next, pairs, rawequal, type = next, pairs, rawequal, type
local fault = require("host.run.fault")
local freeze = require("host.walls.freeze")
local lock = require("host.walls.lock")
local metatables = require("host.walls.metatables")

local metatable_of = debug.getmetatable

local contents = {}

local function copy(frozen)
  local fields = {}
  for key, value in pairs(frozen) do
    fields[key] = value
  end
  return fields
end

--- The table to look into, and the function that makes such a value, if it takes one.
---@param value table
---@return table fields
---@return string? maker
---@nodiscard
function contents.of(value)
  if fault.is_error(value) then
    return {
      kind = value:kind(),
      message = value:message(),
      retryable = value:retryable(),
      details = value:details(),
    },
      "errors.new"
  elseif freeze.is_frozen(value) then
    return copy(value)
  end
  return value
end

--- Whether only the object itself knows what it holds, as `json.null` does.
local function is_opaque(value)
  return metatable_of(value) ~= nil and next((contents.of(value))) == nil
end

--- Whether looking inside both can say more than `==`. Empty objects are alike if their class is.
---@param a any
---@param b any
---@return boolean
---@nodiscard
function contents.are_comparable(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return false
  elseif is_opaque(a) or is_opaque(b) then
    local class = not lock.is(a) and metatables.of(a)
    return class and rawequal(class, metatables.of(b)) or false
  end
  return true
end

return contents
