--- Raises what the host refuses, at the line of the script that asked for it.
---
---     refusal.check(lent.test_queue("app:ordres"))
---     --> orders_test.lua:7: no entry 'app:ordres'; did you mean 'app:orders'?
local error, tostring = error, tostring
local trace = require("host.walls.trace")

local refusal = {}

--- Raises a text with the place of the script in front of it.
---@param text string
function refusal.raise(text)
  local source, line = trace.place(1)
  error((source and source .. ":" .. line .. ": " or "") .. text, 0)
end

--- The values themselves, unless they are `nil, err`.
---@generic T
---@param value T|nil
---@param err any
---@return T
function refusal.check(value, err, ...)
  if value == nil and err ~= nil then
    refusal.raise(tostring(err))
  end
  return value, err, ...
end

return refusal
