--- What a session may do to its host: looking, operating, and what destroys messages.
---
---     mq.queues()                                    --> { { id = "app:orders", ready = 3, … } }
---     mq.peek("orders", { limit = 2 }).messages[1]   --> { id = "0190…", body = { … }, … }
---     mq.dead.retry("orders", { error = "a41", confirm = "app:orders" })
---
--- Every function answers plain data, or `nil, err`. Whatever takes messages away wants the full id
--- of its queue as `confirm`; the host refuses it in a read-only session.
local check = require("check")
local json = require("json")
local lent = require("host.walls.lent")

local ipairs, next, select, type = ipairs, next, select, type
local gmatch = string.gmatch
local collectgarbage, error, pcall = collectgarbage, error, pcall
local huge, max, min = math.huge, math.max, math.min

local mq = {}

--- Seconds between two looks at the clock, which cost as much as a quick function.
local ROUND = 0.001

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

--- The value of a parameter as it travels: what may be anything travels as JSON text.
local function as_field(parameter, value)
  if parameter.type == "any" and value ~= nil then
    return json.encode(value, { name = parameter.name })
  end
  return value
end

--- The function of one verb. Its host checks all that stands in `options`.
local function made(verb)
  local parameters, name = verb.parameters, verb.name
  return function(...)
    local fields = {}
    for index, parameter in ipairs(parameters) do
      local value = select(index, ...)
      if parameter.type ~= "any" then
        check.argument(name, parameter.name, value, parameter.type)
      end
      local text, fault = as_field(parameter, value)
      if fault then
        return nil, fault
      end
      fields[parameter.field] = text
    end
    local options = select(#parameters + 1, ...)
    if options ~= nil and verb.has_options then
      check.argument(name, "options", options, "table")
      for key, value in next, options do
        fields[key] = value
      end
    end
    local answer, err = ask(verb.kind, fields)
    return answer and (verb.answer and answer[verb.answer] or answer), err
  end
end

--- Adds the functions that the host's table of verbs describes; `mq.dead.ls` lies in `mq.dead`.
local function define(verbs)
  for _, verb in ipairs(verbs) do
    local place, last = mq, nil
    for part in gmatch(verb.name, "%.([%w_]+)") do
      if last then
        place[last] = place[last] or {}
        place = place[last]
      end
      last = part
    end
    place[last] = made(verb)
  end
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

--- Bytes that one run allocates: nothing is collected meanwhile.
local function allocated(fn)
  collectgarbage()
  collectgarbage("stop")
  local before = collectgarbage("count")
  local ok, problem = pcall(fn)
  local bytes = (collectgarbage("count") - before) * 1024
  collectgarbage("restart")
  if not ok then
    error(problem, 0)
  end
  return max(0, bytes)
end

--- Runs a function again and again: `runs`, the `seconds` they took, `mean`, `quickest` and
--- `slowest` seconds of one run, the `cpu` seconds of one, and the `bytes` it allocates.
---@param fn function
---@param seconds? number  how long (default 1)
---@return table
---@nodiscard
function mq.bench(fn, seconds)
  check.argument("mq.bench", "fn", fn, "function")
  check.argument("mq.bench", "seconds", seconds, "number|nil")
  local bytes = allocated(fn)
  local runs, round, quickest, slowest = 0, 1, huge, 0
  local began, cpu = lent.console_clock()
  local now, worked = began
  repeat
    local before = now
    for _ = 1, round do
      fn()
    end
    now, worked = lent.console_clock()
    local each = (now - before) / round
    runs, quickest, slowest = runs + round, min(quickest, each), max(slowest, each)
    if now - before < ROUND then
      round = round * 2
    end
  until now - began >= (seconds or 1)
  return {
    runs = runs,
    seconds = now - began,
    mean = (now - began) / runs,
    quickest = quickest,
    slowest = slowest,
    cpu = (worked - cpu) / runs,
    bytes = bytes,
  }
end

return { module = mq, define = define }
