--- A bank that does not answer one time out of three.
---
---     local receipt, err = bank.charge(order, attempt)
---
--- Chance depends on nothing but the seed, the order and the attempt: every run tells the same.
local bank = {}

local SEED = 3000
local SILENCE = 1 / 3

--- Takes the total of `order` from its customer. A second charge of the same order changes nothing.
---@param order { id: integer, total_cents: integer }
---@param attempt integer  counts from 1
---@return { order: integer, cents: integer }? receipt
---@return any err  kind TIMEOUT, worth another try
function bank.charge(order, attempt)
  math.randomseed(SEED + order.id, attempt)
  if math.random() < SILENCE then
    return nil, errors.new({ message = "the bank did not answer", kind = errors.TIMEOUT })
  end
  return { order = order.id, cents = order.total_cents }
end

return bank
