local able = require("able")
local queue = require("queue")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

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
  able.it("delay", "is never early, and at most a second late", function()
    local tasks, before = test.queue("contract:tasks"), test.clock.now()
    local id = tasks:publish({ ["do"] = "now" }, nil, { delay = "5s" })
    eq(tasks:drain({ within = "2s" }).acked, {})
    able.due(tasks:drain():result(id) - before, 5)
  end)

  able.it("delay", "can name the moment", function()
    local tasks, moment = test.queue("contract:tasks"), test.clock.now() + 4
    local id = tasks:publish({ ["do"] = "now" }, nil, { at = moment })
    able.due(tasks:drain():result(id), moment)
  end)

  able.patiently("may be a year", function()
    local id = publish("contract:tasks", 1, { delay = "365d" })
    local before, run = test.clock.now(), test.queue("contract:tasks"):drain()
    test.acked(run, id)
    test.near(test.clock.now() - before, 365 * 86400, 1)
  end)

  able.it("delay", "lets others pass", function()
    publish("contract:tasks", 1, { delay = "5s" })
    publish("contract:tasks", 2)
    eq(answers(test.queue("contract:tasks"):drain()), { 2, 1 })
  end)

  it("of the past is none", function()
    publish("contract:tasks", 1, { at = test.clock.now() - 60 })
    eq(answers(test.queue("contract:tasks"):step()), { 1 })
  end)

  it("may not be given twice", function()
    local _, err = queue.publish("contract:tasks", 1, nil, { delay = 1, at = 1 })
    test.error_kind(err, errors.INVALID)
  end)
end)

describe("6 expiry", function()
  able.it("ttl", "ends the wait for the first start in the dead letters", function()
    local fleeting = test.queue("contract:fleeting")
    local id = publish("contract:fleeting", 1)
    test.clock.advance("5s")
    eq(fleeting:drain().acked, {})
    eq({ fleeting:dead()[1].id, fleeting:dead()[1].reason }, { id, "expired" })
  end)

  able.it("ttl", "is counted and dropped where the queue says so", function()
    local vanishing = test.queue("contract:vanishing")
    publish("contract:vanishing", 1)
    test.clock.advance("5s")
    eq(vanishing:drain().acked, {})
    eq({ vanishing:len(), vanishing:dead() }, { 0, {} })
    test.logged("warn", "expired")
  end)

  able.it("ttl", "can be set for one message, and concerns no retry", function()
    local tasks = test.queue("contract:tasks")
    local order = { ["do"] = "succeed_at", attempt = 3 }
    local before = test.clock.now()
    local id = tasks:publish(order, nil, { ttl = "3s" })
    test.acked(tasks:drain(), id)
    test.gt(test.clock.now(), before + 3)
  end)
end)

describe("6 order", function()
  able.exactly("order", "is that of publishing with one worker and no failure", function()
    for value = 1, 5 do
      publish("contract:tasks", value)
    end
    eq(answers(test.queue("contract:tasks"):drain()), { 1, 2, 3, 4, 5 })
  end)

  able.it("group", "is strict within a group: a failing message holds the others", function()
    local tasks = test.queue("contract:tasks")
    local first = tasks:publish({ ["do"] = "succeed_at", attempt = 3 }, nil, { group = "a" })
    local second = publish("contract:tasks", 2, { group = "a" })
    local other = publish("contract:tasks", 3, { group = "b" })
    eq(tasks:drain().acked, { other, first, second })
  end)

  local skips = test.driver():can("group") and "group_skip" or "group"
  able.it(skips, "lets the others pass where the queue says skip", function()
    local skipping = test.queue("contract:skipping")
    local first = skipping:publish({ ["do"] = "succeed_at", attempt = 2 }, nil, { group = "a" })
    local second = publish("contract:skipping", 2, { group = "a" })
    eq(skipping:drain().acked, { second, first })
  end)

  able.it("priority", "serves 9 : 3 : 1 when all priorities wait, so that none starves", function()
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
  able.it("dedup", "stores nothing twice within the window", function()
    local tasks = test.queue("contract:tasks")
    publish("contract:tasks", 1, { dedup_key = "k" })
    publish("contract:tasks", 2, { dedup_key = "k" })
    publish("contract:tasks", 3, { dedup_key = "other" })
    local stored = answers(tasks:step(3))
    table.sort(stored)
    eq(stored, { 1, 3 })
  end)

  able.strictly("dedup", "answers the first id within the window", function()
    local tasks = test.queue("contract:tasks")
    local first = publish("contract:tasks", 1, { dedup_key = "k" })
    eq(publish("contract:tasks", 2, { dedup_key = "k" }), first)
    eq(tasks:len(), 1)
    tasks:drain()
    eq(publish("contract:tasks", 3, { dedup_key = "k" }), first)
  end)

  able.strictly("dedup", "answers the first id within a batch", function()
    local options = { dedup_key = "k" }
    local answered = queue.publish_batch("contract:tasks", {
      { body = 1, options = options },
      { body = 2, options = options },
    })
    eq(answered[1].id, answered[2].id)
    eq(test.queue("contract:tasks"):len(), 1)
  end)

  if test.driver():can("dedup") then
    able.patiently("ends with the window", function()
      local first = publish("contract:tasks", 1, { dedup_key = "k" })
      test.clock.advance("5m1s")
      test.neq(publish("contract:tasks", 2, { dedup_key = "k" }), first)
    end)
  end

  for what, row in pairs({
    retries = { order = { ["do"] = "succeed_at", attempt = 2 } },
    interruptions = { order = { ["do"] = "nothing" }, crash = true },
  }) do
    able.it("dedup", "never blocks " .. what, function()
      local tasks = test.queue("contract:tasks")
      local id = tasks:publish(row.order, nil, { dedup_key = "k" })
      if row.crash then
        test.crash_worker()
      end
      test.acked(tasks:drain(), id)
    end)
  end

  able.it("dedup", "never blocks a redrive", function()
    local few = test.queue("contract:few")
    local id = few:publish({ ["do"] = "fail" }, nil, { dedup_key = "k" })
    few:drain()
    eq(few:redrive(), 1)
    test.dead(few:drain(), id)
  end)
end)
