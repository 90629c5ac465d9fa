local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

describe("process_order", function()
  it("charges the total", function()
    local receipt = test.call("app:process_order", { id = 1, total_cents = 2500 })
    eq(receipt, { order = 1, charged = 2500 })
  end)

  it("refuses a negative total for good", function()
    local _, err = test.call("app:process_order", { id = 2, total_cents = -5 })
    test.error_kind(err, errors.INVALID)
    eq(err:retryable(), false)
  end)
end)
