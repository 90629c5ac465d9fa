local bank = require("bank")
local hasty = require("hasty")
local ledger = require("ledger")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

describe("what a function raises is an error value", function()
  for _, case in ipairs({
    { "away", "UNAVAILABLE", true, "the bank is away; wait" },
    { "worse", "CONFLICT", false, "no card at all" },
    { "lookup", "NOT_FOUND", nil, "'card'" },
    { "failure", "RATE_LIMITED", true, "sold out" },
    { "plain", "INTERNAL", nil, "modules:bank.raises raised RuntimeError: the secret of the log" },
    { "exit", "INTERNAL", nil, "modules:bank.raises raised SystemExit: 3" },
  }) do
    it(("of kind %s (%s)"):format(case[2], case[1]), function()
      local value, err = bank.raises(case[1])
      eq(value, nil)
      eq(err:kind(), case[2])
      eq(err:retryable(), case[3])
      eq(err:message(), case[4])
      eq(err:stack():find("bank.py", 1, true), nil)
    end)
  end

  it("that decides about the message", function()
    local run = test.queue("orders")
    local id = run:publish({ id = 1, cents = 5, declined = true })
    local done = run:drain()
    test.dead(done, id)
    eq(run:dead()[1].reason, "rejected")
  end)
end)

describe("time", function()
  for _, name in ipairs({ "slow", "slowly" }) do
    it(("is up for %s when the entry's timeout is over"):format(name), function()
      local value, err = hasty[name](0.3)
      eq(value, nil)
      eq(err:kind(), errors.TIMEOUT)
      eq(err:retryable(), true)
      eq(err:message(), ("modules:hasty.%s has not come back in 100ms"):format(name))
    end)
  end

  it("is up shortly before the handler's own, which can still say so", function()
    local kind, words = test.call("impatient", 1)
    eq(kind, errors.TIMEOUT)
    test.matches(words, "ledger.wait has not come back in %d+ms")
  end)

  it("leaves no thread where all are lost, until one comes back", function()
    eq(test.call("impatient", 5), errors.TIMEOUT)
    local _, err = ledger.wait(0)
    eq(err:kind(), errors.UNAVAILABLE)
    eq(
      err:message(),
      "modules:ledger has no free thread: all 1 threads are busy, 1 of them lost; "
        .. "raise `max_threads`, or see what its functions wait for"
    )
    ledger.let_go()
    test.eventually(function()
      local _, busy = ledger.wait(0)
      eq(busy, nil)
    end)
  end)
end)

describe("policies", function()
  it("are asked for each function", function()
    local orders = test.queue("barred.orders")
    orders:publish({ id = 1, cents = 5 })
    local found = test.verdict("barred", { id = 1, cents = 5 })
    eq(found.error.kind, errors.PERMISSION_DENIED)
    test.contains(found.error.message, "modules:bank.charge")
    test.contains(found.error.message, "module.call")
  end)
end)
