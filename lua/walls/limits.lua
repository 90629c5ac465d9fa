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

--- What is raised when memory is used up, by Lua itself and by `check_memory`: a state that it
--- ends has broken its limit.
limits.EXCEEDED = "not enough memory"

--- KiB that were left in use by the last collection for a call.
local kept_kib = 0

--- Collects before a call to another state, whose memory is what this one leaves of its own: not
--- for little, and not again and again where all of it is in use.
function limits.collect_for_call()
  if collectgarbage("count") > kept_kib + soft_kib / 8 then
    collectgarbage()
    kept_kib = collectgarbage("count")
  end
end

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

--- What hooks are for besides the count: lines, once they are watched.
limits.hook_mask = ""
---@type fun(line: integer, level: integer)?
limits.note_line = nil

--- Has every line told that runs from now on, by each coroutine's hook; called in the main one.
---@param note fun(line: integer, level: integer)  the level of its function, for who calls `note`
function limits.watch_lines(note)
  limits.note_line, limits.hook_mask = note, "l"
  if permanent then
    limits.use_permanent_hook()
  else
    sethook(main, function(_, line)
      note(line, 2)
    end, "l")
  end
end

-- The permanent hook, and how far apart its looks are.
local function tick(event, line)
  if event == "line" then
    limits.note_line(line, 2)
  elseif limits.is_over() then
    error("time is over", 0)
  end
end

local function hook_main(interval)
  sethook(main, tick, limits.hook_mask, interval)
end

-- Python's answer must fit below the hard limit, as any lent function's.
local function look_at_the_clock()
  limits.check_memory()
  looked_at = clock()
  local _, answer = raw.is_over()
  over = answer
  if over then
    hook_main(1) -- from now on every instruction raises, as with the watchdog
  end
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
  hook_main(FALLBACK_INTERVAL)
end

local waited = false

--- What is to be done when a script begins to wait; nil where nobody waits with it.
---@type fun()?
limits.on_wait = nil

--- Says that the script waits for something: other messages are not to wait with its own.
function limits.note_wait()
  if not waited and limits.on_wait then
    limits.on_wait()
  end
  waited = true
end

--- Whether the script waited since `forget_waits`.
---@return boolean
function limits.has_waited()
  return waited
end

--- Called before a batch.
function limits.forget_waits()
  waited, limits.on_wait = false, nil
end

--- Called between deliveries: the permanent hook may still be at its stopping pace.
function limits.rearm()
  if permanent then
    limits.use_permanent_hook()
  end
end

return limits
