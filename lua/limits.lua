--- What a state may use: memory that is asked for, and time that is taken away.
---
--- A watchdog outside stops a script by arming a hook in the main coroutine; coroutines have
--- hooks of their own, which look whether the main one is armed (see `protect`).
local raw = require("host.raw")

local clock, collectgarbage, error = os.clock, collectgarbage, error
local gethook, sethook = debug.gethook, debug.sethook
local main = coroutine.running()

local limits = {}

--- Instructions between two glances of the permanent hook. A slow C function may be among each few.
local FALLBACK_INTERVAL = 1000
--- Seconds of the process between two looks at the clock: it is Python's, which may be busy.
local BETWEEN_LOOKS = 0.01

local soft_kib = 64 * 1024
local permanent, over = false, false
local looked_at = 0

--- Sets the soft memory limit.
---@param bytes integer
function limits.set_memory(bytes)
  soft_kib = bytes / 1024
end

--- What is raised when memory is used up, by Lua itself and by `check_memory`: a state in which
--- it is raised to the end has broken its limit, whoever says so.
limits.EXCEEDED = "not enough memory"

--- Raises when the state holds more than its soft limit, even after a collection.
function limits.check_memory()
  if collectgarbage("count") > soft_kib then
    collectgarbage()
    if collectgarbage("count") > soft_kib then
      error(limits.EXCEEDED, 0)
    end
  end
end

-- The watchdog's hook is a C function; one in Lua only notes lines.
local function is_armed()
  return gethook(main) == "external hook"
end

---@type fun(line: integer, level: integer)?
local on_line

--- Sets the hook of the running coroutine; where lines are noted, it tells of them as well.
---@param tick fun()
---@param interval integer  in VM instructions; 0 for never
local function set_hook(tick, interval)
  if not on_line then
    sethook(tick, "", interval)
    return
  end
  sethook(function(event, line)
    if event == "line" then
      on_line(line, 2)
    else
      tick()
    end
  end, "l", interval)
end

limits.set_hook = set_hook

--- Has every line told that runs from now on; called in the main coroutine.
---@param note fun(line: integer, level: integer)  the level of its function, for who calls `note`
function limits.watch_lines(note)
  on_line = note
  if permanent then
    limits.use_permanent_hook()
  else
    set_hook(error, 0)
  end
end

-- Python's answer must fit below the hard limit, as any lent function's.
local function look_at_the_clock()
  limits.check_memory()
  looked_at = clock()
  local _, answer = raw.is_over()
  over = answer
  return answer
end

--- Whether this state's time is over; with the permanent hook it may be noticed a little late.
---@return boolean
function limits.is_over()
  if not permanent then
    return is_armed()
  end
  return over or (clock() - looked_at > BETWEEN_LOOKS and look_at_the_clock())
end

--- Installs a hook for good, where the watchdog cannot arm one from outside.
--- Weaker and slower; the host says so in its log.
function limits.use_permanent_hook()
  permanent, over = true, false
  local function tick()
    if limits.is_over() then
      sethook(main, tick, "", 1)
      error("time is over", 0)
    end
  end
  sethook(main, tick, "", FALLBACK_INTERVAL)
end

local waited = false

--- Says that the script waits for something: the next messages should not wait with it.
function limits.note_wait()
  waited = true
end

--- Whether the script waited since `forget_waits`.
---@return boolean
function limits.has_waited()
  return waited
end

--- Called before a batch.
function limits.forget_waits()
  waited = false
end

--- Called between deliveries: the permanent hook may still be at its stopping pace.
function limits.rearm()
  if permanent then
    limits.use_permanent_hook()
  end
end

return limits
