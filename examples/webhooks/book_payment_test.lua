local crypto = require("crypto")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

local SECRET = "try-it-out"

--- Puts a webhook into the queue as receive.py does: its bytes, and who signed them.
local function receive(body, key)
  local signature = "sha256=" .. crypto.hmac("sha256", key or SECRET, body)
  return test.queue("webhooks"):publish_raw(body, { signature = signature })
end

local function event(id, payment)
  return ('{"id": "%s",  "type": "payment.succeeded", "payment": "%s"}'):format(id, payment)
end

local function balance(ledger, account)
  local rows = ledger:query("SELECT amount FROM balances WHERE account = :account", {
    account = account,
  })
  return rows[1] and rows[1].amount
end

describe("book_payment", function()
  ---@type testing.Database
  local ledger
  ---@type spies.Spy
  local asked

  -- Tests reach nothing outside: the database is an empty one, and the rest is played.
  test.before_each(function()
    test.stub("env", "get", function()
      return SECRET
    end)
    test.module("money", {
      minor_units = function(amount)
        return math.tointeger(assert(tonumber(amount)) * 100)
      end,
    })
    asked = test.http(function()
      return { json = { account = "ada", amount = "12.50", currency = "EUR" } }
    end)
    ledger = test.sql("ledger")
  end)

  it("books what the provider says of the payment", function()
    local id = receive(event("evt_1", "pay_1"))
    test.acked(test.drain(), id)
    eq(asked.calls[1][1].path, "/payments/pay_1")
    eq(ledger:one("SELECT * FROM payments"), {
      id = "pay_1",
      account = "ada",
      amount = 1250,
      currency = "EUR",
    })
    eq(balance(ledger, "ada"), 1250)
  end)

  it("books once what comes twice, and asks once", function()
    receive(event("evt_1", "pay_1"))
    receive(event("evt_1", "pay_1"))
    test.acked(test.drain(), 2)
    eq(balance(ledger, "ada"), 1250)
    eq(#asked.calls, 1)
  end)

  it("books once what two webhooks tell of", function()
    receive(event("evt_1", "pay_1"))
    receive(event("evt_2", "pay_1"))
    test.acked(test.drain(), 2)
    eq(balance(ledger, "ada"), 1250)
  end)

  it("books once, even when the host dies before the webhook is settled", function()
    receive(event("evt_1", "pay_1"))
    test.crash_worker()
    test.acked(test.drain(), 1)
    eq(balance(ledger, "ada"), 1250)
  end)

  it("believes nobody else, and tells nobody", function()
    local id = receive(event("evt_1", "pay_1"), "guessed")
    test.dead(test.drain(), id)
    eq(#asked.calls, 0)
    eq(balance(ledger, "ada"), nil)
  end)

  it("waits for as long as the provider asks for", function()
    local is_busy = true
    test.http(function()
      if is_busy then
        is_busy = false
        return { status = 503, headers = { ["Retry-After"] = "30" } }
      end
      return { json = { account = "ada", amount = "12.50", currency = "EUR" } }
    end)
    local id = receive(event("evt_1", "pay_1"))
    eq(test.drain():attempts(id), { "0s", "30s" })
    eq(balance(ledger, "ada"), 1250)
  end)

  it("writes no payment without its balance", function()
    ledger:execute("DROP TABLE balances")
    local id = receive(event("evt_1", "pay_1"))
    test.dead(test.drain(), id)
    eq(ledger:query("SELECT * FROM payments"), {})
  end)
end)

describe("the queue", function()
  it("takes no payment that would lead elsewhere", function()
    test.fails("payment", function()
      test.queue("webhooks"):publish({
        id = "evt_1",
        type = "payment.succeeded",
        payment = "../admin",
      })
    end)
  end)
end)

describe("with the provider and its money", function()
  test.it_real("books in whole numbers", function()
    local ledger = test.sql("ledger")
    local secret = require("env").get("WEBHOOK_SECRET")
    receive(event("evt_1", "pay_1"), secret)
    receive(event("evt_3", "pay_3"), secret)
    test.acked(test.drain(), 2)
    eq(balance(ledger, "ada"), 1250)
    eq(balance(ledger, "grace"), 1250)
  end)
end)
