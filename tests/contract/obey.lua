local funcs = require("funcs")
local queue = require("queue")
local time = require("time")

local obey = {}

function obey.nothing() end

function obey.answer(body)
  return body.value
end

--- Returns what JSON has no words for.
obey["return"] = function(body)
  local cycle = {}
  cycle.me = cycle
  local values = { NaN = 0 / 0, ["a function"] = print, ["a cycle"] = cycle }
  if body.what == "bytes" then
    return "text", "\xFF"
  end
  return values[body.what]
end

function obey.date()
  return { os.time(), os.date("!%Y-%m-%d"), math.floor(time.now()) }
end

function obey.deny()
  return false
end

function obey.fail(body)
  return nil, body.text or "no luck"
end

function obey.fault(body)
  return nil, errors.new(body.fault)
end

function obey.raise(body)
  error(body.text or "fell down", 0)
end

function obey.ack_then_fail()
  queue.message():ack()
  return nil, "too late"
end

function obey.nack()
  queue.message():nack("not today")
end

function obey.retry(body)
  queue.message():retry({ delay = body.delay, error = "later" })
end

function obey.snooze(body)
  queue.message():snooze({ delay = body.delay })
end

function obey.reject(body)
  queue.message():reject(body.text)
end

function obey.settle_twice()
  local message = queue.message()
  message:ack()
  local _, err = message:nack()
  return err
end

function obey.spin()
  while true do
    time.sleep("1s")
  end
end

function obey.eat()
  local eaten = {}
  while true do
    eaten[#eaten + 1] = ("x"):rep(1000) .. #eaten
  end
end

function obey.publish(body)
  return queue.publish(body.to, body.body, nil, body.options)
end

function obey.call(body)
  return funcs.call(body.func, body.body)
end

function obey.tell()
  local message = queue.message()
  return {
    id = message:id(),
    attempt = message:attempt(),
    interruptions = message:interruptions(),
    queue = message:queue(),
    headers = message:headers(),
    is_stopping = queue.stopping(),
  }
end

--- Fails until the given attempt.
function obey.succeed_at(body)
  local attempt = queue.message():attempt()
  if attempt < body.attempt then
    return nil, "only attempt " .. attempt
  end
  return attempt
end

return function(body)
  return obey[body["do"]](body)
end
