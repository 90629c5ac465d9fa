--- `pcall`, `xpcall` and the coroutine library for scripts: nothing they catch outlives the
--- watchdog.
---
--- In the main coroutine the watchdog's hook is a C function and raises at every instruction. A
--- hook does not reach into other coroutines: each gets a Lua hook of its own, and that one needs a
--- C level to run in. Where the script has used them all up, the call of the hook is itself an
--- error that looks like any other; so code that is about to catch errors asks, every few times,
--- whether time is over. And since errors that are caught in a coroutine give its C levels back,
--- nothing else keeps it from stacking up protected calls by the thousand, which take seconds to
--- come down.
local limits = require("host.walls.limits")
local trace = require("host.walls.trace")
local weak = require("host.walls.weak")

local error, pcall, select, type, xpcall = error, pcall, select, type, xpcall
local coroutine, getinfo = coroutine, debug.getinfo
local close, create, resume, running, status =
  coroutine.close, coroutine.create, coroutine.resume, coroutine.running, coroutine.status
local find, sethook = string.find, debug.sethook
local is_over = limits.is_over

local protect = {}

--- Instructions between two looks of a coroutine's hook.
local HOOK_INTERVAL = 500
--- Protected calls between two looks at time and depth.
local CALLS_BETWEEN_LOOKS = 16
--- How many calls may be open in a coroutine: to unwind protected ones costs the square of it.
local DEEPEST = 5000
local OVER = "time is over"
local TOO_DEEP = "stack overflow (at most " .. DEEPEST .. " calls deep in a coroutine)"

--- Protected calls until the next look. None is needed before the state has had a coroutine.
local calls_left = math.maxinteger

--- Installs a hook for good, where the watchdog cannot arm one from outside.
function protect.use_permanent_hook()
  calls_left = CALLS_BETWEEN_LOOKS
  limits.use_permanent_hook()
end

-- Raises what no protected call may outlive. Once there is something to raise, it looks each time.
local function look()
  calls_left = 0
  if is_over() then
    error(OVER, 0)
  elseif getinfo(DEEPEST, "l") then
    local _, is_main = running()
    if not is_main then
      error(TOO_DEEP, 0)
    end
  end
  calls_left = CALLS_BETWEEN_LOOKS
end

-- A coroutine's hook. It raises nothing else: an error out of a hook leaves a coroutine that dies
-- of it without hooks, and nothing may run there any more, not even what is to be closed.
local function tick(event, line)
  if event == "line" then
    limits.note_line(line, 2)
  elseif is_over() then
    calls_left = 0
    sethook(tick, "", 1)
    error(OVER, 0)
  end
end

function protect.pcall(...)
  if ... == nil and select("#", ...) == 0 then
    error("bad argument #1 to 'pcall' (value expected)", 2)
  end
  calls_left = calls_left - 1
  if calls_left < 0 then
    look()
  end
  return pcall(...)
end

local function forget_stack(_, ...)
  trace.unwound = nil
  return false, ...
end

-- The script's handler runs after unwinding: inside an error it would run with hooks off.
local function handle(user_handler, record, ok, ...)
  if ok then
    return true, ...
  end
  local value = ...
  trace.unwound = trace.of(value, record)
  return forget_stack(pcall(user_handler, value))
end

local function failed(_, ...)
  return false, ...
end

-- The same where the stack is not needed: to look at it costs much more than all the rest.
local function handle_quickly(user_handler, ok, ...)
  if ok then
    return true, ...
  end
  return failed(pcall(user_handler, ...))
end

function protect.xpcall(f, user_handler, ...)
  if type(user_handler) ~= "function" then
    error("bad argument #2 to 'xpcall' (function expected, got " .. type(user_handler) .. ")", 2)
  end
  calls_left = calls_left - 1
  if calls_left < 0 then
    look()
  end
  if trace.wanted then
    local record = {}
    return handle(user_handler, record, xpcall(f, trace.noting(record), ...))
  end
  return handle_quickly(user_handler, pcall(f, ...))
end

local function refuse(value, name, expected)
  error(("bad argument #1 to '%s' (%s expected, got %s)"):format(name, expected, type(value)), 3)
end

-- What Lua says when it fails itself, perhaps while it calls a hook: a coroutine that dies of this
-- may be without hooks, so nothing may run there any more. And what it says of one that has died.
local FAILURES =
  { "stack overflow", "not enough memory", "error in error handling", "cannot resume" }

local function may_have_lost_hooks(problem)
  if type(problem) == "string" then
    for index = 1, #FAILURES do
      if find(problem, FAILURES[index], 1, true) then
        return true
      end
    end
  end
  return false
end

-- Coroutines that died of an error with their hooks on. Any other stays as it is for good.
local closable = weak("k")

local function checked(co, ok, ...)
  if not ok then
    look()
    if not may_have_lost_hooks((...)) then
      closable[co] = true
    end
  end
  return ok, ...
end

local function close_safely(co)
  look()
  local state = status(co)
  if state == "running" or state == "normal" then
    error("cannot close a " .. state .. " coroutine", 2) -- called in place of the library's
  elseif state == "dead" and getinfo(co, 0, "") and not closable[co] then
    return false,
      "the coroutine ended where nothing can run any more, not even what is to be closed"
  end
  return close(co)
end

-- What a wrapped coroutine answers; its error, as in stock Lua, after what it had to close.
local function unwrap(co, ok, ...)
  if ok then
    return ...
  end
  local problem = (...)
  checked(co, ok, problem)
  if closable[co] then
    local _, last = close(co)
    problem = last == nil and problem or last
  end
  error(problem, problem == limits.EXCEEDED and 0 or 2)
end

--- A fresh `coroutine` library.
---@return table
function protect.new_coroutine_library()
  local library = {
    isyieldable = coroutine.isyieldable,
    running = running,
    status = status,
    yield = coroutine.yield,
  }

  function library.create(f)
    if type(f) ~= "function" then
      refuse(f, "create", "function")
    end
    if calls_left > CALLS_BETWEEN_LOOKS then
      calls_left = CALLS_BETWEEN_LOOKS
    end
    local co = create(f)
    sethook(co, tick, limits.hook_mask, HOOK_INTERVAL)
    return co
  end

  function library.wrap(f)
    if type(f) ~= "function" then
      refuse(f, "wrap", "function")
    end
    if calls_left > CALLS_BETWEEN_LOOKS then
      calls_left = CALLS_BETWEEN_LOOKS
    end
    local co = create(f)
    sethook(co, tick, limits.hook_mask, HOOK_INTERVAL)
    return function(...)
      return unwrap(co, resume(co, ...))
    end
  end

  function library.resume(co, ...)
    if type(co) ~= "thread" then
      refuse(co, "resume", "thread")
    end
    return checked(co, resume(co, ...))
  end

  function library.close(co)
    if type(co) ~= "thread" then
      refuse(co, "close", "thread")
    end
    return close_safely(co)
  end

  return library
end

return protect
