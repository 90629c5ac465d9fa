local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

local function order(fields)
  local taken = { id = 7, total_cents = 2500, email = "ada@example.org" }
  for name, value in pairs(fields or {}) do
    taken[name] = value
  end
  return taken
end

--- A bank that answers.
local function charge(charged)
  return { order = charged.id, cents = charged.total_cents }
end

describe("take_order", function()
  -- Tests reach nothing outside, so the bank is played.
  test.before_each(function()
    test.module("bank", { charge = charge })
  end)

  it("charges the order and sends the receipt", function()
    local orders = test.queue("shop:orders")
    local id = orders:publish(order())
    local run = orders:drain()
    test.acked(run, id)
    test.published(run, "shop:emails", { to = "ada@example.org" })
  end)

  it("tries again while the bank is down", function()
    local attempts = 0
    test.module("bank", {
      charge = function(charged)
        attempts = attempts + 1
        if attempts < 3 then
          return nil, errors.new({ kind = errors.TIMEOUT, message = "bank did not answer" })
        end
        return charge(charged)
      end,
    })
    local orders = test.queue("shop:orders")
    local id = orders:publish(order())
    eq(orders:drain():attempts(id), { "0s", "100ms", "200ms" })
  end)

  it("sends one receipt, even when the host dies before the order is settled", function()
    local orders, emails = test.queue("shop:orders"), test.queue("shop:emails")
    orders:publish(order())
    test.crash_worker()
    test.acked(orders:drain(), 1)
    eq(emails:len(), 1)
  end)

  test.each(
    {
      { what = "a total of zero", total_cents = 0 },
      { what = "an email without @", email = "ada" },
    },
    "refuses {what} for good",
    function(row)
      local orders = test.queue("shop:orders")
      local id = orders:publish(order({ total_cents = row.total_cents, email = row.email }))
      test.dead(orders:drain(), id)
      eq(orders:dead()[1].reason, "rejected")
    end
  )
end)
