--- Tables that a script may read but not change.
---
---     local proxy, backing, seal = freeze.table({ pi = 3 }, "number")
---     seal()
---     proxy.pi --> 3
---     proxy.pi = 4 --> error: cannot change 'number'
---
--- The proxy is empty and its backing is never handed out, so neither `rawset` (wrapped, see
--- `world`) nor an iterator reaches it. Until it is sealed, writes go through.
local lock = require("host.walls.lock")

local error, next, type = error, next, type
local setmetatable = setmetatable

local freeze = {}

--- proxy -> backing, for the wrapped raw functions; holds a fixed set of tables per state.
---@type table<table, table>
freeze.backings = {}
local backings = freeze.backings
-- Those that are not sealed yet.
local open = {}

local function complain(name, key)
  if type(key) == "string" then
    error("cannot set '" .. key .. "': '" .. name .. "' is read-only", 3)
  end
  error("cannot change '" .. name .. "': it is read-only", 3)
end

---@class freeze.Options
---@field sealed? boolean                          no writes from the start
---@field complain? fun(name: string, key: any)    raises about a refused write, at level 3
---@field keeps_known? boolean                     what is there may be replaced once it is sealed

--- A read-only view of *backing*.
---@param backing table
---@param name string            how complaints call it
---@param options? freeze.Options
---@return table proxy
---@return fun() seal
function freeze.table(backing, name, options)
  local sealed = options and options.sealed or false
  local refuse = options and options.complain or complain
  local known = {}
  local proxy = {}
  local function step(_, key)
    return next(backing, key)
  end
  local meta = {
    __index = backing,
    __newindex = function(_, key, value)
      if sealed and not known[key] then
        refuse(name, key)
      end
      backing[key] = value
    end,
    __pairs = function()
      return step, proxy, nil
    end,
    __len = function()
      return #backing
    end,
    __name = name,
  }
  setmetatable(proxy, lock.metatable(meta))
  backings[proxy] = backing
  open[proxy] = not sealed or nil
  return proxy,
    function()
      sealed, open[proxy] = true, nil
      if options and options.keeps_known then
        for key in next, backing do
          known[key] = true
        end
      end
    end
end

--- A sealed copy of *module*: same functions, own table.
---@param module table
---@param name string
---@return table
function freeze.copy(module, name)
  local backing = {}
  for key, value in next, module do
    backing[key] = value
  end
  return (freeze.table(backing, name, { sealed = true }))
end

--- The table behind a frozen one, for trusted code that may change it all the same.
---@param frozen table
---@return table
function freeze.backing(frozen)
  return backings[frozen]
end

--- The table behind a frozen one while writes still go through.
---@param frozen table
---@return table?
function freeze.writable(frozen)
  return open[frozen] and backings[frozen]
end

--- Whether *value* is a frozen table.
function freeze.is_frozen(value)
  return backings[value] ~= nil
end

return freeze
