local queue = require("queue")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

local function publish(queue_id, value, options)
  local order = { ["do"] = "answer", value = value }
  return (test.no_error(test.queue(queue_id):publish(order, nil, options)))
end

--- What the handler answered, delivery by delivery.
local function answers(run)
  local found = {}
  for place, id in ipairs(run.acked) do
    found[place] = run:result(id)
  end
  return found
end

describe("6 delay", function()
  it("is never early", function()
    local tasks = test.queue("contract:tasks")
    publish("contract:tasks", 1, { delay = "10m" })
    eq(tasks:delayed()[1].due, 600)
    test.clock.advance("9m59s")
    eq(tasks:drain({ within = 0 }).acked, {})
    test.clock.advance("1s")
    eq(answers(tasks:drain({ within = 0 })), { 1 })
  end)

  it("can name the moment", function()
    publish("contract:tasks", 1, { at = "2026-01-01T01:00:00Z" })
    eq(test.queue("contract:tasks"):delayed()[1].due, 3600)
  end)

  it("lets others pass", function()
    publish("contract:tasks", 1, { delay = "1h" })
    publish("contract:tasks", 2)
    eq(answers(test.queue("contract:tasks"):drain()), { 2, 1 })
  end)

  it("may not be given twice", function()
    local _, err = queue.publish("contract:tasks", 1, nil, { delay = 1, at = 1 })
    test.error_kind(err, errors.INVALID)
  end)
end)

describe("6 expiry", function()
  it("ends the wait for the first start in the dead letters", function()
    local fleeting = test.queue("contract:fleeting")
    local id = publish("contract:fleeting", 1)
    test.clock.advance("61s")
    local run = fleeting:drain()
    eq({ run.acked, run.dead }, { {}, { id } })
    eq(fleeting:dead()[1].reason, "expired")
  end)

  it("is counted and dropped where the queue says so", function()
    local vanishing = test.queue("contract:vanishing")
    publish("contract:vanishing", 1)
    test.clock.advance("61s")
    eq(vanishing:drain().acked, {})
    eq({ vanishing:len(), vanishing:dead() }, { 0, {} })
    test.logged("warn", "expired")
  end)

  it("can be set for one message, and concerns no retry", function()
    local tasks = test.queue("contract:tasks")
    local order = { ["do"] = "succeed_at", attempt = 3 }
    local id = tasks:publish(order, nil, { ttl = "3s" })
    test.acked(tasks:drain(), id)
    test.gt(test.clock.now(), 1767225600 + 3)
  end)
end)

describe("6 order", function()
  it("is that of publishing with one worker and no failure", function()
    for value = 1, 5 do
      publish("contract:tasks", value)
    end
    eq(answers(test.queue("contract:tasks"):drain()), { 1, 2, 3, 4, 5 })
  end)

  it("is strict within a group: a failing message holds the others", function()
    local tasks = test.queue("contract:tasks")
    local first = tasks:publish({ ["do"] = "succeed_at", attempt = 3 }, nil, { group = "a" })
    local second = publish("contract:tasks", 2, { group = "a" })
    local other = publish("contract:tasks", 3, { group = "b" })
    eq(tasks:drain().acked, { other, first, second })
  end)

  it("lets the others pass where the queue says skip", function()
    local skipping = test.queue("contract:skipping")
    local first = skipping:publish({ ["do"] = "succeed_at", attempt = 2 }, nil, { group = "a" })
    local second = publish("contract:skipping", 2, { group = "a" })
    eq(skipping:drain().acked, { second, first })
  end)

  it("serves 9 : 3 : 1 when all priorities wait, so that none starves", function()
    for _ = 1, 13 do
      publish("contract:tasks", "low", { priority = "low" })
      publish("contract:tasks", "normal")
      publish("contract:tasks", "high", { priority = "high" })
    end
    local counts = { low = 0, normal = 0, high = 0 }
    for _, name in ipairs(answers(test.queue("contract:tasks"):step(13))) do
      counts[name] = counts[name] + 1
    end
    eq(counts, { high = 9, normal = 3, low = 1 })
  end)
end)

describe("6 deduplication", function()
  it("answers the first id within the window", function()
    local tasks = test.queue("contract:tasks")
    local first = publish("contract:tasks", 1, { dedup_key = "k" })
    eq(publish("contract:tasks", 2, { dedup_key = "k" }), first)
    eq(tasks:len(), 1)
    tasks:drain()
    eq(publish("contract:tasks", 3, { dedup_key = "k" }), first)
    test.clock.advance("5m1s")
    test.neq(publish("contract:tasks", 4, { dedup_key = "k" }), first)
  end)

  each(
    {
      { what = "retries", order = { ["do"] = "succeed_at", attempt = 2 } },
      { what = "interruptions", order = { ["do"] = "nothing" }, crash = true },
    },
    "never blocks {what}",
    function(row)
      local tasks = test.queue("contract:tasks")
      local id = tasks:publish(row.order, nil, { dedup_key = "k" })
      if row.crash then
        test.crash_worker()
      end
      test.acked(tasks:drain(), id)
    end
  )

  it("never blocks a redrive", function()
    local few = test.queue("contract:few")
    local id = few:publish({ ["do"] = "fail" }, nil, { dedup_key = "k" })
    few:drain()
    eq(few:redrive(), 1)
    test.dead(few:drain(), id)
  end)
end)
