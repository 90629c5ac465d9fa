local bank = require("bank")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

describe("test.module", function()
  it("answers for a Python module, which is not loaded", function()
    local spies = test.module("bank", {
      charge = function(order)
        return { cents = order.cents }
      end,
    })
    eq(test.call("take", { id = 1, cents = 7 }), { cents = 7 })
    eq(bank.charge({ cents = 8 }), { cents = 8 })
    eq(#spies.charge.calls, 2)
  end)

  it("answers in handlers of queues", function()
    test.module("bank", {
      charge = function()
        return nil, errors.new({ kind = errors.UNAVAILABLE, message = "down" })
      end,
    })
    local orders = test.queue("orders")
    local id = orders:publish({ id = 1 })
    test.dead(orders:drain(), id)
    eq(orders:dead()[1].errors[1].message, "down")
  end)

  it("goes by the name of the entry, or its id", function()
    test.module("modules:bank", {
      charge = function()
        return 1
      end,
    })
    eq(bank.charge(), 1)
  end)

  it("replaces only what the module lends", function()
    test.fails("test.module: no function 'refund' in the module 'bank'", test.module, "bank", {
      refund = function() end,
    })
    test.fails("no function 'charge' in the module 'bnk'", test.module, "bnk", {
      charge = function() end,
    })
  end)
end)
