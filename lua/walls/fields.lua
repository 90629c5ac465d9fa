--- What a value's fields are, found without running any of a script's code.
---
---     fields.get(setmetatable({}, { __index = { a = 1 } }), "a")  --> 1
---
--- A function behind `__index` is not asked: it may do anything, and take for ever.
local freeze = require("host.walls.freeze")

local rawget, type = rawget, type
local metatable_of = debug.getmetatable

local fields = {}

--- How many tables deep a value may look for its fields in another's.
fields.DEEPEST = 8

--- The table in which a value's fields are, and the next one to look in.
---@param value any
---@return table? own
---@return table? inherited
---@nodiscard
function fields.of(value)
  local meta = metatable_of(value)
  local index = meta and rawget(meta, "__index")
  if type(value) == "table" then
    return freeze.backing(value) or value, type(index) == "table" and index or nil
  end
  return type(index) == "table" and index or nil, nil
end

--- One field, its own or an inherited one; nil for none.
---@param value any
---@param key any
---@return any
---@nodiscard
function fields.get(value, key)
  for _ = 1, fields.DEEPEST do
    local own, inherited = fields.of(value)
    local found = own and rawget(own, key)
    if found ~= nil or not inherited then
      return found
    end
    value = inherited
  end
end

return fields
