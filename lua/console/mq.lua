--- What a session may do to its host: looking, operating, and what destroys messages.
---
---     mq.queues()                                    --> { { id = "app:orders", ready = 3, … } }
---     mq.peek("orders", { limit = 2 }).messages[1]   --> { id = "0190…", body = { … }, … }
---     mq.dead.retry("orders", { error = "a41", confirm = "app:orders" })
---
--- Every function answers plain data, or `nil, err`. Whatever takes messages away wants the full id
--- of its queue as `confirm`; a read-only session is told so by the host.
local check = require("check")
local json = require("json")
local lent = require("host.walls.lent")

local next, type = next, type

local mq = { dead = {} }

local function ask(kind, fields)
  local text, fault = json.encode(fields, { name = kind })
  if not text then
    return nil, fault
  end
  local answer, err = lent.operate(kind, text)
  if not answer then
    return nil, err
  end
  return json.decode(answer)
end

local function with(options, name, fields)
  if options ~= nil then
    check.argument(name, "options", options, "table")
    for key, value in next, options do
      fields[key] = value
    end
  end
  return fields
end

local function list_of(kind, fields)
  local answer, err = ask(kind, fields or {})
  return answer and answer[kind], err
end

--- The process: project, pid, uptime, what was done, its services.
---@return table|nil status
---@return errors.Error|nil err
---@nodiscard
function mq.status()
  return ask("status", {})
end

--- Every queue with its numbers and rates.
---@return table[]|nil queues
---@return errors.Error|nil err
---@nodiscard
function mq.queues()
  return list_of("queues")
end

--- Every consumer with its state, workers and counts.
---@return table[]|nil consumers
---@return errors.Error|nil err
---@nodiscard
function mq.consumers()
  return list_of("consumers")
end

--- The entries whose id or name fits.
---@param pattern? string  such as "app:*"
---@return table[]|nil entries
---@return errors.Error|nil err
---@nodiscard
function mq.entries(pattern)
  return list_of("entries", { pattern = pattern })
end

--- One entry with all its fields.
---@param id string
---@return table|nil entry
---@return errors.Error|nil err
---@nodiscard
function mq.entry(id)
  check.argument("mq.entry", "id", id, "string")
  return ask("entry", { name = id })
end

--- Entries and the references between them.
---@param id? string  those around this one
---@return table|nil graph  { nodes, edges }
---@return errors.Error|nil err
---@nodiscard
function mq.graph(id)
  return ask("graph", { name = id })
end

---@class mq.PeekOptions
---@field limit? integer   (default 10)
---@field after? string    begin there: the `next` of an answer, or a message's id
---@field state? "ready"|"delayed"|"leased"|"running"
---@field tail? boolean    the last ones
---@field full? boolean    bodies of any size

--- The messages of a queue; nothing is consumed.
---@param queue string
---@param options? mq.PeekOptions
---@return table|nil look  { queue, driver, info, messages, shown }
---@return errors.Error|nil err
---@nodiscard
function mq.peek(queue, options)
  check.argument("mq.peek", "queue", queue, "string")
  return ask("peek", with(options, "mq.peek", { queue = queue }))
end

--- One message, wherever it lies.
---@param id string
---@param queue? string  look only there
---@return table|nil message
---@return errors.Error|nil err
---@nodiscard
function mq.find(id, queue)
  check.argument("mq.find", "id", id, "string")
  return ask("find", { message = id, queue = queue })
end

---@class mq.CallOptions
---@field as_message? boolean             call it as a consumer does
---@field headers? queue.Headers
---@field send? boolean                   really publish what it publishes

--- Calls a function once, outside of any queue; publishes are shown, not sent.
---@param id string
---@param argument? any
---@param options? mq.CallOptions
---@return table|nil result
---@return errors.Error|nil err
function mq.call(id, argument, options)
  check.argument("mq.call", "id", id, "string")
  local fields = with(options, "mq.call", { ["function"] = id })
  if argument ~= nil then
    local text, fault = json.encode(argument, { name = "argument" })
    if not text then
      return nil, fault
    end
    fields.argument = text
  end
  return ask("call", fields)
