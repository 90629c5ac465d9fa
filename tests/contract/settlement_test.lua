local able = require("able")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

--- Publishes one order to a queue without a second attempt and runs it.
local function last(body)
  local final = test.queue("contract:last")
  local id = final:publish(body)
  return final:drain(), id, final
end

--- Publishes one order to the handler and runs it once.
local function once(body, queue_id)
  local tasks = test.queue(queue_id or "contract:tasks")
  local id = tasks:publish(body)
  return tasks:step(), id, tasks
end

describe("3 settlement: the handler's result", function()
  each(
    {
      { what = "nothing", body = { ["do"] = "nothing" } },
      { what = "a table", body = { ["do"] = "answer", value = { ok = true } } },
      { what = "zero", body = { ["do"] = "answer", value = 0 } },
      { what = "an empty text", body = { ["do"] = "answer", value = "" } },
    },
    "acks with {what}",
    function(row)
      local run, id, tasks = once(row.body)
      eq(run.acked, { id })
      eq({ run.nacked, run.dead }, { {}, {} })
      eq(tasks:len(), 0)
    end
  )

  each(
    { "NaN", "a function", "a cycle", "bytes" },
    "acks what no JSON can carry: {}",
    function(what)
      local run, id, tasks = once({ ["do"] = "return", what = what })
      eq(run.acked, { id })
      eq({ run.nacked, run.dead, tasks:len() }, { {}, {}, 0 })
      test.fails("run:result: result", run.result, run, id)
    end
  )

  each(
    {
      { what = "returns false", body = { ["do"] = "deny" }, kind = "UNKNOWN", text = "false" },
      {
        what = "returns nil and a text",
        body = { ["do"] = "fail" },
        kind = "UNKNOWN",
        text = "luck",
      },
      {
        what = "returns nil and an error",
        body = { ["do"] = "fault", fault = { kind = "CONFLICT", message = "taken" } },
        kind = "CONFLICT",
        text = "taken",
      },
      { what = "raises", body = { ["do"] = "raise" }, kind = "UNKNOWN", text = "fell down" },
    },
    "is a failure when it {what}",
    function(row)
      local run, id, final = last(row.body)
      eq(run.nacked, { id })
      eq({ run.acked, run.dead }, { {}, { id } })
      local failure = final:dead()[1].error
      test.error_kind(failure, row.kind)
      test.contains(failure:message(), row.text)
    end
  )

  it("undoes nothing: what a failed handler has published stays published", function()
    local run, id = last({ ["do"] = "publish_then_fail", to = "contract:morgue", body = "left" })
    eq(run.dead, { id })
    eq(test.queue("contract:morgue"):messages()[1].body, "left")
  end)

  it("is final when the error says that no attempt can help", function()
    local fault = { message = "negative total", kind = "INVALID", retryable = false }
    local run, id, tasks = once({ ["do"] = "fault", fault = fault })
    eq(run.dead, { id })
    eq(tasks:len(), 0)
    eq(tasks:dead()[1].reason, "rejected")
  end)

  it("does not matter where the body cannot be decoded: the handler is not called", function()
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish_raw('{"do": "nothing"')
    local run = tasks:drain()
    eq(run.dead, { id })
    test.is_nil(run:result(id))
    local letter = tasks:dead()[1]
    eq({ letter.reason, letter.text }, { "decode", '{"do": "nothing"' })
  end)
end)

