local able = require("able")
local json = require("json")
local queue = require("queue")
local test = require("test")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

local TASKS = "contract:tasks"

--- Publishes what must be refused, and answers the error; nothing may have been stored.
local function refused(body, headers, options)
  local id, err = queue.publish(TASKS, body, headers, options)
  test.has_error(id, err)
  eq(test.queue(TASKS):len(), 0)
  return err
end

describe("2 publish: the body", function()
  each(
    {
      { what = "a table", body = { id = 1, tags = { "a" } } },
      { what = "a text", body = "hello" },
      { what = "an integer", body = 9007199254740993 },
      { what = "a float", body = 1.0 },
      { what = "false", body = false },
      { what = "null", body = json.null },
    },
    "arrives as it was published: {what}",
    function(row)
      local tasks = test.queue(TASKS)
      tasks:publish(row.body)
      local arrived = tasks:messages()[1].body
      eq(arrived, row.body)
      eq(math.type(arrived), math.type(row.body))
    end
  )

  it("must not be nil", function()
    local err = refused(nil)
    test.error_kind(err, errors.INVALID)
    test.contains(err:message(), "body is nil")
  end)

  local cycle = {}
  cycle.me = { again = cycle }
  each(
    {
      { what = "a function", body = { items = { 1, 2, { callback = print } } }, at = "items[3]" },
      { what = "a cycle", body = cycle, at = "body.me.again" },
      { what = "NaN", body = { rate = 0 / 0 }, at = "body.rate" },
      { what = "infinity", body = { rate = math.huge }, at = "body.rate" },
      { what = "mixed keys", body = { list = { 1, x = 2 } }, at = "body.list" },
      { what = "a sparse list", body = { list = { 1, nil, 3 } }, at = "body.list" },
      { what = "invalid UTF-8", body = { text = "\xFF" }, at = "body.text" },
    },
    "is refused by the place of {what}",
    function(row)
      local err = refused(row.body)
      test.error_kind(err, errors.INVALID)
      test.contains(err:message(), row.at)
    end
  )

  it("is bounded by max_body", function()
    local _, err = queue.publish("contract:limited", ("x"):rep(2000))
    test.error_kind(err, errors.INVALID)
    test.contains(err:message(), "1024")
    local _, headers_too = queue.publish("contract:limited", 1, { a = ("x"):rep(2000) })
    test.error_kind(headers_too, errors.INVALID)
    test.no_error(queue.publish("contract:limited", ("x"):rep(900)))
  end)

  it("is not for a queue that only has the dead letters of another", function()
    local refusal = "takes nothing but the dead letters of 'contract:limited'"
    local id, err = queue.publish("contract:limited.dead", 1)
    test.is_nil(id)
    test.error_kind(err, errors.INVALID)
    test.contains(err:message(), refusal)
    local answers, batch = queue.publish_batch("contract:limited.dead", { { body = 1 } })
    test.is_nil(answers)
    test.contains(batch:message(), refusal)
    eq(test.queue("contract:limited.dead"):len(), 0)
  end)

  it("may be for a queue of dead letters that is declared, and is none of them", function()
    local fragile, morgue = test.queue("contract:fragile"), test.queue("contract:morgue")
    test.no_error(queue.publish("contract:morgue", 1))
    eq(#fragile:dead(), 0)
    eq(morgue:len(), 1)
  end)

  it("is text on a queue with the codec raw, and nothing else", function()
    local raw = test.queue("contract:raw")
    local id = raw:publish("{not json")
    eq(raw:messages()[1].body, "{not json")
    eq(raw:drain():result(id), "{not json")
    test.throws(function()
      raw:publish({ id = 1 })
    end, "must be a string")
  end)
end)

describe("2 publish: headers", function()
  local thirty = {}
  for n = 1, 30 do
    thirty["name_" .. n] = n
  end
  each(
    {
      {
        what = "of every type",
        headers = { source = "shop", n = 3, x = 0.5, ok = true, no = false },
      },
      { what = "great and small numbers", headers = { big = 2 ^ 53 | 0, least = -1, tiny = 1e-9 } },
      { what = "empty and odd texts", headers = { empty = "", ["ä b"] = "ü ✓ \n" } },
      {
        what = "names that brokers have fields for",
        headers = {
          correlation_id = "c-1",
          reply_to = "answers",
          content_type = "application/json",
          message_type = "order",
          source = "shop",
          traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
          tracestate = "a=1",
        },
      },
      { what = "thirty of them", headers = thirty },
    },
    "arrive as they were given: {what}",
    function(row)
      local tasks = test.queue(TASKS)
      local id = tasks:publish({ ["do"] = "tell" }, row.headers)
      eq(tasks:messages()[1].headers, row.headers)
      eq(tasks:drain():result(id).headers, row.headers)
    end
  )

  each(
    {
      { what = "names of moonq's own", headers = { x_mine = "1" } },
      { what = "values that are tables", headers = { list = {} } },
      { what = "names that are no text", headers = { "first" } },
    },
    "may not have {what}",
    function(row)
      test.error_kind(refused(1, row.headers), errors.INVALID)
    end
  )
end)

describe("2 publish: the answer", function()
  it("is an id that grows with time", function()
    local first = queue.publish(TASKS, 1)
    test.clock.advance("1s")
    local second = queue.publish(TASKS, 2)
    test.matches(first, "^%x+%-%x+%-7%x+%-%x+%-%x+$")
    test.gt(second, first)
  end)

  it("is the caller's own id where there is one", function()
    local tasks = test.queue(TASKS)
    eq(queue.publish(TASKS, { ["do"] = "tell" }, nil, { id = "order-7" }), "order-7")
    eq(tasks:drain():result("order-7").id, "order-7")
  end)

  it("is the same id at every delivery, and in the dead letter", function()
    local few, ids = test.queue("contract:few"), {}
    test.stub("funcs", "call", function(_, told)
      ids[#ids + 1] = told
      return nil, "again"
    end)
    local id = few:publish({ ["do"] = "call_with_id" })
    few:drain()
    eq(ids, { id, id, id })
    eq(few:dead()[1].id, id)
  end)

  it("is NOT_FOUND for a queue that does not exist", function()
    local id, err = queue.publish("contract:tsaks", 1)
    test.is_nil(id)
    test.error_kind(err, errors.NOT_FOUND)
    test.contains(err:message(), TASKS)
  end)

  it("is UNAVAILABLE, and retryable, while the broker is away", function()
    test.broker_down("2s")
    local err = refused(1)
    test.error_kind(err, errors.UNAVAILABLE)
    test.retryable(err)
    test.clock.advance("2s")
    test.no_error(queue.publish(TASKS, 1))
  end)

  each(
    {
      { option = "dely", value = 1 },
      { option = "delay", value = "soon" },
      { option = "delay", value = "366d" },
      { option = "priority", value = "urgent" },
      { option = "ttl", value = 0 },
      { option = "id", value = "" },
    },
    "is INVALID for the option {option} = {value}",
    function(row)
      local err = refused(1, nil, { [row.option] = row.value })
      test.error_kind(err, errors.INVALID)
      test.contains(err:message(), row.option)
    end
  )

  each(
    {
      { headers = { x_a = 1 }, says = "headers: 'x_a': names that begin with x_ belong to moonq" },
      { headers = { a = {} }, says = "headers: 'a': string, number or boolean expected, got" },
      { headers = { c = {}, d = {}, b = {} }, says = "headers: 'b': string, number or boolean" },
      { headers = { "a" }, says = "headers: names and values expected, got a list" },
      { options = { "a", true }, says = "options: names and values expected, got a list" },
      { options = { dely = 1 }, says = "unknown option 'dely', did you mean 'delay'?" },
      { options = { delay = -1 }, says = "option 'delay': a duration is expected" },
      { options = { delay = {} }, says = "option 'delay': a duration is expected" },
      {
        options = { delay = "366d" },
        says = "option 'delay': at most 365 days expected, got 366d",
      },
      { options = { ttl = 0 }, says = "option 'ttl': more than 0 seconds expected" },
      { options = { ttl = "0s" }, says = "option 'ttl': more than 0 seconds expected" },
      { options = { at = -1 }, says = "option 'at': seconds since 1970 expected" },
      { options = { at = 9e10 }, says = "option 'at': at most 365 days expected, got" },
      { options = { delay = 1, at = 1 }, says = "options 'delay' and 'at' both say when" },
      { options = { priority = "hihg" }, says = "option 'priority': one of low, normal, high" },
      { options = { priority = 9 }, says = "option 'priority': string expected, got number" },
      { options = { id = "" }, says = "option 'id': 1 to 255 bytes expected, got 0" },
      {
        options = { id = ("ü"):rep(128) },
        says = "option 'id': 1 to 255 bytes expected, got 256",
      },
      { options = { group = ("x"):rep(256) }, says = "option 'group': 1 to 255 bytes expected" },
      { options = { dedup_key = 7 }, says = "option 'dedup_key': string expected, got number" },
    },
    "is the same alone and in a batch: {says}",
    function(row)
      local err = refused(1, row.headers, row.options)
      test.error_kind(err, errors.INVALID)
      test.contains(err:message(), "queue.publish: " .. row.says)
      eq(err:retryable(), false)
      local batch = { { body = 1, headers = row.headers, options = row.options } }
      local answers = queue.publish_batch(TASKS, batch)
      test.error_kind(answers[1].err, errors.INVALID)
      test.contains(answers[1].err:message(), "queue.publish_batch: messages[1]: " .. row.says)
      eq(answers[1].err:retryable(), false)
    end
  )

  it("takes names of 255 bytes", function()
    local options = { id = ("ü"):rep(127) .. "x" }
    eq(queue.publish(TASKS, 1, nil, options), options.id)
  end)

  able.it("delay", "takes a delay of 365 days, or of what the driver says is the most", function()
    local id, err = queue.publish(TASKS, 1, nil, { delay = "365d" })
    if not id then
      test.error_kind(err, errors.INVALID)
      test.contains(err:message(), "days")
    end
  end)

  it("is one for each message of a batch", function()
    local answers = queue.publish_batch(TASKS, { { body = 1 }, { body = print }, { body = 3 } })
    eq(#answers, 3)
    test.is_string(answers[1].id)
    test.error_kind(answers[2].err, errors.INVALID)
    local ids = {}
    for place, message in ipairs(test.queue(TASKS):messages()) do
      ids[place] = message.id
    end
    eq(ids, { answers[1].id, answers[3].id })
  end)

  it("keeps to its place however long the batch is, and whatever is refused in it", function()
    local messages = {}
    for n = 1, 250 do
      messages[n] = { body = n % 50 == 0 and print or n, headers = { n = n } }
    end
    local answers = queue.publish_batch(TASKS, messages)
    eq(#answers, 250)
    local bodies = {}
    for _, message in ipairs(test.queue(TASKS):messages()) do
      bodies[message.id] = message.body
    end
    for n = 1, 250 do
      if n % 50 == 0 then
        test.error_kind(answers[n].err, errors.INVALID)
      else
        eq(bodies[answers[n].id], n)
      end
    end
  end)

  it("tells texts, headers and bodies of a batch apart, and keeps their order", function()
    local messages, wanted = {}, {}
    for n = 1, 250 do
      local body = n % 3 == 0 and "text " .. n or n
      messages[n] = { body = body, headers = n % 7 == 0 and { n = n, of = "batch" } or nil }
      wanted[n] = { body, messages[n].headers or {} }
    end
    for _, last in ipairs({ 6, 250 }) do
      local answers = queue.publish_batch(TASKS, table.move(messages, 1, last, 1, {}))
      local found = {}
      for _, message in ipairs(test.queue(TASKS):messages()) do
        found[message.id] = { message.body, message.headers }
      end
      for n = 1, last do
        eq(found[answers[n].id], wanted[n])
      end
    end
  end)

  it("publishes nothing of a batch whose queue does not exist", function()
    local answers, err = queue.publish_batch("contract:none", { { body = 1 } })
    eq(answers, nil)
    test.error_kind(err, errors.NOT_FOUND)
  end)
end)
