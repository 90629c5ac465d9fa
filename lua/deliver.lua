--- One delivery: decode, run the handler, turn its result into an outcome.
---
--- The body crosses into Lua once, as bytes; the outcome crosses out once, as plain values:
---
---     ACK                                             done
---     FAILED, kind, message, retryable, stack         not done (retryable: true, false or nil)
---     SETTLED                                         the handler settled its message itself
---     DECODE, kind, message                           the body is not what the codec says
---     MEMORY                                          the memory limit was reached
---
--- What a failure leads to is not decided here but in `retry.lua`.
local errors = require("errors")
local fault = require("host.fault")
local json = require("json")
local limits = require("host.limits")
local message = require("host.message")
local metatables = require("host.metatables")
local protect = require("host.protect")
local trace = require("host.trace")

local tostring, type, xpcall = tostring, type, xpcall
local decode, open, close = json.decode, message.open, message.close
local on_error = trace.handler

local deliver = {}

local ACK, FAILED, SETTLED, DECODE, MEMORY = 0, 1, 2, 3, 4
local BETWEEN_DELIVERIES = { metatables.reset, protect.reset, limits.rearm, trace.clear }

local function failure(value, raised)
  local kind, text, retryable, stack = fault.of(value)
  if raised and raised.stack ~= "" then
    stack = raised.stack
  end
  return FAILED, kind, text, retryable, stack
end

local function raised_failure(raised)
  if type(raised) == "table" and raised.stack then
    if raised.value == limits.EXCEEDED then
      return MEMORY
    end
    return failure(raised.value, raised)
  elseif raised == "not enough memory" then
    return MEMORY -- Lua itself gave up, so no message handler ran: a script cannot fake this
  end
  return failure(raised)
end

local function outcome(ok, first, second)
  local settled = close()
  for index = 1, #BETWEEN_DELIVERIES do
    BETWEEN_DELIVERIES[index]()
  end
  if settled then
    return SETTLED
  elseif not ok then
    return raised_failure(first)
  elseif first == false then
    return FAILED, errors.UNKNOWN, "the handler returned false", nil, ""
  elseif first == nil and second ~= nil then
    return failure(second)
  end
  return ACK
end

--- Runs *handler* on one message.
---@param handler function
---@param is_json boolean         whether the body is decoded for the handler
---@param body string             bytes as published
---@param id string
---@param attempt integer
---@param interruptions integer
---@param published_at number     seconds since the epoch
---@param queue_id string
---@param headers string          as JSON, "" when there are none
---@return integer outcome
---@return string? kind
---@return string? text
---@return boolean? retryable
---@return string? stack
function deliver.run(
  handler,
  is_json,
  body,
  id,
  attempt,
  interruptions,
  published_at,
  queue_id,
  headers
)
  local value = body
  if is_json then
    local problem
    value, problem = decode(body)
    if problem then
      return DECODE, errors.INVALID, tostring(problem)
    end
  end
  open(id, attempt, interruptions, published_at, queue_id, headers, value)
  return outcome(xpcall(handler, on_error, value))
end

return deliver
