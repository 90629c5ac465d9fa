--- The handle of a test on one queue: publishes, looks, and lets its consumers run.
---
---     local orders = queue_under_test.open("app:orders")
---     orders:publish({ id = 1 })
---     orders:drain().acked  --> { "0190…" }
local check = require("check")
local durations = require("host.run.durations")
local errors = require("errors")
local failure = require("host.test.failure")
local json = require("json")
local lent = require("host.walls.lent")
local lock = require("host.walls.lock")
local publishing = require("host.run.publishing")
local refusal = require("host.test.refusal")
local run_record = require("host.test.run_record")

local error, ipairs, rawget, setmetatable = error, ipairs, rawget, setmetatable
local concat, format, math_type, sort = table.concat, string.format, math.type, table.sort
local unpack = table.unpack

local queue_under_test = {}

--- Called with everything that a run answers, before the test gets it.
---@type fun(...): ...
function queue_under_test.settle(...)
  return ...
end

---@class testing.Message       a message that waits, as `messages` and `dead` show it
---@field id string  as `publish` answered it
---@field body any              nil where it is no JSON; then `text` has it
---@field text string           as it was published
---@field headers table<string, string|number|boolean>  as they were published
---@field state "ready"|"delayed"|"leased"|"running"  of one that waits
---@field attempt integer  how often it has run
---@field interruptions integer  how often its process died
---@field published_at number  epoch seconds
---@field due? number           seconds until it may run, of a delayed one
---@field reason? string        why it is dead
---@field error? errors.Error   what its last attempt failed with
---@field errors testing.Failure[]  what its attempts failed with, the last ten

---@class testing.Failure  what one attempt failed with
---@field time number  epoch seconds
---@field kind string  of the error
---@field message string  of the error
---@field traceback string  where it arose

---@class testing.Queue  a queue of the project, as a test looks at it
---@field id string  of its entry
local Queue = {}
local NAME = "test.queue"
local meta = lock.metatable({ __index = Queue, __name = NAME }, NAME)

--- The handle on a queue; raises where there is none.
---@param id string
---@return testing.Queue
---@nodiscard
function queue_under_test.open(id)
  local known = refusal.check(lent.test_queue(id))
  return setmetatable({ id = known }, meta)
end

local function id_of(self, method)
  if not lock.is_of(self, meta) then
    error(format("queue:%s() is called with a colon", method), 3)
  end
  return rawget(self, "id")
end

--- Publishes one message; raises what a publisher would get as an error.
---@param body any
---@param headers? table<string, string|number|boolean>
---@param options? queue.PublishOptions
---@return string id
function Queue:publish(body, headers, options)
  local id = id_of(self, "publish")
  local parts = {}
  local last, fault = publishing.put(parts, 0, body, headers, options)
  if not last then
    refusal.raise("queue:publish: " .. fault)
  end
  return (refusal.check(lent.publish(id, unpack(parts, 1, last))))
end

--- Puts bytes on the queue as another program might: they need not be JSON, nor fit the schema.
---@param text string
---@param headers? table<string, string|number|boolean>
---@return string id
function Queue:publish_raw(text, headers)
  local id = id_of(self, "publish_raw")
  check.argument("queue:publish_raw", "text", text, "string")
  local given, fault = publishing.headers(headers)
  if not given then
    refusal.raise("queue:publish_raw: " .. fault)
  end
  return (refusal.check(lent.test_publish_raw(id, text, given)))
end

--- A message as the host tells of it, with its body read and its last error made one.
local function message_of(known)
  known.body = run_record.body(known)
  local last = known.errors[#known.errors]
  if last then
    local is_kind = errors[last.kind] == last.kind
    known.error = errors.new({
      message = last.message,
      kind = is_kind and last.kind or errors.UNKNOWN,
    })
  end
  return known
end

local function look(id, which)
  local found = json.decode(refusal.check(lent.test_messages(id, which)))
  for _, known in ipairs(found) do
    message_of(known)
  end
  return found
end

--- Everything in the queue, in the order of delivery; what is delayed stands last.
---@return testing.Message[]
---@nodiscard
function Queue:messages()
  return look(id_of(self, "messages"), "all")
end

--- Those that wait for their time.
---@return testing.Message[]
---@nodiscard
function Queue:delayed()
  return look(id_of(self, "delayed"), "delayed")
end

--- The dead letters of this queue.
---@return testing.Message[]
---@nodiscard
function Queue:dead()
  return look(id_of(self, "dead"), "dead")
end

--- How many messages it holds.
---@return integer
---@nodiscard
function Queue:len()
  return #look(id_of(self, "len"), "all")
end

--- Drops every message that waits.
---@return integer dropped
function Queue:clear()
  return (refusal.check(lent.test_clear(id_of(self, "clear"))))
end

--- Gives the dead letters of this queue another life.
---@return integer moved
function Queue:redrive()
  return (refusal.check(lent.test_redrive(id_of(self, "redrive"))))
end

---@class (exact) testing.DrainOptions  how far consumers run
---@field max? integer           deliveries at most (default 1000)
---@field within? string|number  virtual time at most (default: until nothing is left to come)

local DRAIN = {
  max = { type = "number", default = 1000, min = 1 },
  within = { type = "string|number" },
}

local function drain_options(options, where)
  local fields, fault = check.read(options or {}, DRAIN)
  local within
  if fields and fields.within ~= nil then
    within, fault = durations.parse(fields.within)
    fault = fault and "option 'within': " .. fault
  end
  if not fields or fault then
    refusal.raise(where .. ": " .. fault)
  end
  return fields.max, within
end

local function told(text, err)
  return queue_under_test.settle(run_record.new((json.decode(refusal.check(text, err)))))
end

--- That a run had no end, with the queues that are not empty.
local function endless(run, most)
  local ids = run.left
  sort(ids)
  local words = "%s is not idle after %d deliveries; is a handler publishing to its own queue?"
  if #ids > 1 then
    words = "%s are not idle after %d deliveries; are handlers publishing to each other's queues?"
  end
  failure.raise({ code = "T705", text = format(words, concat(ids, ", "), most) })
end

--- Lets consumers run until there is nothing left to do.
local function drain(id, options, where)
  local most, within = drain_options(options, where)
  local run = told(lent.test_drain(id, most, within or -1))
  if #run.left > 0 then
    endless(run, most)
  end
  return run
end

--- Lets all consumers of the project run until there is nothing left to do in any queue that has
--- one, in virtual time: as `queue:drain` for all of them together.
---@param options? testing.DrainOptions
---@return testing.Run
function queue_under_test.drain_all(options)
  return drain("", options, "test.drain")
end

--- Lets the consumers of this queue run until there is nothing left to do, in virtual time: the
--- clock jumps over delays and backoff.
---@param options? testing.DrainOptions
---@return testing.Run
function Queue:drain(options)
  return drain(id_of(self, "drain"), options, "queue:drain")
end

--- Lets the consumers of this queue run so many deliveries, or fewer when no more come.
---@param deliveries? integer  (default 1)
---@return testing.Run
function Queue:step(deliveries)
  local id = id_of(self, "step")
  local count = deliveries == nil and 1 or deliveries
  if math_type(count) ~= "integer" or count < 1 then
    refusal.raise("queue:step: a whole number above 0 expected, got " .. check.show(count))
  end
  return told(lent.test_step(id, count))
end

return queue_under_test
