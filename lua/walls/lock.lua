--- Metatables of the host's own objects: locked, and known by a mark that no script can make.
---
---     local Message = lock.metatable({ __index = methods }, "message")
---     lock.is(setmetatable({}, Message))  --> true
---     getmetatable(object)                --> "message"
---
--- What a script sees of a metatable says nothing, for its own may answer the same.
local rawequal, rawget = rawequal, rawget
local metatable_of = debug.getmetatable

local lock = {}

-- A key that only this file has; no script ever holds a metatable that bears it.
local MARK = {}

--- Locks a metatable of the host's.
---@param meta table
---@param name? string  what `getmetatable` answers (default: false)
---@return table meta
function lock.metatable(meta, name)
  meta.__metatable = name or false
  meta[MARK] = true
  return meta
end

--- Whether a value is an object of the host's.
---@param value any
---@return boolean
---@nodiscard
function lock.is(value)
  local meta = metatable_of(value)
  return meta ~= nil and rawget(meta, MARK) ~= nil
end

--- Whether a value is of the class whose metatable is `meta`, compared without a script's `__eq`.
---@param value any
---@param meta table
---@return boolean
---@nodiscard
function lock.is_of(value, meta)
  return rawequal(metatable_of(value), meta)
end

return lock
