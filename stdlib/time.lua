--- The clock, waiting, and how people write durations and moments.
---
---     local time = require("time")
---     time.sleep("500ms")                    --> true
---     time.duration("1h30m")                 --> 5400.0
---     time.format(5400)                      --> "1h30m"
---     time.rfc3339(1767225600)               --> "2026-01-01T00:00:00.000Z"
---     time.parse("2026-01-01T00:00:00Z")     --> 1767225600.0
---     time.strftime("%d.%m.%Y %H:%M", 1767225600, "Europe/Berlin")   --> "01.01.2026 01:00"
---     time.strptime("01.01.2026", "%d.%m.%Y", "Europe/Berlin")       --> 1767222000.0
---     time.add(1769821200, { months = 1 })   --> 1772240400.0: from 31 January to 28 February
---     time.start_of("day", 1767225600, "America/New_York")           --> 1767157200.0
---
--- Wherever a duration is asked for, "500ms", "5s", "2h", "1h30m", "7d" and seconds will do.
--- Moments are seconds since 1970-01-01T00:00:00Z. A zone is a name of the IANA database, or UTC.
local check = require("check")
local durations = require("host.run.durations")
local errors = require("errors")
local lazy = require("host.walls.lazy")
local lent = require("host.walls.lent")

local error, format, sub = error, string.format, string.sub
local now, monotonic, sleep = lent.now, lent.monotonic, lent.sleep
local json, timestamps = lazy("json"), lazy("host.run.timestamps")

local time = {}

local ZONE = "string|nil"

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

