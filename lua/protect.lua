--- `pcall`, `xpcall` and the coroutine library for scripts: nothing they catch outlives the
--- watchdog.
---
--- In the main coroutine the watchdog's hook is a C function and raises at every instruction. A
--- hook does not reach into other coroutines: each gets a Lua hook of its own, and that one needs a
--- C level to run in. Where the script has used them all up, the call of the hook is itself an
--- error that looks like any other; so whoever catches an error there asks whether time is over.
--- And since errors that are caught in a coroutine give its C levels back, nothing but the hook
--- keeps it from stacking up protected calls by the thousand, which take seconds to come down.
local limits = require("host.limits")
local trace = require("host.trace")

local error, pcall, select, type, xpcall = error, pcall, select, type, xpcall
local coroutine, getinfo, sethook = coroutine, debug.getinfo, debug.sethook
local close, create, resume, running, wrap =
  coroutine.close, coroutine.create, coroutine.resume, coroutine.running, coroutine.wrap
local is_over, handler = limits.is_over, trace.handler

local protect = {}

--- Instructions between two looks of a coroutine's hook.
local HOOK_INTERVAL = 90
--- How many calls may be open in a coroutine: to unwind protected ones costs the square of it.
local DEEPEST = 5000
local OVER = "time is over"
local TOO_DEEP = "stack overflow (at most " .. DEEPEST .. " calls deep in a coroutine)"

--- Whether a hook in Lua may have failed where an error is caught: for good, once the state has had
--- a coroutine. Before that the stock `pcall` will do.
local careful = false

--- Installs a hook for good, where the watchdog cannot arm one from outside.
function protect.use_permanent_hook()
  careful = true
  limits.use_permanent_hook()
end

local function is_too_deep()
  return getinfo(DEEPEST, "l") ~= nil and not select(2, running())
end

local ticks = 0

local function tick()
  ticks = ticks + 1
  if is_over() then
    sethook(tick, "", 1)
    error(OVER, 0)
  elseif ticks & 15 == 0 and is_too_deep() then
    error(TOO_DEEP, 0)
  end
end

--- Raises anew what must not be caught.
local function let_pass()
  if is_over() then
    error(OVER, 0)
  elseif is_too_deep() then
    error(TOO_DEEP, 0)
  end
end

local function checked(ok, ...)
  if not ok then
    let_pass()
  end
  return ok, ...
end

function protect.pcall(f, ...)
  if careful then
    return checked(pcall(f, ...))
  end
  return pcall(f, ...)
end

local function forget_stack(_, ...)
  trace.unwound = nil
  return false, ...
end

-- The script's handler runs after unwinding: inside an error it would run with hooks off.
local function handle(user_handler, ok, ...)
  if ok then
    return true, ...
  elseif careful then
    let_pass()
  end
  local value, stack = trace.raised((...))
  trace.unwound = stack
  return forget_stack(protect.pcall(user_handler, value))
end

local function failed(_, ...)
  return false, ...
end

-- The same where nobody asks for the stack: to look at it costs much more than all the rest.
local function handle_quickly(user_handler, ok, ...)
  if ok then
    return true, ...
  elseif careful then
    let_pass()
  end
  return failed(protect.pcall(user_handler, ...))
end

function protect.xpcall(f, user_handler, ...)
  if type(user_handler) ~= "function" then
    error("bad argument #2 to 'xpcall' (function expected, got " .. type(user_handler) .. ")", 2)
  elseif trace.is_wanted() then
    return handle(user_handler, xpcall(f, handler, ...))
  end
  return handle_quickly(user_handler, pcall(f, ...))
end

local function raise_again(ok, ...)
  if ok then
    return ...
  end
  error((...), 0)
end

-- An error that a hook raises leaves hooks off in a coroutine that dies of it, and closing such a
-- one would run `__close` for as long as it likes. With the pcall inside, whatever is to be closed
-- is closed there, where hooks are on again.
local function body_of(f, name)
  if type(f) ~= "function" then
    error("bad argument #1 to '" .. name .. "' (function expected, got " .. type(f) .. ")", 3)
  end
  careful = true
  return function(...)
    limits.set_hook(tick, HOOK_INTERVAL)
    return raise_again(pcall(f, ...))
  end
end

--- A fresh `coroutine` library.
---@return table
function protect.new_coroutine_library()
  local library = {
    isyieldable = coroutine.isyieldable,
    running = running,
    status = coroutine.status,
    yield = coroutine.yield,
  }

  function library.create(f)
    return create(body_of(f, "create"))
  end

  function library.wrap(f)
    return wrap(body_of(f, "wrap"))
  end

  function library.resume(co, ...)
    if co == nil then
      error("bad argument #1 to 'resume' (coroutine expected, got nil)", 2)
    end
    return checked(resume(co, ...))
  end

  function library.close(co)
    if type(co) ~= "thread" then
      error("bad argument #1 to 'close' (coroutine expected, got " .. type(co) .. ")", 2)
    end
    return checked(close(co))
  end

  return library
end

return protect
