--- Deliveries: decode, run the handler, turn its result into an outcome.
---
--- Bodies cross into Lua as bytes, a few at a time where the handler is quick; outcomes cross out
--- once, as plain values: how many messages were run, and what became of those that were not
--- simply done, seven values each:
---
---     index, FAILED, kind, message, retryable, stack, delay
---                                                     not done (retryable: true, false or nil;
---                                                     delay: seconds, or nil)
---     index, SETTLED                                  the handler settled its message itself
---     index, DECODE, kind, message                    the body is not what the codec says
---     index, MEMORY                                   the memory limit was reached
---
--- What a failure leads to is not decided here but in `verdict.lua`.
local errors = require("errors")
local fault = require("host.run.fault")
local json_reader = require("host.json.reader")
local limits = require("host.walls.limits")
local message = require("host.run.message")
local metatables = require("host.walls.metatables")
local misses = require("host.walls.misses")
local raw = require("host.raw")
local trace = require("host.walls.trace")

local clock, rawequal, select = os.clock, rawequal, select
local tostring, xpcall = tostring, xpcall
local unpack = table.unpack
local read_body, open, close = json_reader.read_body, message.open, message.close
local on_error, where_raised = trace.handler, trace.of
local reset_metatables = metatables.reset
local EXCEEDED = limits.EXCEEDED
local rearm, clear_trace, has_waited = limits.rearm, trace.clear, limits.has_waited

local deliver = {}

local FAILED, SETTLED, DECODE, MEMORY = 1, 2, 3, 4
--- Seconds of work after which the rest of a batch is left to other workers.
local SLICE = 0.001

local call = xpcall

-- In a process that may be killed: hears which message of a batch begins, and how much was noted
-- of those before.
local begins = raw.begins

-- What the current call has done so far: Python asks for it when the call was cut off.
local done, report, length = 0, {}, 0

local function note(index, code, kind, text, retryable, stack, delay)
  report[length + 1], report[length + 2], report[length + 3] = index, code, kind
  report[length + 4], report[length + 5], report[length + 6] = text, retryable, stack
  report[length + 7] = delay
  length = length + 7
end

local function note_failure(index, value, stack)
  local kind, text, retryable, own_stack, delay = fault.of(value)
  note(index, FAILED, kind, text, retryable, stack ~= "" and stack or own_stack, delay)
end

local function note_raised(index, value)
  if rawequal(value, EXCEEDED) then
    note(index, MEMORY)
  else
    note_failure(index, value, (where_raised(value)))
  end
end

--- Called when the script has run: nothing but what it keeps itself lives longer.
local function forget()
  misses.last = nil
  reset_metatables()
  clear_trace()
  rearm()
end

deliver.forget = forget

local function conclude(index, ok, first, second)
  if close() then
    note(index, SETTLED)
  elseif not ok then
    note_raised(index, first)
  elseif first == false then
    note(index, FAILED, errors.UNKNOWN, "the handler returned false", nil, "")
  elseif first == nil and second ~= nil then
    note_failure(index, second, "")
  end
  forget()
end

local function run(handler, is_json, index, body)
  local value = body
  if is_json then
    local problem
    value, problem = read_body(body)
    if problem then
      note(index, DECODE, errors.INVALID, tostring(problem))
      return
    end
  end
  open(index, value, body)
  conclude(index, call(handler, on_error, value))
end

--- Lets *look* see and pass on what each handler returns, behind whether it ended well.
---@param look fun(ok: boolean, ...: any): ...
function deliver.watch(look)
  call = function(...)
    return look(xpcall(...))
  end
end

--- How many messages of the current call are done, and what became of them.
---@return integer done
---@return any ...  seven values for each that was not simply done
function deliver.progress()
  return done, unpack(report, 1, length)
end

-- The handler of one message waits: those before it are settled, those behind it go to others, and
-- another worker takes next.
local function tell()
  raw.waits(done, unpack(report, 1, length))
end

--- Runs *handler* on messages, in order; stops early when one took its time.
---@param handler function
---@param is_json boolean  whether bodies are decoded for the handler
---@param ... string       bodies, as published
---@return integer done
---@return any ...
function deliver.run(handler, is_json, ...)
  local count = select("#", ...)
  done, length = 0, 0
  limits.forget_waits()
  limits.on_wait = tell
  if count == 1 then
    run(handler, is_json, 1, (...))
    limits.on_wait, done = nil, 1
    return 1, unpack(report, 1, length)
  end
  local bodies, began = { ... }, clock()
  for index = 1, count do
    if begins then
      begins(index, length)
    end
    run(handler, is_json, index, bodies[index])
    done = index
    if has_waited() or clock() - began > SLICE then
      break
    end
  end
  limits.on_wait = nil
  return done, unpack(report, 1, length)
end

return deliver
