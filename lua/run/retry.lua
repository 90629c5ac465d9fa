--- What a failed attempt leads to.
---
---     local decide = retry.policy({ max_attempts = 3, initial_delay = 2, factor = 3 })
---     decide({ attempt = 1, kind = "TIMEOUT", message = "bank is down" }, 0.5) --> "retry", 2.0
---     decide({ attempt = 3, kind = "TIMEOUT", message = "bank is down" }, 0.5)
---     --> "dead", "max_attempts"
---
--- A policy is a function from a failure to a decision, so a queue can name its own. It answers
--- `"retry", seconds` or `"dead", reason`.
local durations = require("host.run.durations")
local time = require("time")

local math_type, min = math.type, math.min
local format, pcall, type = string.format, pcall, type

local retry = {}

---@class retry.Failure
---@field attempt integer        1 for the first run
---@field interruptions integer  leases that ended without an outcome
---@field snoozes integer        how often it was snoozed
---@field kind string            what went wrong, such as "TIMEOUT"
---@field message string
---@field retryable? boolean     a written `false` ends it at once: no own policy is asked
---@field delay? number          what the handler asked for, in seconds: the wait, unless it is dead

---@class retry.Options           `retry` of the queue's entry, which has the defaults
---@field max_attempts integer
---@field max_interruptions integer
---@field initial_delay number   seconds
---@field factor number
---@field max_delay number       seconds
---@field jitter number          share of the delay, 0 to 1

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
      return "retry", failure.delay
    end
    return "retry", retry.spread(retry.backoff(options, failure.attempt), options.jitter, chance)
  end
end

--- Asks a queue's own policy: a function that answers with the wait (seconds, or a duration such
--- as "5s", at most 365 days), or with `false` for a dead letter.
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
  if math_type(seconds) and seconds >= 0 and seconds <= durations.MAX_DELAY then
    return "retry", seconds
  end
  local text = "it answered %s, not a wait or false; a wait is at most 365 days"
  return nil, nil, format(text, describe(answer))
end

return retry
