local able = require("able")
local queue = require("queue")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

describe("9 counting", function()
  able.exactly("exact_info", "tells ready, delayed and dead apart", function()
    local few = test.queue("contract:few")
    few:publish({ ["do"] = "reject" })
    few:step()
    few:publish({ ["do"] = "nothing" })
    few:publish({ ["do"] = "nothing" }, nil, { delay = "1m" })
    local info = test.no_error(queue.info("contract:few"))
    test.match(info, { ready = 1, delayed = 1, leased = 0, running = 0, dead = 1 })
    eq(info.message_count, 2)
  end)

  it("never takes a number that nobody can give for zero", function()
    test.queue("contract:tasks"):publish({ ["do"] = "nothing" })
    local info = test.no_error(queue.info("contract:tasks"))
    if info.ready and info.delayed and info.leased and info.running then
      eq(info.message_count, info.ready + info.delayed + info.leased + info.running)
    else
      test.is_nil(info.message_count)
    end
  end)

  able.exactly("exact_info", "counts the one that runs while it runs", function()
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish({ ["do"] = "inform", of = "contract:tasks" })
    local seen = tasks:drain():result(id)
    test.match(seen, { running = 1, ready = 0, message_count = 1 })
  end)

  able.exactly("exact_info", "knows how long the oldest has waited", function()
    local tasks = test.queue("contract:tasks")
    tasks:publish({ ["do"] = "nothing" })
    test.clock.advance("5s")
    able.due(queue.info("contract:tasks").oldest_age, 5)
    tasks:drain()
    test.is_nil(queue.info("contract:tasks").oldest_age)
  end)

  able.exactly("exact_info", "knows who consumes", function()
    eq(queue.info("contract:morgue").consumer_count, 0)
    test.queue("contract:tasks"):drain()
    eq(queue.info("contract:tasks").consumer_count, 1)
  end)
end)

describe("8 stopping", function()
  it("is not asked for while a handler simply runs", function()
    local tasks = test.queue("contract:tasks")
    local id = tasks:publish({ ["do"] = "tell" })
    test.is_false(tasks:drain():result(id).is_stopping)
  end)
end)

describe("7 a consumer", function()
  it("takes what it runs: the rest waits, without an attempt", function()
    local tasks = test.queue("contract:tasks")
    for _ = 1, 3 do
      tasks:publish({ ["do"] = "tell" })
    end
    test.acked(tasks:step(), 1)
    local waiting = tasks:messages()
    eq({ #waiting, waiting[1].attempt, waiting[2].attempt }, { 2, 1, 1 })
    test.acked(tasks:drain(), 2)
  end)
end)
