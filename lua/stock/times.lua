--- `os` for scripts: the clock and the calendar, and nothing else of it.
---
---     times.new().date("!%Y", 0)  --> "1970"
---     times.follow(now, elapsed)  -- in tests: the time is theirs
local error, pcall, type = error, pcall, type
local clock, date, difftime, time = os.clock, os.date, os.difftime, os.time
local find, floor, format = string.find, math.floor, string.format

local times = {}

---@type (fun(): number)?
local now
---@type (fun(): number)?
local elapsed

--- Lets the scripts of this state live in another time than the machine's.
---@param new_now fun(): number      seconds since the epoch
---@param new_elapsed fun(): number  seconds since some beginning
function times.follow(new_now, new_elapsed)
  now, elapsed = new_now, new_elapsed
end

local function followed_time(fields)
  if fields == nil then
    return floor(now())
  end
  local ok, answer = pcall(time, fields)
  return ok and answer or error(answer, 2)
end

local function followed_clock()
  return (elapsed())
end

-- `%E` and `%O` reach the C library's locale code; long formats its buffers.
local function checked_date(pattern, moment)
  if pattern ~= nil and type(pattern) ~= "string" then
    error(format("bad argument #1 to 'date' (string expected, got %s)", type(pattern)), 2)
  elseif pattern and (#pattern > 64 or find(pattern, "%%[EO]")) then
    error("bad argument #1 to 'date' (a format of at most 64 bytes, without %E and %O)", 2)
  elseif moment == nil and now then
    moment = floor(now())
  end
  return date(pattern, moment)
end

--- The library, new for each script.
---@return table
---@nodiscard
function times.new()
  return {
    time = now and followed_time or time,
    clock = elapsed and followed_clock or clock,
    difftime = difftime,
    date = checked_date,
  }
end

return times
