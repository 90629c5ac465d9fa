local queue = require("queue")

--- Publishes orders; every fifth has no total and every seventh an address without an @.
---@param options? { count?: integer }
return function(options)
  local count = options and options.count or 12
  for id = 1, count do
    assert(queue.publish("shop:orders", {
      id = id,
      total_cents = id % 5 == 0 and 0 or id * 250,
      email = ("customer%d%sexample.org"):format(id, id % 7 == 0 and " at " or "@"),
    }))
  end
  return count
end
