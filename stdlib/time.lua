--- The clock, waiting, and how people write durations and moments.
---
---     local time = require("time")
---     time.sleep("500ms")                    --> true
---     time.duration("1h30m")                 --> 5400.0
---     time.format(5400)                      --> "1h30m"
---     time.rfc3339(1767225600)               --> "2026-01-01T00:00:00.000Z"
---     time.parse("2026-01-01T00:00:00Z")     --> 1767225600.0
---
--- Wherever a duration is asked for, "500ms", "5s", "2h", "1h30m", "7d" and seconds will do.
local check = require("check")
local durations = require("host.run.durations")
local errors = require("errors")
local lent = require("host.walls.lent")
local timestamps = require("host.run.timestamps")

local error, format = error, string.format
local now, monotonic, sleep = lent.now, lent.monotonic, lent.sleep

local time = {}

local function invalid(where, fault)
  local message = format("%s: %s", where, fault)
  return nil, errors.new({ kind = errors.INVALID, message = message, retryable = false })
end

--- Seconds since 1970-01-01T00:00:00Z, with a fraction.
---@return number
---@nodiscard
function time.now()
  return (now())
end

--- Seconds of a clock that never goes back; only differences mean something.
---@return number
---@nodiscard
function time.monotonic()
  return (monotonic())
end

--- Waits. Ends early, with an error, when the worker is asked to stop.
---@param duration string|number
---@return true|nil ok
---@return errors.Error|nil err   CANCELED when it was cut short, INVALID for no duration
function time.sleep(duration)
  local seconds, fault = durations.parse(duration)
  if not seconds then
    return invalid("time.sleep", fault)
  end
  local ok, err = sleep(seconds)
  if not ok then
    return nil, err
  end
  return true, nil
end

--- The seconds of a duration.
---@param text string|number
---@return number|nil seconds
---@return errors.Error|nil err   INVALID
---@nodiscard
function time.duration(text)
  local seconds, fault = durations.parse(text)
  if not seconds then
    return invalid("time.duration", fault)
  end
  return seconds, nil
end

--- Seconds as people say it, in at most two units.
---@param seconds number   0 or more
---@return string
---@nodiscard
function time.format(seconds)
  check.argument("time.format", "seconds", seconds, "number")
  local exact, fault = durations.parse(seconds)
  if not exact then
    error("time.format: seconds: " .. fault, 2)
  end
  return durations.show(exact)
end

--- A moment as RFC 3339 in UTC, with milliseconds.
---@param seconds? number   since the epoch (default: now)
---@return string
---@nodiscard
function time.rfc3339(seconds)
  check.argument("time.rfc3339", "seconds", seconds, "number|nil")
  local text, fault = timestamps.show(seconds or now())
  if not text then
    error("time.rfc3339: seconds: " .. fault, 2)
  end
  return text
end

--- The seconds since the epoch of a moment in RFC 3339.
---@param text string
---@return number|nil seconds
---@return errors.Error|nil err   INVALID
---@nodiscard
function time.parse(text)
  local seconds, fault = timestamps.parse(text)
  if not seconds then
    return invalid("time.parse", fault)
  end
  return seconds, nil
end

return time
