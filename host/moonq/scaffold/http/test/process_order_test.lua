local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

local ORDER = { id = 1, total_cents = 2500 }

-- In tests nobody is asked: `test.http` answers in place of the bank.
describe("process_order", function()
  it("charges the total, by the key of the order", function()
    local asked = test.http(function()
      return { status = 201, json = { id = "c-1" } }
    end)
    eq(test.call("app:process_order", ORDER), { order = 1, charge = "c-1" })
    local request = asked.calls[1][1]
    eq({ request.method, request.path, request:json() }, { "POST", "/charges", { cents = 2500 } })
    eq(request.headers["idempotency-key"], "order-1")
  end)

  it("waits for as long as a busy bank asks for", function()
    local is_busy = true
    test.http(function()
      if is_busy then
        is_busy = false
        return { status = 503, headers = { ["Retry-After"] = "30" } }
      end
      return { status = 201, json = { id = "c-1" } }
    end)
    local orders = test.queue("app:orders")
    local id = orders:publish(ORDER)
    eq(orders:drain():attempts(id), { "0s", "30s" })
  end)

  it("gives up at once on what the bank refuses", function()
    test.http(function()
      return { status = 422, json = { error = "no such currency" } }
    end)
    local orders = test.queue("app:orders")
    local id = orders:publish(ORDER)
    test.dead(orders:drain(), id)
    eq(orders:dead()[1].reason, "rejected")
  end)
end)
