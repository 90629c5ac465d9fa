--- Moments in time as RFC 3339 writes them, and as seconds since the epoch.
---
---     timestamps.show(1767225600.25)              --> "2026-01-01T00:00:00.250Z"
---     timestamps.parse("2026-01-01T01:00:00+01:00") --> 1767225600.0
local check = require("check")

local tonumber, tointeger, type = tonumber, math.tointeger, type
local format, match = string.format, string.match

local timestamps = {}

local DAY = 86400
--- Years 0 to 9999: what four digits can say.
local FIRST, LAST = -62167219200.0, 253402300799.9995

local SHAPE = "^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt ](%d%d):(%d%d):(%d%d)(%.?%d*)(.*)$"

local function is_leap(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

local LENGTHS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function month_length(year, month)
  return month == 2 and is_leap(year) and 29 or LENGTHS[month]
end

--- Days from 1970-01-01 to a date. Years begin in March here, so that the leap day is their last.
local function days_of(year, month, day)
  local y = month <= 2 and year - 1 or year
  local month_from_march = (month + 9) % 12
  local day_of_year = (153 * month_from_march + 2) // 5 + day - 1
  return 365 * y + y // 4 - y // 100 + y // 400 + day_of_year - 719468
end

--- The date that lies so many days after 1970-01-01: the way back of `days_of`.
local function date_of(days)
  local shifted = days + 719468
  local era = shifted // 146097
  local day_of_era = shifted % 146097
  local year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096)
    // 365
  local day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
  local month_from_march = (5 * day_of_year + 2) // 153
  local day = day_of_year - (153 * month_from_march + 2) // 5 + 1
  local month = (month_from_march + 2) % 12 + 1
  return era * 400 + year_of_era + (month <= 2 and 1 or 0), month, day
end

--- The zone's distance from UTC in seconds; nil when the text is no zone.
local function offset_of(zone)
  if match(zone, "^[Zz]$") then
    return 0
  end
  local sign, hours, minutes = match(zone, "^([+-])(%d%d):(%d%d)$")
  if not sign or tonumber(hours) > 23 or tonumber(minutes) > 59 then
    return nil
  end
  local seconds = tonumber(hours) * 3600 + tonumber(minutes) * 60
  return sign == "-" and -seconds or seconds
end

local function expected(text)
  return nil, format('a time such as "2026-01-31T08:00:00Z" is expected, got %s', check.show(text))
end

--- Seconds since the epoch, or nil and what is wrong.
---@param text any
---@return number|nil seconds
---@return string|nil fault
function timestamps.parse(text)
  if type(text) ~= "string" or #text > 64 then
    return expected(text)
  end
  local year, month, day, hour, minute, second, fraction, zone = match(text, SHAPE)
  local offset = zone and offset_of(zone)
  if not offset or fraction == "." then
    return expected(text)
  end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second)
  local is_date = month >= 1 and month <= 12 and day >= 1 and day <= month_length(year, month)
  -- A leap second is the 60th; it counts as the first of the next minute.
  if not is_date or hour > 23 or minute > 59 or second > 60 then
    return expected(text)
  end
  local whole = days_of(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset
  return whole + (tonumber("0" .. fraction) or 0) + 0.0, nil
end

--- RFC 3339 in UTC with milliseconds, or nil and what is wrong.
---@param seconds number
---@return string|nil text
---@return string|nil fault
function timestamps.show(seconds)
  if not (seconds >= FIRST and seconds < LAST) then
    return nil, "a time of the years 0 to 9999 is expected"
  end
  local milliseconds = tointeger((seconds * 1000 + 0.5) // 1)
  local whole, rest = milliseconds // 1000, milliseconds % 1000
  local year, month, day = date_of(whole // DAY)
  local clock = whole % DAY
  return format(
    "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
    year,
    month,
    day,
    clock // 3600,
    clock // 60 % 60,
    clock % 60,
    rest
  ),
    nil
end

return timestamps