end

--- Runs a dead letter with the handler as it is now; nothing is settled, sent or taken away.
---@param id string
---@param queue? string  the queue it died in (default: wherever it lies)
---@return table|nil result  as `call` answers, with `id`, `queue` and `function`
---@return errors.Error|nil err
function mq.replay(id, queue)
  check.argument("mq.replay", "id", id, "string")
  return ask("replay", { message = id, queue = queue })
end

--- Lets a queue deliver nothing, or a consumer take nothing.
---@param target string
---@return table|nil answer
---@return errors.Error|nil err
function mq.pause(target)
  check.argument("mq.pause", "target", target, "string")
  return ask("pause", { target = target })
end

--- Undoes `pause`.
---@param target string
---@return table|nil answer
---@return errors.Error|nil err
function mq.resume(target)
  check.argument("mq.resume", "target", target, "string")
  return ask("resume", { target = target })
end

--- Starts a service that is not running.
---@param target string
---@return table|nil answer
---@return errors.Error|nil err
function mq.start(target)
  check.argument("mq.start", "target", target, "string")
  return ask("start", { target = target })
end

--- Reads the project again and replaces what has changed.
---@return table|nil report
---@return errors.Error|nil err
function mq.reload()
  return ask("reload", {})
end

---@class mq.Choice
---@field confirm? string    the full id of the queue; without it nothing happens
---@field ids? string[]      these messages only
---@field older? number      seconds since publish, or since death
---@field error? string      dead letters with this fingerprint
---@field keep? boolean      write a backup first (default true)
---@field to? string         retry: another queue than the one they came from

local function destroys(kind, name)
  return function(queue, options)
    check.argument(name, "queue", queue, "string")
    return ask(kind, with(options, name, { queue = queue }))
  end
end

--- Drops what is ready or delayed in a queue, after a backup.
---@type fun(queue: string, options?: mq.Choice): table|nil, errors.Error|nil
mq.purge = destroys("purge", "mq.purge")

--- Gives dead letters another life.
---@type fun(queue: string, options?: mq.Choice): table|nil, errors.Error|nil
mq.dead.retry = destroys("retry", "mq.dead.retry")

--- Drops dead letters, after a backup.
---@type fun(queue: string, options?: mq.Choice): table|nil, errors.Error|nil
mq.dead.drop = destroys("drop", "mq.dead.drop")

--- Dead letters by kind of error.
---@param queue string
---@param options? { error?: string, older?: number, limit?: integer }
---@return table|nil letters  { queue, dead_queue, count, groups, messages }
---@return errors.Error|nil err
---@nodiscard
function mq.dead.ls(queue, options)
  check.argument("mq.dead.ls", "queue", queue, "string")
  return ask("dead_letters", with(options, "mq.dead.ls", { queue = queue }))
end

--- One dead letter with every attempt.
---@param queue string
---@param id string
---@return table|nil letter
---@return errors.Error|nil err
---@nodiscard
function mq.dead.show(queue, id)
  check.argument("mq.dead.show", "queue", queue, "string")
  check.argument("mq.dead.show", "id", id, "string")
  return ask("dead_letter", { queue = queue, message = id })
end

--- What a value is: its type, size, and where a function was written.
---@param value any
---@return table
---@nodiscard
function mq.inspect(value)
  local found = { type = type(value) }
  if type(value) == "string" then
    found.bytes = #value
  elseif type(value) == "table" then
    local fields = 0
    for _ in next, value do
      fields = fields + 1
    end
    found.fields, found.length = fields, #value
  elseif type(value) == "function" then
    local info = debug.getinfo(value, "Su")
    found.parameters, found.variadic = info.nparams, info.isvararg
    if info.what ~= "C" and info.source ~= "=?" then
      found.source, found.line = info.short_src, info.linedefined
    end
  end
  return found
end

return mq
