--- The one question about a delivery that was not simply done: what became of it goes in, a
--- verdict with its words comes out.
---
---     local judge = verdict.judge({ max_attempts = 10, timeout = 60, dead_letter = "q.dead", … })
---     judge({ what = "timeout", attempt = 1, chance = 0.5 })
---     --> { action = "retry", delay = 2.0, kind = "TIMEOUT",
---           message = "stopped after 1m (timeout)",
---           words = "nack → again in 2s: TIMEOUT stopped after 1m (timeout)" }
---
--- `queue` is what its entry says; what no entry can set stands below.
local durations = require("host.run.durations")
local errors = require("errors")
local fault = require("host.run.fault")
local retry = require("host.run.retry")

local format, max, min = string.format, math.max, math.min

local verdict = {}

--- Seconds before an interrupted message runs again; the last one repeats.
local INTERRUPTION_DELAYS = { 1, 5, 25, 120 }
--- After so many snoozes a message is dead.
local MAX_SNOOZES = 1000
--- No path brings a failed message back sooner than this, nor later than `durations.MAX_DELAY`.
local SOONEST = 0.1
local MIB = 1024 * 1024

---@class (exact) verdict.Queue : retry.Options
---@field function string        the id of the consumer's function
---@field timeout? number        seconds that it may take
---@field memory integer         bytes that it may use
---@field dead_letter? string    where dead letters go; nil drops them

---@class (exact) verdict.Event
---@field what string            one of the functions in `events`
---@field kind string            what went wrong, such as "TIMEOUT"
---@field message string         the same in words; what the handler gave as its reason
---@field attempt integer        1 for the first run
---@field interruptions integer
---@field snoozes integer
---@field chance number          from 0 to 1, for the jitter
---@field retryable? boolean
---@field delay? number          what the handler asked for, in seconds
---@field elapsed? number        seconds since its lease ended without a verdict
---@field is_stopping boolean    whether the consumer is about to end

---@class (exact) verdict.Verdict
---@field action "start"|"ack"|"retry"|"snooze"|"wait"|"dead"|"release"|"interrupt"|"unknown"
---@field delay? number          seconds
---@field reason? string         why it is dead: `x_dead_letter_reason`
---@field kind? string           the error that the message will remember
---@field message? string
---@field words? string          what the log says, if anything
---@field problem? string        what is wrong with the queue's own policy, which was not followed

local function dead(reason, kind, message)
  return { action = "dead", reason = reason, kind = kind, message = message }
end

-- A failed attempt. What no attempt can help is dead; otherwise the queue's own policy decides, or
-- its numbers. A delay that the handler asked for takes the place of theirs.
local function failed(event, queue, kind, message, retryable)
  local failure = {
    attempt = event.attempt,
    interruptions = event.interruptions,
    snoozes = event.snoozes,
    kind = kind,
    message = message,
    retryable = retryable,
    delay = event.delay,
  }
  local action, detail, problem
  if queue.own and retryable ~= false then
    action, detail, problem = retry.ask(queue.own, failure, fault.text)
    if action == "retry" then
      detail = event.delay or detail
    end
  end
  if not action then
    action, detail = queue.decide(failure, event.chance)
  end
  local found = action == "dead" and dead(detail, kind, message)
    or { action = "retry", delay = detail, kind = kind, message = message }
  found.problem = problem
  return found
end

local function reason_of(event, method)
  return event.message ~= "" and event.message or "the handler called " .. method .. "()"
end

local function released()
  return { action = "release" }
end

---@type table<string, fun(event: verdict.Event, queue: table): verdict.Verdict>
local events = { stop = released, cancel = released }

--- The handler raised, returned `false` or `nil, err`.
function events.failed(event, queue)
  if event.is_stopping and event.kind == errors.CANCELED then
    return released() -- a wait that a deploy cut short costs no attempt
  end
  return failed(event, queue, event.kind, event.message, event.retryable)
end

--- The handler was cut off at its time limit.
function events.timeout(event, queue)
  local text = format("stopped after %s (timeout)", durations.show(queue.timeout or 0))
  return failed(event, queue, errors.TIMEOUT, text, true)
end

--- The handler was cut off at its memory limit.
function events.memory(event, queue)
  local limit = queue.memory / MIB
  local text = format("%s used more than its %g MiB of memory (memory)", queue["function"], limit)
  return failed(event, queue, "MEMORY", text)
end

--- A dry run came to a call whose answer it cannot know.
function events.unknown(event)
  return { action = "unknown", kind = event.kind, message = event.message }
end

--- The body is not what the queue's codec says.
function events.decode(event)
  return dead("decode", event.kind, event.message)
end

--- The worker died under the handler: that is counted, and judged before the next start.
function events.interrupted(event)
  return { action = "interrupt", kind = errors.INTERNAL, message = event.message }
end

--- A message is about to start whose last lease ended without a verdict.
function events.returned(event, queue)
  local times = event.interruptions
  if times >= queue.max_interruptions then
    local text = "its process died or lost its lease %d times while it ran"
    return dead("interrupted", errors.INTERNAL, format(text, times))
  end
  local delay = INTERRUPTION_DELAYS[min(times, #INTERRUPTION_DELAYS)]
  local left = delay - max(event.elapsed, 0)
  if left <= 0 then
    return { action = "start" }
  end
  local text = "its process died or lost its lease while it ran"
  return { action = "wait", delay = left, kind = errors.INTERNAL, message = text }
end

function events.ack()
  return { action = "ack" }
end

function events.nack(event, queue)
  return failed(event, queue, errors.UNKNOWN, reason_of(event, "nack"))
end

function events.retry(event, queue)
  return failed(event, queue, errors.UNKNOWN, reason_of(event, "retry"))
end

function events.reject(event)
  return dead("rejected", errors.UNKNOWN, reason_of(event, "reject"))
end

function events.snooze(event)
  if event.snoozes >= MAX_SNOOZES then
    local text = format("it was snoozed %d times before", event.snoozes)
    return dead("snooze_limit", errors.UNKNOWN, text)
  end
  return { action = "snooze", delay = event.delay or 0 }
end

local words = {}

function words.retry(found)
  local wait = durations.show(found.delay)
  return format("nack → again in %s: %s %s", wait, found.kind, found.message)
end

function words.wait(found)
  return format("interrupted → again in %s: %s", durations.show(found.delay), found.message)
end

function words.interrupt(found)
  return format("interrupted → again: %s %s", found.kind, found.message)
end

function words.dead(found, queue)
  local target = queue.dead_letter or "nowhere (dead_letter: none)"
  return format("dead (%s) → %s: %s", found.reason, target, found.message)
end

--- Makes the judge of one queue.
---@param queue verdict.Queue
---@param own? fun(failure: retry.Failure): number|string|false  the queue's own policy
---@return fun(event: verdict.Event): verdict.Verdict
function verdict.judge(queue, own)
  queue.own, queue.decide = own, retry.policy(queue)
  return function(event)
    local found = events[event.what](event, queue)
    if found.action == "retry" or found.action == "snooze" then
      found.delay = min(max(found.delay, SOONEST), durations.MAX_DELAY)
    end
    local say = words[found.action]
    found.words = say and say(found, queue)
    return found
  end
end

return verdict
