--- Lengths of time as people write them: "500ms", "5s", "1h30m", or a number of seconds.
---
---     durations.parse("1h30m") --> 5400.0
---     durations.parse("soon")  --> nil, a duration is expected (…), got 'soon'
---     durations.show(5400)     --> "1h30m"
local check = require("check")

local ipairs, tonumber, type = ipairs, tonumber, type
local format, match = string.format, string.match
local concat, huge, tointeger = table.concat, math.huge, math.tointeger

local durations = {}

--- The longest that a message may wait: 365 days, in seconds.
durations.MAX_DELAY = 365 * 86400.0

local UNITS = { ms = 0.001, s = 1.0, m = 60.0, h = 3600.0, d = 86400.0 }
local PART = "^%s*(%d+%.?%d*)%s*(%l+)()"

local function expected(value)
  local shown = check.show(value)
  return nil, format('a duration is expected ("500ms", "5s", "1h30m" or seconds), got %s', shown)
end

--- The sum of parts such as `1h` and `30m`; nil when the text is no duration.
local function sum(text)
  local total, at = 0.0, 1
  repeat
    local number, unit, behind = match(text, PART, at)
    local scale = UNITS[unit]
    if not scale or match(number, "%.$") then
      return nil
    end
    total = total + tonumber(number) * scale
    at = behind
  until match(text, "^%s*$", at)
  return total
end

--- Seconds, or nil and what is wrong.
---@param value any
---@return number|nil seconds
---@return string|nil fault
function durations.parse(value)
  if type(value) == "string" and #value <= 64 then
    local seconds = sum(value)
    if seconds then
      return seconds, nil
    end
  elseif type(value) == "number" and value >= 0 and value < huge then
    return value + 0.0, nil
  end
  return expected(value)
end

--- Seconds as people say it, in at most two units.
---@param seconds number
---@return string
function durations.show(seconds)
  if seconds < 1 then
    return format("%.0fms", seconds * 1000)
  elseif seconds < 60 then
    return format("%.3gs", seconds)
  end
  local rest = (seconds + 0.5) // 1
  local parts = {}
  for _, unit in ipairs({ "d", "h", "m", "s" }) do
    local count = rest // UNITS[unit]
    rest = rest % UNITS[unit]
    if count > 0 and #parts < 2 then
      parts[#parts + 1] = format("%d%s", tointeger(count) or 0, unit)
    end
  end
  return concat(parts)
end

return durations
