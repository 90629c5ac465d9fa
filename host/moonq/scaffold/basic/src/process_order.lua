local logger = require("logger")

---@class Order
---@field id integer
---@field total_cents integer

--- Handles one message of app:orders. A value returned acknowledges it; nil and an error put it
--- back, to be tried again after a while.
---@param order Order
---@return table? receipt
---@return any err
local function process_order(order)
  if order.total_cents < 0 then
    -- Trying again cannot help: retryable = false sends it to the dead letters at once.
    return nil, errors.new({ message = "negative total", kind = errors.INVALID, retryable = false })
  end

  logger.info("processing order", { order = order.id })
  return { order = order.id, charged = order.total_cents }
end

return process_order
