local http = require("http")
local logger = require("logger")

---@class Order
---@field id integer
---@field total_cents integer

--- Charges one order of app:orders at the bank. A value returned acknowledges the message; nil and
--- an error put it back, to be tried again after a while, unless no further try can help.
---@param order Order
---@return table? receipt
---@return any err
local function process_order(order)
  local bank = http.client("bank")
  local response, err = http.raise(bank:post("/charges", {
    json = { cents = order.total_cents },
    -- The same order may come again: by this the bank knows that it has charged it.
    headers = { ["Idempotency-Key"] = "order-" .. order.id },
  }))
  if not response then
    return nil, err
  end

  local charge, unreadable = response:json()
  if not charge then
    return nil, unreadable
  end
  logger.info("charged", { order = order.id, charge = charge.id })
  return { order = order.id, charge = charge.id }
end

return process_order
