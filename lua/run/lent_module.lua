--- A Python module as scripts see it: its functions, each of which calls the host.
---
---     local bank = lent_module("app:bank", '["charge"]')
---     bank.charge({ cents = 4200 })  --> { id = "r-1" }
---     bank.refund                    --> error: module 'bank' lends no function 'refund'
---
--- The host makes the call of it that is the text of such an import, see `run.functions.chunk`.
local errors = require("errors")
local freeze = require("host.walls.freeze")
local json = require("json")
local lent = require("host.walls.lent")
local lent_values = require("host.run.lent_values")
local lock = require("host.walls.lock")

local error, format, ipairs, match = error, string.format, ipairs, string.match
local concat, rawequal, select, setmetatable = table.concat, rawequal, select, setmetatable
local tostring = tostring
local module_call = lent.module_call

local function caller(id, name, module)
  local called = id .. "." .. name
  return function(...)
    local arguments, wrong
    if rawequal((...), module()) then
      -- With a colon it is the same.
      arguments, wrong = lent_values.encode(select(2, ...))
    else
      arguments, wrong = lent_values.encode(...)
    end
    if not arguments then
      local text = called .. ": " .. wrong
      return nil, errors.new({ kind = errors.INVALID, message = text, retryable = false })
    end
    local answer, err = module_call(id, name, arguments)
    if not answer then
      return nil, err
    end
    return lent_values.decode(answer)
  end
end

--- Makes the module.
---@param id string     of its entry
---@param names string  of its functions, as a JSON array
---@return table
return function(id, names)
  local functions, known, seen = {}, json.decode(names), nil
  local function module()
    return seen
  end
  for _, name in ipairs(known) do
    functions[name] = caller(id, name, module)
  end
  local short = match(id, "[^:]*$")
  local listed = #known > 0 and "it lends " .. concat(known, ", ") or "it lends none"
  setmetatable(
    functions,
    lock.metatable({
      __index = function(_, key)
        error(format("module '%s' lends no function '%s'; %s", short, tostring(key), listed), 2)
      end,
    }, short)
  )
  seen = freeze.table(functions, short, { sealed = true })
  return seen
end
