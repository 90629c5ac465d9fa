--- Actors, scopes and policies as scripts hold them: locked objects around numbers of the host's,
--- which no script sees.
---
---     local clerk = held.object(held.ACTOR, number)   -- the same one for the same number
---     held.number(clerk, held.ACTOR)                  --> number
---     held.number(clerk, held.SCOPE)                  --> nil
---
--- The host keeps only so many for one state. What no script holds any more is given back when
--- there is no more room.
local errors = require("errors")
local lent = require("host.walls.lent")
local lock = require("host.walls.lock")
local weak = require("host.walls.weak")

local collectgarbage, error, next, setmetatable = collectgarbage, error, next, setmetatable
local concat, pack = table.concat, string.pack
local keep = lent.security_keep

local held = {}

local function class(name)
  return lock.metatable({
    __index = {},
    __name = name,
    __newindex = function()
      error(name .. " cannot be changed", 2)
    end,
  }, name)
end

--- The classes; the module `security` puts methods into `__index`.
held.ACTOR = class("security.actor")
held.SCOPE = class("security.scope")
held.POLICY = class("security.policy")

---@type table<table, integer>
local numbers = weak("k")
---@type table<integer, table>
local objects = weak("v")

--- The object around a number.
---@param of table         its class
---@param number integer
---@return table
---@nodiscard
function held.object(of, number)
  local object = objects[number]
  if not object then
    object = setmetatable({}, of)
    objects[number], numbers[object] = object, number
  end
  return object
end

--- The number of an object of a class; nil for anything else.
---@param value any
---@param of table
---@return integer?
---@nodiscard
function held.number(value, of)
  return lock.is_of(value, of) and numbers[value] or nil
end

--- Lets the host forget what no script holds any more.
local function give_back()
  collectgarbage()
  local packed = {}
  for _, number in next, numbers do
    packed[#packed + 1] = pack("<i8", number)
  end
  keep(concat(packed))
end

--- What a lent function makes, as an object; nil where there is none, or nil and an error.
---@param of table
---@param make function   answers a number
---@param ... any
---@return table|nil object
---@return errors.Error|nil err
---@nodiscard
function held.made(of, make, ...)
  local number, err = make(...)
  if err and err:kind() == errors.RATE_LIMITED then
    give_back()
    number, err = make(...)
  end
  if not number then
    return nil, err
  end
  return held.object(of, number), nil
end

return held
