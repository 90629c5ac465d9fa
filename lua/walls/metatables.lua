--- `setmetatable`, `getmetatable` and `rawset` for scripts: stock Lua's, where the collector does
--- not know `__gc` and `__mode` (see `names`); elsewhere `copies` stand in for the script's tables.
---
--- Either way `__gc` and `__mode` have no effect, and what the host has locked stays locked.
local freeze = require("host.walls.freeze")
local lock = require("host.walls.lock")
local names = require("host.walls.names")

local error, next, rawset, tostring, type = error, next, rawset, tostring, type
local getmetatable, setmetatable = getmetatable, setmetatable
local is_locked, metatable_of, writable = lock.is, debug.getmetatable, freeze.writable

local function nothing() end

---@class metatables.Way
---@field setmetatable function
---@field getmetatable function
---@field of fun(value: any): table?  the metatable a script gave; the host's own for its objects
---@field reset fun()          between deliveries
---@field begin_loading fun()  a file begins to run
---@field end_loading fun()    a file has run

---@type metatables.Way
local STOCK = {
  setmetatable = setmetatable,
  getmetatable = getmetatable,
  of = metatable_of,
  reset = nothing,
  begin_loading = nothing,
  end_loading = nothing,
}

---@type metatables.Way
local way = names.are_hidden and STOCK or require("host.walls.copies")

local metatables = {}
for name, implementation in next, way do
  metatables[name] = implementation
end

--- Refuses the host's own objects, but for what a script may still write to.
function metatables.rawset(target, key, value)
  if type(target) ~= "table" then
    error("bad argument #1 to 'rawset' (table expected, got " .. type(target) .. ")", 2)
  elseif metatable_of(target) and is_locked(target) then
    local backing = writable(target)
    if not backing then
      error("cannot change '" .. tostring(key) .. "': the table is read-only", 2)
    end
    rawset(backing, key, value)
    return target
  end
  return rawset(target, key, value)
end

return metatables
