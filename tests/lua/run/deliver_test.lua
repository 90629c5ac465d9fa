local deliver = require("host.run.deliver")
local errors = require("errors")
local limits = require("host.walls.limits")
local queue = require("queue")
local test = require("test")
local time = require("time")
local trace = require("host.walls.trace")

local describe, it, each, eq = test.describe, test.it, test.each, test.eq

local FAILED, SETTLED, DECODE, MEMORY = 1, 2, 3, 4

--- What became of one message.
local function outcome(handler, body)
  local done, index, code, kind, text, retryable = deliver.run(handler, true, body or "1")
  eq(done, 1)
  return index and { code = code, kind = kind, text = text, retryable = retryable }
end

local function returning(...)
  local values = table.pack(...)
  return function()
    return table.unpack(values, 1, values.n)
  end
end

describe("deliver.run", function()
  it("tells for how long an error wants to wait", function()
    local err = errors.new({ message = "busy", delay = 7 })
    local found = table.pack(deliver.run(returning(nil, err), true, "1"))
    eq({ found[5], found[8], found.n }, { "busy", 7, 8 })
  end)

  it("gives the decoded body to the handler", function()
    local seen
    deliver.run(function(body)
      seen = body
    end, true, '{"id":[1,2.0]}')
    eq(seen, { id = { 1, 2.0 } })
  end)

  it("gives the bytes where the codec is raw", function()
    local seen
    deliver.run(function(body)
      seen = body
    end, false, '{"id":')
    eq(seen, '{"id":')
  end)

  each(
    {
      { what = "nothing", n = 0 },
      { what = "nil", n = 1 },
      { what = "true", true, n = 1 },
      { what = "a table", {}, n = 1 },
      { what = "a value and an error", 1, "no", n = 2 },
    },
    "is content with {what}",
    function(row)
      test.is_nil(outcome(returning(table.unpack(row, 1, row.n))))
    end
  )

  it("reports false, nil and an error, and what is raised", function()
    eq(outcome(returning(false)), {
      code = FAILED,
      kind = "UNKNOWN",
      text = "the handler returned false",
    })
    eq(outcome(returning(nil, "no luck")), { code = FAILED, kind = "UNKNOWN", text = "no luck" })
    local err = errors.new({ kind = "INVALID", message = "no", retryable = false })
    eq(outcome(returning(nil, err)), {
      code = FAILED,
      kind = "INVALID",
      text = "no",
      retryable = false,
    })
    local raised = outcome(function()
      error("fell down", 0)
    end)
    eq(raised, { code = FAILED, kind = "UNKNOWN", text = "fell down" })
  end)

  it("tells where an error was raised", function()
    local stack = select(
      7,
      deliver.run(function()
        error("here")
      end, true, "1")
    )
    test.contains(stack, "deliver_test.lua")
  end)

  it("does not call the handler with a body that is no JSON", function()
    local called = false
    local found = outcome(function()
      called = true
    end, '{"id":')
    eq({ called, found.code, found.kind }, { false, DECODE, "INVALID" })
  end)

  it("knows a broken memory limit, whoever caught it", function()
    eq(
      outcome(function()
        error(limits.EXCEEDED, 0)
      end).code,
      MEMORY
    )
  end)

  it("runs several messages and reports those that were not simply done", function()
    local done, first, code, _, text, _, _, _, second = deliver.run(function(number)
      if number % 2 == 0 then
        return nil, "even " .. number
      end
    end, true, "1", "2", "3", "4", "5")
    eq({ done, first, code, text, second }, { 5, 2, FAILED, "even 2", 4 })
  end)

  it("tells once more what it has answered, for a host that could not hear it", function()
    local function odd(number)
      return number % 2 == 0
    end
    local answer = table.pack(deliver.run(odd, true, "1", "2", "3"))
    eq(table.pack(deliver.progress()), answer)
    eq(answer.n, 15)
    answer = table.pack(deliver.run(odd, true, "1"))
    eq(table.pack(deliver.progress()), answer)
  end)

  it("says of a message that its handler settled nothing but that", function()
    local found = outcome(function()
      queue.message():ack()
      return nil, "too late"
    end)
    eq(found, { code = SETTLED })
  end)

  it("is not impressed by waits of the past", function()
    limits.note_wait()
    eq(deliver.run(function() end, true, "1", "2"), 2)
  end)

  it("leaves no trace of an error behind", function()
    outcome(function()
      error("lost")
    end)
    eq(trace.last(), "")
  end)

  it("leaves the rest to others when one takes its time", function()
    eq(
      deliver.run(function()
        time.sleep("1s")
      end, true, "1", "2", "3"),
      1
    )
  end)

  it("has a message while the handler runs, and none afterwards", function()
    local inside, kept
    deliver.run(function()
      kept = queue.message()
      inside = kept:body()
    end, true, '"hello"')
    eq(inside, "hello")
    test.is_nil((queue.message()))
    local _, err = kept:body()
    test.contains(err:message(), "released")
  end)
end)