describe("3 settlement: by the handler itself", function()
  it("is single: an early ack outlives a failure", function()
    local run, id, tasks = once({ ["do"] = "ack_then_fail" })
    eq(run.acked, { id })
    eq({ run.nacked, tasks:len() }, { {}, 0 })
  end)

  it("answers INVALID the second time", function()
    local run, id = once({ ["do"] = "settle_twice" })
    local err = run:result(id)
    test.error_kind(err, errors.INVALID)
    test.contains(err:message(), "already settled")
  end)

  each(
    { "ack", "nack", "retry", "snooze", "reject" },
    "is single-shot: {} is the first",
    function(first)
      local tasks = test.queue("contract:tasks")
      local id = tasks:publish({ ["do"] = "settle_again", first = first })
      local invalid = errors.INVALID
      eq(tasks:step():result(id), { invalid, invalid, invalid, invalid, invalid })
    end
  )

  it("is over for a message that was kept beyond its handler", function()
    local tasks = test.queue("contract:tasks")
    tasks:publish({ ["do"] = "keep" })
    tasks:publish({ ["do"] = "keep" })
    local run = tasks:drain()
    local kind, message = table.unpack(run:result(run.acked[2]))
    eq(kind, errors.INVALID)
    test.contains(message, "released")
  end)

  it("fails with nack, and keeps its words", function()
    local run, id, final = last({ ["do"] = "nack" })
    eq(run.nacked, { id })
    test.contains(final:dead()[1].error:message(), "not today")
  end)

  it("waits as long as retry says, which spends an attempt", function()
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish({ ["do"] = "retry_once", delay = "4s" })
    local run = tasks:drain()
    able.waited(run, id, { 0, 4 })
    eq({ run.nacked, run:result(id) }, { { id }, 2 })
  end)

  it("waits as long as snooze says, which spends none", function()
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish({ ["do"] = "snooze_once", delay = "4s" })
    local run = tasks:drain()
    able.waited(run, id, { 0, 4 })
    eq({ run.snoozed, run.nacked, run:result(id) }, { { id }, {}, 1 })
  end)

  able.patiently("is dead after a thousand snoozes", function()
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish({ ["do"] = "snooze", delay = "1s" })
    local run = tasks:drain({ max = 2000 })
    eq(run.deliveries, 1001)
    eq(run.dead, { id })
    eq(tasks:dead()[1].reason, "snooze_limit")
  end)

  it("never comes back sooner than 100 ms after it failed", function()
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish({ ["do"] = "retry_once", delay = 0 })
    local run = tasks:drain()
    test.acked(run, id)
    able.waited(run, id, { 0, 0.1 })
  end)

  it("is dead at once with reject", function()
    local run, id, tasks = once({ ["do"] = "reject", text = "no such customer" })
    eq(run.dead, { id })
    local letter = tasks:dead()[1]
    eq(letter.reason, "rejected")
    test.contains(letter.error:message(), "no such customer")
  end)
end)

describe("3 settlement: auto_ack", function()
  it("settles before the handler runs, and says so at the start", function()
    local run, id, hasty = once({ ["do"] = "fail" }, "contract:hasty")
    eq(run.acked, { id })
    eq({ hasty:len(), #hasty:dead() }, { 0, 0 })
    test.logged("warn", "auto_ack")
  end)

  it("loses the message of a worker that dies", function()
    test.crash_worker()
    local run, id, hasty = once({ ["do"] = "nothing" }, "contract:hasty")
    eq({ run.acked, run.interrupted }, { { id }, {} })
    eq(hasty:len(), 0)
  end)
end)

describe("3 settlement: faults", function()
  it("runs a message again whose worker died, as an interruption", function()
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish({ ["do"] = "tell" })
    test.crash_worker()
    local run = tasks:drain()
    eq({ run.interrupted, run.acked }, { { id }, { id } })
    local told = run:result(id)
    eq({ told.attempt, told.interruptions }, { 1, 1 })
  end)

  it("runs a message again whose ack the broker did not hear", function()
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish({ ["do"] = "tell" })
    test.drop_ack()
    local run = tasks:drain()
    eq(run.deliveries, 2)
    eq(run:result(id).interruptions, 1)
  end)

  it("runs a message again that the broker delivers twice", function()
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish({ ["do"] = "nothing" })
    tasks:drain()
    test.duplicate(id)
    eq(tasks:drain().acked, { id })
  end)
end)
