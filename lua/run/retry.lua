--- The policy: what a failure leads to.
---
---     local decide = retry.policy({ max_attempts = 3, initial_delay = 2, factor = 3 })
---     decide({ attempt = 1, kind = "TIMEOUT", message = "bank is down" }, 0.5) --> "retry", 2.0
---     decide({ attempt = 3, kind = "TIMEOUT", message = "bank is down" }, 0.5)
---     --> "dead", "max_attempts"
---
--- A policy is a function from a failure to a decision, so a queue can name its own. It answers
--- `"retry", seconds` or `"dead", reason`.
local time = require("time")

local huge, math_type, max, min = math.huge, math.type, math.max, math.min
local pcall, type = pcall, type

local retry = {}

---@class retry.Failure
---@field attempt integer        1 for the first run
---@field interruptions integer  leases that ended without an outcome, this one included
---@field snoozes integer        how often it was snoozed, this time included
---@field kind string            what went wrong, such as "TIMEOUT"
---@field message string
---@field retryable? boolean     only a written `false` ends it at once
---@field delay? number          what the handler asked for, in seconds

---@class (exact) retry.Options
---@field max_attempts integer
---@field max_interruptions integer
---@field initial_delay number   seconds
---@field factor number
---@field max_delay number       seconds
---@field jitter number          share of the delay, 0 to 1

retry.DEFAULTS = {
  max_attempts = 10,
  max_interruptions = 5,
  initial_delay = 2,
  factor = 3,
  max_delay = 15 * 60,
  jitter = 0.2,
}

--- Seconds before an interrupted message runs again; the last one repeats.
retry.INTERRUPTION_DELAYS = { 1, 5, 25, 120 }

--- No path brings a failed message back sooner than this.
local SOONEST = 0.1
local MAX_SNOOZES = 1000

--- The wait after failed attempt number *attempt*, without jitter.
---@param options retry.Options
---@param attempt integer
---@return number seconds
function retry.backoff(options, attempt)
  return min(options.initial_delay * options.factor ^ (attempt - 1), options.max_delay)
end

--- Spreads *seconds* evenly over 1 - jitter to 1 + jitter times itself.
---@param seconds number
---@param jitter number
---@param chance number  from 0 to 1
---@return number seconds
function retry.spread(seconds, jitter, chance)
  return seconds * (1 - jitter + 2 * jitter * chance)
end

--- The default policy.
---@param options retry.Options
---@return fun(failure: retry.Failure, chance: number): string, number|string
function retry.policy(options)
  return function(failure, chance)
    if failure.retryable == false then
      return "dead", "rejected"
    elseif failure.attempt >= options.max_attempts then
      return "dead", "max_attempts"
    elseif failure.delay then
      return "retry", max(failure.delay, SOONEST)
    end
    local delay = retry.backoff(options, failure.attempt)
    return "retry", max(retry.spread(delay, options.jitter, chance), SOONEST)
  end
end

--- What an interruption leads to: the worker died, or the lease ran out.
---@param options retry.Options
---@param interruptions integer  this one included
---@return string action
---@return number|string detail
function retry.after_interruption(options, interruptions)
  if interruptions >= options.max_interruptions then
    return "dead", "interrupted"
  end
  local delays = retry.INTERRUPTION_DELAYS
  return "retry", delays[min(interruptions, #delays)]
end

--- What a snooze leads to.
---@param snoozes integer  this one included
---@param delay number     seconds
---@return string action
---@return number|string detail
function retry.after_snooze(snoozes, delay)
  if snoozes > MAX_SNOOZES then
    return "dead", "snooze_limit"
  end
  return "retry", max(delay, SOONEST)
end

--- Asks a queue's own policy: a function that answers with the wait (seconds, or a duration such
--- as "5s"), or with `false` for a dead letter.
---@param policy fun(failure: retry.Failure): number|string|false
---@param failure retry.Failure
---@param describe fun(value: any): string
---@return string? action        nil when the answer is none
---@return number|string? detail
---@return string? problem
function retry.ask(policy, failure, describe)
  local ok, answer = pcall(policy, failure)
  if not ok then
    return nil, nil, describe(answer)
  elseif answer == false then
    return "dead", "rejected"
  end
  local seconds = type(answer) == "string" and time.duration(answer) or answer
  if math_type(seconds) and seconds >= 0 and seconds < huge then
    return "retry", max(seconds, SOONEST)
  end
  return nil, nil, "it answered " .. describe(answer) .. ", not a wait or false"
end

return retry
