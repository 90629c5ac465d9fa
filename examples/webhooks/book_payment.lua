local crypto = require("crypto")
local env = require("env")
local http = require("http")
local logger = require("logger")
local money = require("money")
local queue = require("queue")
local sql = require("sql")
local store = require("store")

--- Whether the provider has signed these very bytes.
local function is_signed(message)
  local secret = assert(env.get("WEBHOOK_SECRET"), "WEBHOOK_SECRET is not set")
  local signature = "sha256=" .. crypto.hmac("sha256", secret, message:raw())
  return crypto.equals(message:header("signature") or "", signature)
end

--- What the provider says about a payment, with its amount as a whole number.
local function ask(id)
  local response, err = http.raise(http.client("provider"):get("/payments/" .. id))
  if not response then
    return nil, err
  end
  local payment = response:json()
  local amount, wrong = money.minor_units(payment.amount, payment.currency)
  if wrong then
    return nil, wrong
  end
  return { id = id, account = payment.account, amount = amount, currency = payment.currency }
end

--- Writes a payment and adds it to the balance of its account: both or neither.
local function write(payment)
  return sql.transaction("ledger", function(tx)
    local inserted, err = tx:execute(
      [[INSERT INTO payments (id, account, amount, currency)
        VALUES (:id, :account, :amount, :currency) ON CONFLICT DO NOTHING]],
      payment
    )
    if not inserted then
      return nil, err
    elseif inserted.affected == 0 then
      -- Written already: another webhook told of it, or the host died before `seen` had this one.
      return payment
    end
    local _, failed = tx:execute(
      [[INSERT INTO balances (account, currency, amount) VALUES (:account, :currency, :amount)
        ON CONFLICT DO UPDATE SET amount = amount + excluded.amount]],
      { account = payment.account, currency = payment.currency, amount = payment.amount }
    )
    return not failed and payment, failed
  end)
end

--- Books the payment that a webhook tells of, however often it comes.
return function(event)
  if not is_signed(queue.message()) then
    -- No further attempt can help: straight to the dead letters.
    return nil,
      errors.new({
        kind = errors.PERMISSION_DENIED,
        message = "not signed by the provider",
        retryable = false,
      })
  elseif event.type ~= "payment.succeeded" then
    return true
  end
  return store.open("seen"):once(event.id, "30d", function()
    -- A webhook says only that something happened. What is true, the provider says.
    local payment, err = ask(event.payment)
    if not payment then
      return nil, err
    end
    local written, failed = write(payment)
    if written then
      logger.info("booked", payment)
    end
    return written, failed
  end)
end
