local bank = require("bank")
local logger = require("logger")
local queue = require("queue")

--- What is wrong with an order, or nil.
local function complaint(order)
  if math.type(order.total_cents) ~= "integer" or order.total_cents <= 0 then
    return "total_cents must be above zero"
  elseif type(order.email) ~= "string" or not order.email:find("@", 1, true) then
    return "email has no @"
  end
end

--- Checks an order, charges it and sends the receipt on its way.
return function(order)
  local wrong = complaint(order)
  if wrong then
    -- No further attempt can help: straight to the dead letters.
    return nil, errors.new({ message = wrong, kind = errors.INVALID, retryable = false })
  end

  local receipt, err = bank.charge(order, queue.message():attempt())
  if err then
    return nil, err
  end
  logger.info("charged", { order = order.id, cents = receipt.cents })

  -- The order may run again if the host dies now. The bank does not charge twice, and the key keeps
  -- the second e-mail away.
  local id, refused = queue.publish(
    "shop:emails",
    { to = order.email, text = ("We received %d cents."):format(receipt.cents) },
    nil,
    { dedup_key = "receipt-" .. order.id }
  )
  if not id then
    return nil, refused
  end
  return receipt
end
