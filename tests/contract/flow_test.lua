local able = require("able")
local queue = require("queue")
local test = require("test")

local describe, eq = test.describe, test.eq

describe("7 max_length", function()
  able.strictly("max_length", "refuses what is too much, for now", function()
    queue.publish("contract:small", 1)
    queue.publish("contract:small", 2)
    local id, err = queue.publish("contract:small", 3)
    test.is_nil(id)
    test.error_kind(err, errors.RATE_LIMITED)
    test.retryable(err)
    eq(test.queue("contract:small"):len(), 2)
  end)

  able.strictly(
    "max_length",
    "answers each of a batch: so many are kept, the rest is refused",
    function()
      local messages = {}
      for n = 1, 5 do
        messages[n] = { body = n }
      end
      local answers = queue.publish_batch("contract:small", messages)
      local kept, refused = 0, 0
      for _, answer in ipairs(answers) do
        kept = kept + (answer.id and 1 or 0)
        refused = refused + (answer.err and answer.err:kind() == errors.RATE_LIMITED and 1 or 0)
      end
      eq({ kept, refused }, { 2, 3 })
    end
  )

  able.strictly("max_length", "lets a message in flight keep its place", function()
    local patient = test.queue("contract:patient")
    local order = { ["do"] = "publish", to = "contract:patient", body = { ["do"] = "nothing" } }
    local id = patient:publish(order)
    local run = patient:step()
    test.nacked(run, id)
    eq(patient:len(), 1)
    patient:clear()
  end)

  able.it("drop_oldest", "gives the oldest to the dead letters with drop_oldest", function()
    local oldest = test.queue("contract:oldest")
    local first = oldest:publish(1)
    oldest:publish(2)
    oldest:publish(3)
    eq({ oldest:messages()[1].body, oldest:messages()[2].body }, { 2, 3 })
    eq({ oldest:dead()[1].id, oldest:dead()[1].reason }, { first, "max_length" })
  end)

  able.strictly("max_length", "waits publish_timeout with block, and no longer", function()
    queue.publish("contract:patient", 1)
    local before = test.clock.now()
    local _, err = queue.publish("contract:patient", 2)
    test.error_kind(err, errors.RATE_LIMITED)
    able.due(test.clock.now() - before, 3)
  end)

  able.strictly("max_length", "never lets a handler wait for the queue it serves", function()
    local patient = test.queue("contract:patient")
    local again = { ["do"] = "nothing" }
    local id = patient:publish({ ["do"] = "publish", to = "contract:patient", body = again })
    local before = test.clock.now()
    local run = patient:step()
    test.lt(test.clock.now() - before, 3)
    test.nacked(run, id)
    local _, err = run:result(id)
    test.error_kind(err, errors.RATE_LIMITED)
  end)

  able.strictly(
    "max_length",
    "never lets what the handler calls wait for that queue either",
    function()
      local patient = test.queue("contract:patient")
      local again = { ["do"] = "publish", to = "contract:patient", body = 1 }
      local id = patient:publish({ ["do"] = "call", func = "contract:obey", body = again })
      local before = test.clock.now()
      local run = patient:step()
      test.lt(test.clock.now() - before, 3)
      local _, err = run:result(id)
      test.error_kind(err, errors.RATE_LIMITED)
    end
  )

  able.strictly("max_length", "takes back what is retried, whoever else came meanwhile", function()
    local small = test.queue("contract:patient")
    local id = small:publish({ ["do"] = "succeed_at", attempt = 2 })
    test.acked(small:drain(), id)
  end)
end)

--- An order whose message weighs about 2.5 KB: there is room for three of them.
local function heavy(order)
  order.ballast = ("x"):rep(2000)
  return queue.publish("contract:heavy", order)
end

describe("7 max_bytes", function()
  able.it(
    "max_bytes",
    "refuses what weighs too much, for now, and takes what is lighter",
    function()
      local weighty = test.queue("contract:heavy")
      for _ = 1, 3 do
        test.is_string((heavy({ ["do"] = "nothing" })))
      end
      local id, err = heavy({ ["do"] = "nothing" })
      test.is_nil(id)
      test.error_kind(err, errors.RATE_LIMITED)
      test.retryable(err)
      test.contains(err:message(), "10000 (`max_bytes`)")
      test.is_string((queue.publish("contract:heavy", { ["do"] = "nothing" })))
      eq(#weighty:drain().acked, 4)
      test.is_string((heavy({ ["do"] = "nothing" })))
    end
  )

  able.it("max_bytes", "says what the queue weighs", function()
    heavy({ ["do"] = "reject" })
    local info = queue.info("contract:heavy")
    test.gte(info.bytes, 2000)
    eq(info.dead_bytes, 0)
    test.queue("contract:heavy"):drain()
    info = queue.info("contract:heavy")
    test.gte(info.dead_bytes, 2000)
    eq(info.bytes, info.dead_bytes)
  end)

  able.it("max_bytes", "counts dead letters, and refuses no rejection", function()
    local weighty = test.queue("contract:heavy")
    for _ = 1, 3 do
      heavy({ ["do"] = "reject" })
    end
    eq(#weighty:drain().dead, 3)
    local _, err = heavy({ ["do"] = "nothing" })
    test.error_kind(err, errors.RATE_LIMITED)
    eq(#weighty:dead(), 3)
  end)

  able.it("max_bytes", "takes back what is retried, however much its errors weigh", function()
    local weighty = test.queue("contract:heavy")
    for _ = 1, 3 do
      heavy({ ["do"] = "succeed_at", attempt = 2 })
      eq(#weighty:step().nacked, 1)
    end
    local _, err = heavy({ ["do"] = "nothing" })
    test.error_kind(err, errors.RATE_LIMITED)
    eq(#weighty:drain().acked, 3)
    eq(queue.info("contract:heavy").bytes, 0)
  end)
end)
