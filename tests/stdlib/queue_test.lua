local errors = require("errors")
local queue = require("queue")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq
local contains, is_nil = test.contains, test.is_nil

--- Asserts that a call answered an error of this kind, with this text.
local function refused(kind, message, value, err)
  is_nil(value)
  eq(err:kind(), kind)
  contains(tostring(err), message)
end

describe("queue.publish", function()
  for _, case in ipairs({
    { nil, 1, nil, nil, "queue.publish: queue id: string expected, got nil" },
    { "app:none", nil, nil, nil, "queue.publish: body is nil; publish at least {}" },
    { "app:none", { a = { print } }, nil, nil, "queue.publish: body.a[1] is a function" },
    { "app:none", 1, 7, nil, "queue.publish: headers: table expected, got 7" },
    { "app:none", 1, nil, { ttl = "x" }, "queue.publish: option 'ttl': a duration is expected" },
  }) do
    local id, body, headers, options, message = table.unpack(case, 1, 5)
    it("refuses for good: " .. message, function()
      local value, err = queue.publish(id, body, headers, options)
      refused(errors.INVALID, message, value, err)
      eq(err:retryable(), false)
    end)
  end

  it("says that there is no such queue", function()
    refused(errors.NOT_FOUND, "app:none", queue.publish("app:none", { id = 7 }))
    refused(errors.NOT_FOUND, "app:none", queue.publish("app:none", 7, { source = "shop" }))
  end)
end)

describe("a queue with a schema", function()
  it("takes what fits", function()
    test.is_string(queue.publish("contract:shaped", { id = 7, lines = { { cents = 1 } } }))
  end)

  it("refuses what does not, and names the place", function()
    local value, err = queue.publish("contract:shaped", { id = 7, lines = { {}, { cents = "1" } } })
    local message = [[the body does not fit the schema of 'contract:shaped': ]]
      .. [[lines[1].cents: the value is not of type "integer"]]
    refused(errors.INVALID, message, value, err)
    eq(err:retryable(), false)
    eq(#test.queue("contract:shaped"):messages(), 0)
  end)

  it("refuses it with headers and in a batch as well", function()
    local value, err = queue.publish("contract:shaped", {}, { source = "shop" }, { ttl = "1h" })
    refused(errors.INVALID, [["id" is a required property]], value, err)
    local answers = queue.publish_batch("contract:shaped", { { body = { id = 1 } }, { body = 7 } })
    test.is_string(answers[1].id)
    contains(tostring(answers[2].err), 'the value is not of type "object"')
  end)
end)

describe("queue.publish_batch", function()
  it("says that there is no such queue", function()
    refused(errors.NOT_FOUND, "app:none", queue.publish_batch("app:none", { { body = 1 } }))
  end)

  it("refuses what is no list of messages", function()
    refused(errors.INVALID, "messages: table expected, got 7", queue.publish_batch("app:none", 7))
    refused(errors.INVALID, "queue id: string expected", queue.publish_batch(7, {}))
  end)
end)

describe("queue.message", function()
  it("answers an error where no message is being handled", function()
    refused(errors.INVALID, "queue.message: no message is being handled here", queue.message())
  end)
end)

describe("queue.info", function()
  it("refuses what is no id", function()
    refused(errors.INVALID, "queue.info: queue id: string expected, got 7", queue.info(7))
  end)
end)

describe("queue.stopping", function()
  it("is false while nobody stops anything", function()
    eq(queue.stopping(), false)
  end)
end)
