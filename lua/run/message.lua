--- The message that a handler is at work on.
---
--- `deliver` opens it before the handler and closes it afterwards; opening only stores the body,
--- because most handlers never ask for more. What a script asks for is fetched from the host then.
---
---     message.open(1, body, bytes)
---     message.current():attempt() --> 1
---     message.close()             --> false: the handler has not settled it
local check = require("check")
local errors = require("errors")
local lazy = require("host.walls.lazy")
local lent = require("host.walls.lent")
local lock = require("host.walls.lock")

local error, next, rawequal = error, next, rawequal
local setmetatable, format, sub = setmetatable, string.format, string.sub
local durations, json = lazy("host.run.durations"), lazy("json")
local settle_early, fetch = lent.settle, lent.message

local message = {}

-- The open delivery. `object` is what scripts hold; one that is kept longer is not it any more.
local number, settled, object = 0, false, nil
local body, raw
--- What the host knows of it, once a script has asked.
---@type table<string, any>?
local known

--- The longest reason that crosses to the host.
local MAX_REASON = 8192
--- Told to the host where the script names no delay: the queue's policy knows one.
local NO_DELAY = -1.0

local function invalid(text, ...)
  return nil, errors.new({ kind = errors.INVALID, message = format(text, ...) })
end

---@class queue.Message  the message that a handler is at work on, for as long as it is
local methods = {}

-- Also the answer of `getmetatable`, so that scripts cannot reach the real one.
local NAME = "message"
local Message = lock.metatable({
  __index = methods,
  __name = NAME,
  __newindex = function()
    error("a message cannot be changed; publish a new one", 2)
  end,
}, NAME)

--- Whether it is the open message; nil and an error when it was kept beyond its handler.
local function held(self, method)
  if not lock.is_of(self, Message) then
    error(format("msg:%s() is called with a colon, on what queue.message() answers", method), 3)
  elseif not rawequal(self, object) then
    return invalid("msg:%s(): released: the handler of this message has ended", method)
  end
  return true, nil
end

--- One of the fields that the host knows.
local function field(name)
  known = known or json.decode(fetch(number))
  return known[name]
end

--- The id, the same on every driver, in every redelivery and in the dead letter.
---@return string id
---@return errors.Error|nil err   INVALID when the handler has ended: then all methods answer nil
---                               and that
function methods:id()
  local ok, err = held(self, "id")
  return ok and field("id"), err
end

--- The body, as the handler got it: a field that is null is absent, a null in a list `json.null`.
---@return any body
---@return errors.Error|nil err
function methods:body()
  local ok, err = held(self, "body")
  if not ok then
    return nil, err
  end
  return body, nil
end

--- The bytes of the body, as they were published: `json.decode` reads them with every null.
---@return string bytes
---@return errors.Error|nil err
function methods:raw()
  local ok, err = held(self, "raw")
  return ok and raw, err
end

--- The value of a header, nil when there is none.
---@param name string
---@return string|number|boolean|nil value
---@return errors.Error|nil err
function methods:header(name)
  local ok, err = held(self, "header")
  if not ok then
    return nil, err
  end
  check.argument("msg:header", "name", name, "string")
  return field("headers")[name], nil
end

--- All headers, in a table of your own.
---@return table<string, string|number|boolean> headers
---@return errors.Error|nil err
function methods:headers()
  local ok, err = held(self, "headers")
  if not ok then
    return nil, err
  end
  local copy = {}
  for name, value in next, field("headers") do
    copy[name] = value
  end
  return copy, nil
end

--- Which attempt this is: 1 for the first run. Counts failures only.
---@return integer attempt
---@return errors.Error|nil err
function methods:attempt()
  local ok, err = held(self, "attempt")
  return ok and field("attempt"), err
end

--- How often the message was lost with its worker: leases that ended without an outcome.
---@return integer interruptions
---@return errors.Error|nil err
function methods:interruptions()
  local ok, err = held(self, "interruptions")
  return ok and field("interruptions"), err
end

--- The id of the queue that it came from.
---@return string queue_id
---@return errors.Error|nil err
function methods:queue()
  local ok, err = held(self, "queue")
  return ok and field("queue"), err
end

