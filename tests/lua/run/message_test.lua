local errors = require("errors")
local message = require("host.run.message")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails
local contains, is_nil = test.contains, test.is_nil

local BODY, RAW = { order = 7 }, '{"order": 7, "note": null}'

--- Runs `handle` on a message as a delivery does, and tells whether the message was settled.
local function deliver(handle)
  message.open(1, BODY, RAW)
  local ok, err = pcall(handle, message.current())
  local settled = message.close()
  if not ok then
    error(err, 0)
  end
  return settled
end

describe("the message of a delivery", function()
  it("has the body that the handler got", function()
    deliver(function(msg)
      test.is(msg:body(), BODY)
      eq(msg:raw(), RAW)
    end)
  end)

  it("is the same object while its handler runs", function()
    deliver(function(msg)
      test.is(message.current(), msg)
    end)
  end)

  it("is gone after its handler", function()
    deliver(function() end)
    is_nil(message.current())
  end)

  it("answers nothing but an error when it is kept", function()
    local kept
    deliver(function(msg)
      kept = msg
    end)
    for _, method in ipairs({ "id", "body", "raw", "attempt", "headers", "ack", "retry" }) do
      local value, err = kept[method](kept)
      is_nil(value)
      eq(err:kind(), errors.INVALID)
      contains(tostring(err), ("msg:%s(): released"):format(method))
    end
  end)

  it("is not revived by the next delivery", function()
    local kept
    deliver(function(msg)
      kept = msg
    end)
    deliver(function()
      local _, err = kept:ack()
      contains(tostring(err), "released")
    end)
  end)

  it("cannot be changed, nor called with a dot", function()
    deliver(function(msg)
      fails("a message cannot be changed", function()
        msg.id = 7
      end)
      fails("msg:ack() is called with a colon", msg.ack)
      fails("msg:header: name: string expected, got nil", msg.header, msg)
    end)
  end)
end)

describe("settling", function()
  for _, case in ipairs({
    { "ack" },
    { "nack", "no answer" },
    { "retry", { delay = "5s", error = "no answer" } },
    { "snooze", { delay = 5 } },
    { "reject", errors.new("card stolen") },
  }) do
    local method, argument = case[1], case[2]
    it(("happens once: %s wins, what comes later is told so"):format(method), function()
      local settled = deliver(function(msg)
        msg[method](msg, argument)
        local ok, err = msg:ack()
        is_nil(ok)
        eq(tostring(err), "msg:ack(): already settled")
        eq(err:kind(), errors.INVALID)
      end)
      eq(settled, true)
    end)
  end

  it("is not reported when the handler did not settle", function()
    eq(deliver(function() end), false)
  end)

  it("starts anew with the next message", function()
    deliver(function(msg)
      msg:ack()
    end)
    eq(deliver(function() end), false)
  end)

  for _, case in ipairs({
    { "snooze", nil, "msg:snooze: option 'delay': string or number expected, got nil" },
    { "snooze", { delay = "soon" }, "msg:snooze: option 'delay': a duration is expected" },
    {
      "snooze",
      { delay = "366d" },
      "msg:snooze: option 'delay': at most 365 days expected, got 366d",
    },
    { "retry", { delay = 1e300 }, "msg:retry: option 'delay': at most 365 days expected" },
    { "retry", { dely = 1 }, "msg:retry: unknown option 'dely', did you mean 'delay'?" },
    { "retry", { delay = -1 }, "msg:retry: option 'delay': a duration is expected" },
    { "retry", 5, "msg:retry: options: table expected, got number" },
  }) do
    local method, options, text = case[1], case[2], case[3]
    it("refuses and settles nothing: " .. text, function()
      local settled = deliver(function(msg)
        fails(text, msg[method], msg, options)
      end)
      eq(settled, false)
    end)
  end
end)
