--- `os` for scripts: the clock and the calendar, and nothing else of it.
---
---     times.new().date("!%Y", 0)  --> "1970"
---     times.follow(now, elapsed)  -- in tests: the time is theirs
local arguments = require("host.walls.arguments")
local blame = require("host.walls.blame")

local clock, date, difftime, time = os.clock, os.date, os.difftime, os.time
local find, floor = string.find, math.floor

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
  return blame.call("time", time, fields)
end

local function followed_clock()
  return (elapsed())
end

-- `%E` and `%O` reach the C library's locale code; long formats its buffers.
local function checked_date(pattern, moment)
  pattern = pattern == nil and "%c" or arguments.text(1, "date", pattern)
  if #pattern > 64 or find(pattern, "%%[EO]") then
    arguments.refuse(1, "date", "a format of at most 64 bytes, without %E and %O")
  elseif moment == nil and now then
    moment = floor(now())
  end
  return blame.call("date", date, pattern, moment)
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

blame.hide()

return times