--- When it was published, in seconds since the epoch.
---@return number published_at
---@return errors.Error|nil err
function methods:published_at()
  local ok, err = held(self, "published_at")
  return ok and field("published_at"), err
end

--- Settles the open message: the first call wins.
local function settle(action, delay, reason)
  if settled then
    return invalid("msg:%s(): already settled", action)
  end
  settled = true
  local done, err = settle_early(number, action, delay, sub(reason, 1, MAX_REASON))
  if done then
    return true, nil
  end
  local text = format("msg:%s(): already settled, or its lease was over", action)
  return nil, err or errors.new({ kind = errors.CONFLICT, message = text })
end

--- The text of what a script gives as an error, "" for nothing.
local function reason_of(value)
  local err = errors.from(value)
  return err and err:message() or ""
end

--- Done: the message is gone, whatever the handler still does.
---@return true|nil ok
---@return errors.Error|nil err   INVALID when it is settled already
function methods:ack()
  local ok, err = held(self, "ack")
  if not ok then
    return nil, err
  end
  return settle("ack", NO_DELAY, "")
end

--- Failed: tried again as the queue's policy says.
---@param reason? any             an error or a text
---@return true|nil ok
---@return errors.Error|nil err
function methods:nack(reason)
  local ok, err = held(self, "nack")
  if not ok then
    return nil, err
  end
  return settle("nack", NO_DELAY, reason_of(reason))
end

---@class (exact) queue.RetryOptions  how a message is tried again
---@field delay? string|number    how long to wait, at most 365 days (default: as the queue's policy
---                               says, which still decides whether it is tried again)
---@field error? any              why, an error or a text

---@class (exact) queue.SnoozeOptions  how long a message rests
---@field delay string|number     how long to wait, at most 365 days

local RETRY = {
  delay = { type = "string|number" },
  error = { type = "string|table" },
}
local SNOOZE = { delay = { type = "string|number", required = true } }

--- The options of a settling method and the delay among them in seconds; raises about mistakes.
local function delayed(where, options, spec)
  local fields, fault = check.read(options, spec)
  local delay = NO_DELAY
  if fields and fields.delay ~= nil then
    delay, fault = durations.parse(fields.delay)
    if delay and delay > durations.MAX_DELAY then
      fault = "at most 365 days expected, got " .. durations.show(delay)
    end
    fault = fault and "option 'delay': " .. fault
  end
  if fault then
    error(format("msg:%s: %s", where, fault), 3)
  end
  return fields, delay
end

--- Failed: tried again after a delay of your own.
---@param options? queue.RetryOptions
---@return true|nil ok
---@return errors.Error|nil err
function methods:retry(options)
  local ok, err = held(self, "retry")
  if not ok then
    return nil, err
  end
  local fields, delay = delayed("retry", options, RETRY)
  return settle("retry", delay, reason_of(fields.error))
end

--- Not now: comes back after the delay and spends no attempt.
---@param options queue.SnoozeOptions
---@return true|nil ok
---@return errors.Error|nil err
function methods:snooze(options)
  local ok, err = held(self, "snooze")
  if not ok then
    return nil, err
  end
  local _, delay = delayed("snooze", options, SNOOZE)
  return settle("snooze", delay, "")
end

--- Never again: to the dead letters at once.
---@param reason? any             an error or a text, shown with the dead letter
---@return true|nil ok
---@return errors.Error|nil err
function methods:reject(reason)
  local ok, err = held(self, "reject")
  if not ok then
    return nil, err
  end
  return settle("reject", NO_DELAY, reason_of(reason))
end

--- The message that a handler is at work on.
---@return queue.Message|nil
function message.current()
  if number > 0 and not object then
    object = setmetatable({}, Message)
  end
  return object
end

--- Its number in the running call, 0 outside of a handler: the host knows it by that.
---@return integer
function message.number()
  return number
end

--- Begins a delivery.
---@param new_number integer  which message of the running call it is, from 1
---@param new_body any        as the handler gets it
---@param new_raw string      as it was published
function message.open(new_number, new_body, new_raw)
  number, body, raw = new_number, new_body, new_raw
end

--- Ends the delivery; nothing of it stays.
---@return boolean settled   whether the handler has settled it
function message.close()
  local was_settled = settled
  number, settled, object, known, body, raw = 0, false, nil, nil, nil, nil
  return was_settled
end

return message
