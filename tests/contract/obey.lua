local funcs = require("funcs")
local queue = require("queue")
local time = require("time")

local obey = {}
--- Messages that this worker has seen, by id.
local seen = {}

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

function obey.retry_once(body)
  local message = queue.message()
  if message:attempt() == 1 then
    return message:retry({ delay = body.delay, error = "later" })
  end
  return message:attempt()
end

function obey.snooze_once(body)
  local message = queue.message()
  if not seen[message:id()] then
    seen[message:id()] = true
    return message:snooze({ delay = body.delay })
  end
  return message:attempt()
end

function obey.reject(body)
  queue.message():reject(body.text)
end

local SETTLE = {
  { "ack" },
  { "nack", "no" },
  { "retry", { delay = 0 } },
  { "snooze", { delay = 0 } },
  { "reject", "no" },
}

--- Settles in one way, then in each: every way but the first answers an error.
function obey.settle_again(body)
  local message = queue.message()
  for _, way in ipairs(SETTLE) do
    if way[1] == body.first then
      message[way[1]](message, way[2])
    end
  end
  local kinds = {}
  for place, way in ipairs(SETTLE) do
    local _, err = message[way[1]](message, way[2])
    kinds[place] = err and err:kind()
  end
  return kinds
end

--- What a message answers that was kept beyond its handler.
function obey.keep()
  local kept = seen.kept
  seen.kept = queue.message()
  if kept then
    local _, err = kept:ack()
    return { err:kind(), err:message() }
  end
end

function obey.outside()
  return queue.message() ~= nil
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

--- Holds on to whatever stops it.
function obey.hold_on()
  while true do
    pcall(obey.spin)
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

function obey.inform(body)
  return queue.info(body.of)
end

function obey.now()
  return time.now()
end

function obey.publish_then_fail(body)
  queue.publish(body.to, body.body)
  return nil, "after it published"
end

function obey.call(body)
  return funcs.call(body.func, body.body)
end

function obey.call_with_id()
  return funcs.call("contract:keep", queue.message():id())
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
