--- Publishes messages, and tells a handler about the message it is at work on.
---
---     local queue = require("queue")
---     local id, err = queue.publish("app:mail", { to = "ada@example.org" })
---     queue.publish("app:mail", { to = "ada@example.org" }, { source = "shop" }, { delay = "5m" })
---     queue.message():attempt()      --> 1
---     queue.info("app:mail").ready   --> 2
---
--- A queue's bare name will do in its own namespace: in a file of `app`, "mail" is "app:mail".
---
--- What a publisher does wrong is answered as `nil, err` of kind INVALID, and nothing is published;
--- the text names the place, as in `body.items[3].callback is a function`.
local check = require("check")
local errors = require("errors")
local json = require("json")
local lent = require("host.walls.lent")
local message = require("host.run.message")
local bare_names = require("host.walls.bare_names")
local publishing = require("host.run.publishing")

local next, rawget, type = next, rawget, type
local format, unpack = string.format, table.unpack
local encode, decode, put = json.encode, json.decode, publishing.put
local publish, publish_batch = lent.publish, lent.publish_batch
local queue_info, stopping = lent.queue_info, lent.stopping

local queue = {}

---@alias queue.Headers table<string, string|number|boolean>  what is said beside the body

---@class (exact) queue.PublishOptions  when a message is due, and how
---@field id? string                          the message's id (default: a new UUIDv7)
---@field delay? string|number                not before so long from now, at most 365 days
---@field at? string|number                   not before this moment: RFC 3339, or epoch seconds
---@field ttl? string|number                  how long it may wait for its first start
---@field priority? "low"|"normal"|"high"     (default "normal")
---@field dedup_key? string                   a second publish with it answers the first's id
---@field group? string                       messages of a group run one by one, in order

---@class (exact) queue.Publication  one message of a batch
---@field body any  any JSON value but nil
---@field headers? queue.Headers  as of `publish`
---@field options? queue.PublishOptions  as of `publish`

---@class queue.BatchAnswer  what became of one message of a batch: its id, or why it was refused
---@field id? string  of the message that was published
---@field err? errors.Error  why it was not

---@class queue.Info          a number that the broker cannot give is absent
---@field ready? integer  wait and may run
---@field delayed? integer  wait for their time
---@field leased? integer  are taken and have not begun
---@field running? integer  are handled now
---@field dead? integer  are dead letters
---@field message_count? integer  all but the dead
---@field consumer_count? integer  consumers on all hosts
---@field oldest_age? number   seconds

local function invalid(text, ...)
  local words = format(text, ...)
  return nil, errors.new({ kind = errors.INVALID, message = words, retryable = false })
end

--- The id of a message that was handed over, or nil and an error: what the host has to say against
--- the message itself names the place in the script.
local function answered(id, err, where)
  if id or not errors.is(err, errors.INVALID) then
    return id, err
  end
  return nil, errors.wrap(err, where)
end

--- Publishes one message.
---@param queue_id moonq.QueueId                  "namespace:name", or a name of the own namespace
---@param body string|number|boolean|table   any JSON value but nil
---@param headers? queue.Headers           names that begin with `x_` belong to moonq
---@param options? queue.PublishOptions
---@return string|nil id                   the message's id
---@return errors.Error|nil err            INVALID, NOT_FOUND, PERMISSION_DENIED, RATE_LIMITED (the
---                                        queue is full), UNAVAILABLE, TIMEOUT (may be stored)
function queue.publish(queue_id, body, headers, options)
  if type(queue_id) ~= "string" then
    return invalid("queue.publish: queue id: string expected, got %s", check.show(queue_id))
  end
  local id, err
  if headers == nil and options == nil and body ~= nil then
    local is_text = type(body) == "string"
    local text = is_text and body or encode(body)
    if text then
      id, err = publish(queue_id, text, is_text)
      if id then
        return id, nil
      end
      return answered(nil, err, "queue.publish")
    end
  end
  -- Room for two headers: to let it grow costs more than to fill it.
  local parts = { 0, 0, 0, 0, 0, 0, 0, 0 }
  local last, fault = put(parts, 0, body, headers, options)
  if not last then
    return invalid("queue.publish: %s", fault)
  end
  id, err = publish(queue_id, unpack(parts, 1, last))
  return answered(id, err, "queue.publish")
end

---@type check.Spec
local PUBLICATION = {
  body = { type = "string|number|boolean|table|function|userdata|thread" },
  headers = { type = "table" },
  options = { type = "table" },
}

--- Whether `item` is one at a glance; else `check.read` says what is wrong with it.
local function is_publication(item)
  for name, value in next, item do
    if not PUBLICATION[name] or name ~= "body" and type(value) ~= "table" then
      return false
    end
  end
  return true
end

