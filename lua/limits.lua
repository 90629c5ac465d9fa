--- What a state may use: memory that is asked for, and time that is taken away.
---
--- A watchdog outside stops a script by arming a hook in the main coroutine; coroutines have
--- hooks of their own, which look whether the main one is armed (see `coroutines.lua`).
local raw = require("host.raw")

local collectgarbage, error = collectgarbage, error
local gethook, sethook = debug.gethook, debug.sethook
local main = coroutine.running()

local limits = {}

--- How often the permanent hook looks at the clock, in VM instructions: about a millisecond.
local FALLBACK_INTERVAL = 100000

local soft_kib = 64 * 1024
local permanent = false

--- Sets the soft memory limit.
---@param bytes integer
function limits.set_memory(bytes)
  soft_kib = bytes / 1024
end

--- What is raised when a lent function is called with the memory used up.
limits.EXCEEDED = {}

--- Raises when the state holds more than its soft limit, even after a collection.
function limits.check_memory()
  if collectgarbage("count") > soft_kib then
    collectgarbage()
    if collectgarbage("count") > soft_kib then
      error(limits.EXCEEDED, 0)
    end
  end
end

--- Whether this state's time is over. Asked by the hooks of coroutines.
---@return boolean
function limits.is_over()
  if permanent then
    local _, over = raw.is_over()
    return over
  end
  return gethook(main) ~= nil
end

--- Installs a hook for good, where the watchdog cannot arm one from outside.
--- Weaker and slower; the host says so in its log.
function limits.use_permanent_hook()
  permanent = true
  local function tick()
    if limits.is_over() then
      sethook(main, tick, "", 1)
      error("time is over", 0)
    end
    sethook(main, tick, "", FALLBACK_INTERVAL)
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