--- A moment as RFC 3339, with milliseconds.
---@param seconds? number   since the epoch (default: now)
---@param zone? string      (default: UTC, written as `Z`)
---@return string|nil text
---@return errors.Error|nil err   INVALID for a zone that there is not
---@nodiscard
function time.rfc3339(seconds, zone)
  check.argument("time.rfc3339", "seconds", seconds, "number|nil")
  check.argument("time.rfc3339", "zone", zone, ZONE)
  seconds = seconds or now()
  local offset = 0
  if zone then
    local text, err = lent.calendar_date(seconds, zone)
    if not text then
      return nil, err
    end
    offset = json.decode(text).offset
  end
  local text, fault = timestamps.show(seconds + offset)
  if not text then
    error("time.rfc3339: seconds: " .. fault, 2)
  elseif offset ~= 0 then
    local minutes = offset // 60 | 0
    local sign, size = minutes < 0 and "-" or "+", minutes < 0 and -minutes or minutes
    text = format("%s%s%02d:%02d", sub(text, 1, -2), sign, size // 60, size % 60)
  end
  return text, nil
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

--- What calendar and clocks say at a moment.
---@class (exact) time.Date
---@field year integer  such as 2026
---@field month integer      1 to 12
---@field day integer        1 to 31
---@field hour integer       0 to 23
---@field minute integer  0 to 59
---@field second integer  0 to 59
---@field fraction number    of the second
---@field weekday integer    1 is Monday (ISO 8601)
---@field yearday integer    1 to 366
---@field week integer       1 to 53 (ISO 8601)
---@field offset number      seconds that the zone is ahead of UTC
---@field zone string        what the zone is called then, such as "CET"

--- A date, with a time of the day or without.
---@class (exact) time.Parts
---@field year integer     1 to 9999
---@field month? integer   (default 1)
---@field day? integer     (default 1)
---@field hour? integer    (default 0)
---@field minute? integer  (default 0)
---@field second? integer  (default 0)

---@class (exact) time.Span  how much is added; months before days, days before hours
---@field years? integer     by the calendar: the same day of another month, or its last
---@field months? integer  by the calendar, as years are
---@field weeks? integer     by the calendar: the clocks show the same
---@field days? integer  by the calendar, as weeks are
---@field hours? number      by the clock
---@field minutes? number  by the clock
---@field seconds? number  by the clock

---@alias time.Unit "minute"|"hour"|"day"|"week"|"month"|"year"  what a time is cut down to

local PARTS = {
  year = { type = "integer", required = true, min = 1, max = 9999 },
  month = { type = "integer", default = 1, min = 1, max = 12 },
  day = { type = "integer", default = 1, min = 1, max = 31 },
  hour = { type = "integer", default = 0, min = 0, max = 23 },
  minute = { type = "integer", default = 0, min = 0, max = 59 },
  second = { type = "integer", default = 0, min = 0, max = 59 },
}

--- More of anything leads out of the years 1 to 9999.
local FAR = 1e12
local WHOLE = { type = "integer", min = -FAR, max = FAR }
local ANY = { type = "number", min = -FAR, max = FAR }
local SPAN = {
  years = WHOLE,
  months = WHOLE,
  weeks = WHOLE,
  days = WHOLE,
  hours = ANY,
  minutes = ANY,
  seconds = ANY,
}
local UNIT = { type = "string", one_of = { "minute", "hour", "day", "week", "month", "year" } }
local MOMENT = { type = "number|nil", min = -FAR, max = FAR }

--- What calendar and clocks say at a moment.
---@param seconds? number   since the epoch (default: now)
---@param zone? string      (default: UTC)
---@return time.Date|nil date
---@return errors.Error|nil err   INVALID for a zone that there is not
---@nodiscard
function time.date(seconds, zone)
  check.argument("time.date", "seconds", seconds, MOMENT)
  check.argument("time.date", "zone", zone, ZONE)
  local text, err = lent.calendar_date(seconds or now(), zone or "UTC")
  if not text then
    return nil, err
  end
  return json.decode(text)
end

--- The moment of a date. Of two hours with one name it is the first; one that the zone leaves out
--- counts on from the hour before.
---@param parts time.Parts
---@param zone? string   (default: UTC)
---@return number|nil seconds
---@return errors.Error|nil err   INVALID for a day or a zone that there is not
---@nodiscard
function time.at(parts, zone)
  local given = check.options("time.at", parts, PARTS)
  check.argument("time.at", "zone", zone, ZONE)
  return lent.calendar_at(json.encode(given), zone or "UTC")
end

--- The moment that lies so far after another; numbers below 0 lead back.
---@param seconds number
---@param span time.Span
---@param zone? string   whose days and months count (default: UTC)
---@return number|nil seconds
---@return errors.Error|nil err   INVALID out of the years 1 to 9999, or for no zone
---@nodiscard
function time.add(seconds, span, zone)
  check.argument("time.add", "seconds", seconds, ANY)
  check.argument("time.add", "zone", zone, ZONE)
  local given = check.options("time.add", span, SPAN)
  return lent.calendar_add(seconds, json.encode(given), zone or "UTC")
end

--- When the day, week, month … began that a moment is in; weeks begin on Monday.
---@param unit time.Unit
---@param seconds? number   since the epoch (default: now)
---@param zone? string      (default: UTC)
---@return number|nil seconds
---@return errors.Error|nil err   INVALID for a zone that there is not
---@nodiscard
function time.start_of(unit, seconds, zone)
  check.argument("time.start_of", "unit", unit, UNIT)
  check.argument("time.start_of", "seconds", seconds, MOMENT)
  check.argument("time.start_of", "zone", zone, ZONE)
  return lent.calendar_start(unit, seconds or now(), zone or "UTC")
end

--- A moment as a format says: `%a %A %b %B %d %f %F %G %H %I %j %m %M %p %R %S %T %u %U %V %w %W %y
--- %Y %z %Z %%`, in English.
---@param pattern string
---@param seconds? number   since the epoch (default: now)
---@param zone? string      (default: UTC)
---@return string|nil text
---@return errors.Error|nil err   INVALID for another directive, or a zone that there is not
---@nodiscard
function time.strftime(pattern, seconds, zone)
  check.argument("time.strftime", "pattern", pattern, "string")
  check.argument("time.strftime", "seconds", seconds, MOMENT)
  check.argument("time.strftime", "zone", zone, ZONE)
  return lent.calendar_format(pattern, seconds or now(), zone or "UTC")
end

--- The moment that a text says, which is written as a format says (see `strftime`).
---@param text string
---@param pattern string
---@param zone? string   of texts that name none (default: UTC)
---@return number|nil seconds
---@return errors.Error|nil err   INVALID
---@nodiscard
function time.strptime(text, pattern, zone)
  check.argument("time.strptime", "text", text, "string")
  check.argument("time.strptime", "pattern", pattern, "string")
  check.argument("time.strptime", "zone", zone, ZONE)
  return lent.calendar_read(text, pattern, zone or "UTC")
end

return time
