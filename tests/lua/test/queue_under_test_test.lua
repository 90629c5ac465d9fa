local json = require("json")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

local function answer(value)
  return { ["do"] = "answer", value = value }
end

describe("test.queue", function()
  it("takes a bare name where only one queue has it", function()
    eq(test.queue("tasks").id, "contract:tasks")
    eq(test.queue("contract:few.dead").id, "contract:few.dead")
  end)

  it("raises for a queue that does not exist", function()
    fails("no entry 'contract:tsaks'", test.queue, "contract:tsaks")
  end)
end)

describe("queue:publish", function()
  it("takes headers and options", function()
    local tasks = test.queue("tasks")
    local id = tasks:publish(answer(1), { source = "shop" }, { id = "mine", delay = "5m" })
    eq(id, "mine")
    test.match(tasks:messages()[1], {
      id = "mine",
      headers = { source = "shop" },
      state = "delayed",
      due = 300,
      attempt = 1,
      interruptions = 0,
      published_at = test.clock.now(),
    })
  end)

  it("raises what a publisher would be told", function()
    fails("queue:publish: body is nil", function()
      test.queue("tasks"):publish(nil)
    end)
    fails("holds 2 messages", function()
      for _ = 1, 3 do
        test.queue("small"):publish(1)
      end
    end)
  end)
end)

describe("queue:publish_raw", function()
  it("takes bytes as they are, with headers", function()
    local tasks = test.queue("tasks")
    tasks:publish_raw('{"do":  "answer"}', { signature = "s" })
    test.match(tasks:messages()[1], {
      text = '{"do":  "answer"}',
      headers = { signature = "s" },
    })
    fails("queue:publish_raw: headers", function()
      tasks:publish_raw("{}", { at = print })
    end)
  end)
end)

describe("queue:messages, delayed, len and clear", function()
  it("look without changing anything", function()
    local tasks = test.queue("tasks")
    tasks:publish(answer(1))
    tasks:publish(answer(2), nil, { delay = "1m" })
    for _ = 1, 2 do
      eq({ tasks:len(), #tasks:messages(), #tasks:delayed() }, { 2, 2, 1 })
    end
    eq({ tasks:messages()[1].state, tasks:messages()[2].state }, { "ready", "delayed" })
    eq(json.decode(tasks:messages()[1].text), answer(1))
    eq({ tasks:clear(), tasks:len() }, { 2, 0 })
  end)
end)

describe("queue:step", function()
  it("delivers one, or as many as it is told", function()
    local tasks = test.queue("tasks")
    for value = 1, 4 do
      tasks:publish(answer(value))
    end
    eq(tasks:step().deliveries, 1)
    eq(tasks:step(2).deliveries, 2)
    eq(tasks:step(5).deliveries, 1)
    eq(tasks:step().deliveries, 0)
  end)

  it("jumps over waits as drain does", function()
    local tasks = test.queue("tasks")
    tasks:publish(answer(1), nil, { delay = "1h" })
    test.acked(tasks:step(), 1)
    eq(test.clock.now() - 1767225600, 3600)
  end)

  it("wants a number", function()
    for _, wrong in ipairs({ 0, -1, 1.5, "2" }) do
      fails("a whole number above 0 expected", function()
        test.queue("tasks"):step(wrong)
      end)
    end
  end)
end)

describe("queue:drain", function()
  it("runs the consumers of this queue and leaves other queues alone", function()
    local tasks, few = test.queue("tasks"), test.queue("few")
    tasks:publish({ ["do"] = "publish", to = "contract:few", body = answer(1) })
    local run = tasks:drain()
    test.published(run, "contract:few", answer(1))
    eq(few:len(), 1)
    test.acked(few:drain(), 1)
  end)

  it("stops after a while when it is told to", function()
    local tasks = test.queue("tasks")
    tasks:publish(answer(1), nil, { delay = "2h" })
    eq(tasks:drain({ within = "1h" }).deliveries, 0)
    eq(test.clock.now() - 1767225600, 3600)
    eq(tasks:drain({ within = "1h" }).deliveries, 1)
  end)

  it("is done at the number of deliveries that it may make", function()
    local tasks = test.queue("tasks")
    tasks:publish(answer(1))
    tasks:publish(answer(2))
    eq(tasks:drain({ max = 2 }).deliveries, 2)
    tasks:publish(answer(1))
    tasks:publish(answer(2))
    fails("not idle after 1 deliveries", function()
      tasks:drain({ max = 1 })
    end)
  end)

  it("needs a consumer", function()
    fails("no consumer serves contract:morgue", function()
      test.queue("morgue"):drain()
    end)
  end)

  it("knows its options", function()
    local tasks = test.queue("tasks")
    for wrong, says in pairs({ mx = "did you mean 'max'", within = "option 'within'" }) do
      fails(says, function()
        tasks:drain({ [wrong] = "soon" })
      end)
    end
  end)
end)

describe("a handle", function()
  it("wants a colon", function()
    local tasks = test.queue("tasks")
    fails("queue:len() is called with a colon", tasks.len)
    fails("queue:drain() is called with a colon", tasks.drain)
  end)
end)
