--- What is inside a table, for those who print and compare: not always what `next` finds in it.
---
---     contents.of({ 1, 2 }) --> { 1, 2 }
---     contents.of(errors.new("lost")) --> { kind = "UNKNOWN", message = "lost" }, "errors.new"
---
--- A frozen table keeps its fields elsewhere, and an error value keeps more than it says.
local getmetatable, next, pairs, require, type = getmetatable, next, pairs, require, type
local errors = require("errors")
local freeze = require("host.freeze")

local contents = {}

local ERROR = getmetatable(errors.new("an error value, to know its like"))

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
  if getmetatable(value) == ERROR then
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

--- Whether nothing can be seen in it: an object that only `==` knows, such as `json.null`.
---@param value any
---@return boolean
---@nodiscard
function contents.is_opaque(value)
  return type(value) ~= "table"
    or (getmetatable(value) ~= nil and next((contents.of(value))) == nil)
end

return contents