--- Puts one message of a batch behind the first `at` of `parts`; or nil and what is wrong.
local function put_item(parts, at, item)
  if type(item) ~= "table" then
    return nil, format("{ body = … } expected, got %s", check.show(item))
  end
  if is_publication(item) then
    return put(parts, at, rawget(item, "body"), rawget(item, "headers"), rawget(item, "options"))
  end
  local fields, fault = check.read(item, PUBLICATION)
  if not fields then
    return nil, fault
  end
  return put(parts, at, fields.body, fields.headers, fields.options)
end

--- A refusal of the host of the message at `place`, as scripts get it.
local function refusal_of(refused, place)
  local fields = { kind = refused.kind, message = refused.message }
  if type(refused.retryable) == "boolean" then
    fields.retryable = refused.retryable
  end
  local err = errors.new(fields)
  local _, told = answered(nil, err, format("queue.publish_batch: messages[%d]", place))
  return { err = told }
end

--- How many messages cross at once, and arguments for those that are more than bodies: one costs
--- the more the more there are.
local CROSSING, ARGUMENTS = 100, 240

--- Notes the answers of the host for the messages at *places*: see `lends/queue.py`.
local function note(places, answers, refusals, ...)
  if not refusals then
    return nil, (...)
  end
  local ids, refused = { ... }, refusals ~= "" and decode(refusals)
  local next_refusal = 0
  for index = 1, #places do
    local place, id = places[index], ids[index]
    if id ~= "" then
      answers[place] = { id = id }
    else
      next_refusal = next_refusal + 1
      answers[place] = refusal_of(refused[next_refusal], place)
    end
  end
  return true, nil
end

--- Hands over the messages at *places*; answers nil, err where none of them was taken.
local function cross(queue_id, parts, last, places, answers)
  local count = #places
  local are_bare = last == 4 * count
  if are_bare then
    -- Two arguments for each will do.
    for index = 1, count do
      parts[2 * index - 1], parts[2 * index] = parts[4 * index - 3], parts[4 * index - 2]
    end
    last = 2 * count
  end
  return note(places, answers, publish_batch(queue_id, are_bare, unpack(parts, 1, last)))
end

--- What a crossing that failed as a whole means for its messages.
local function refuse(places, err, answers)
  for index = 1, #places do
    answers[places[index]] = { err = err }
  end
end

--- Publishes many messages and answers for each, in their order.
---
---     queue.publish_batch("app:mail", { { body = 1 }, { body = print } })
---     --> { { id = "0190…" }, { err = queue.publish_batch: messages[2]: body is a function, … } }
---@param queue_id moonq.QueueId
---@param messages queue.Publication[]
---@return queue.BatchAnswer[]|nil answers
---@return errors.Error|nil err             as of `publish`; then nothing was published
function queue.publish_batch(queue_id, messages)
  if type(queue_id) ~= "string" then
    return invalid("queue.publish_batch: queue id: string expected, got %s", check.show(queue_id))
  elseif type(messages) ~= "table" then
    return invalid("queue.publish_batch: messages: table expected, got %s", check.show(messages))
  end
  local answers, parts, places = {}, {}, {}
  local crossed, at, count = false, 0, #messages
  for place = 1, count do
    local last, fault = put_item(parts, at, rawget(messages, place))
    if last then
      at, places[#places + 1] = last, place
    else
      local _, err = invalid("queue.publish_batch: messages[%d]: %s", place, fault)
      answers[place] = { err = err }
    end
    local is_full = #places == CROSSING or at >= ARGUMENTS and at > 4 * #places
    if is_full or place == count and at > 0 then
      local ok, err = cross(queue_id, parts, at, places, answers)
      if not ok and not crossed then
        return nil, err
      elseif not ok then
        refuse(places, err, answers)
      end
      crossed, at, places = true, 0, {}
    end
  end
  if not crossed then
    local ok, err = cross(queue_id, {}, 0, {}, answers)
    return ok and answers, err
  end
  return answers, nil
end

--- The message that the running handler was called for.
---@return queue.Message message
---@return errors.Error|nil err   INVALID outside of a handler, where there is no message
---@nodiscard
function queue.message()
  local current = message.current()
  if not current then
    return invalid("queue.message: no message is being handled here")
  end
  return current, nil
end

--- The numbers of a queue.
---@param queue_id moonq.QueueId
---@return queue.Info|nil info
---@return errors.Error|nil err
---@nodiscard
function queue.info(queue_id)
  if type(queue_id) ~= "string" then
    return invalid("queue.info: queue id: string expected, got %s", check.show(queue_id))
  end
  local text, err = queue_info(queue_id)
  if not text then
    return nil, err
  end
  return decode(text)
end

--- Whether the worker is asked to stop: a long handler may then come to an end.
---@return boolean
---@nodiscard
function queue.stopping()
  return stopping() == true
end

bare_names.takes(
  queue,
  { publish = bare_names.first, publish_batch = bare_names.first, info = bare_names.first }
)

return queue
