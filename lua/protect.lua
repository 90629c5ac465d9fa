--- `pcall`, `xpcall` and the coroutine library for scripts: nothing they catch outlives the
--- watchdog.
---
--- In the main coroutine the watchdog's hook is a C function and raises at every instruction, so
--- `pcall` there is the stock one. A hook does not reach into other coroutines: each gets a Lua
--- hook of its own. That hook needs a C level to run in, and at the C-stack limit it has none,
--- so within coroutines whatever can catch an error (`pcall`, `resume`) nests at most 100 deep.
local limits = require("host.limits")
local trace = require("host.trace")

local pcall, xpcall, error, type = pcall, xpcall, error, type
local sethook = debug.sethook
local create, resume, status, running =
  coroutine.create, coroutine.resume, coroutine.status, coroutine.running
local close, yield, isyieldable = coroutine.close, coroutine.yield, coroutine.isyieldable
local is_over, handler = limits.is_over, trace.handler

local protect = {}

local MAX_CATCHERS = 100
--- From the deepest catcher a script needs more instructions than this to get back to the limit,
--- so the hook fires where there is room for it.
local HOOK_INTERVAL = 90

-- How many catchers are open, and how many the innermost `resume` found open: a coroutine that
-- yields out of its pcalls cannot count below that. Zero floor: the main coroutine.
local depth, floor = 0, 0

--- Called between deliveries.
function protect.reset()
  depth, floor = 0, 0
end

local function tick()
  if is_over() then
    sethook(tick, "", 1)
    error("time is over", 0)
  end
end

local function enter(name)
  if depth >= MAX_CATCHERS then
    error("too many nested calls of '" .. name .. "' in a coroutine", 3)
  end
  depth = depth + 1
end

local function leave(before, ...)
  depth = before < floor and floor or before
  return ...
end

function protect.pcall(f, ...)
  if floor == 0 then
    return pcall(f, ...)
  end
  local before = depth
  enter("pcall")
  return leave(before, pcall(f, ...))
end

local function forget_stack(_, ...)
  trace.unwound = nil
  return false, ...
end

-- The script's handler runs after unwinding: inside an error it would run with hooks off.
local function handle(user_handler, ok, ...)
  if ok then
    return true, ...
  end
  local raised = ...
  if type(raised) ~= "table" or raised.stack == nil then
    return false, raised -- Lua itself gave up: "C stack overflow", or no memory
  end
  trace.unwound = raised.stack
  return forget_stack(protect.pcall(user_handler, raised.value))
end

function protect.xpcall(f, user_handler, ...)
  if type(user_handler) ~= "function" then
    error("bad argument #2 to 'xpcall' (function expected, got " .. type(user_handler) .. ")", 2)
  end
  if floor == 0 then
    return handle(user_handler, xpcall(f, handler, ...))
  end
  local before = depth
  enter("xpcall")
  return handle(user_handler, leave(before, xpcall(f, handler, ...)))
end

local function create_hooked(f)
  if type(f) ~= "function" then
    error("bad argument #1 to 'create' (function expected)", 3)
  end
  local co = create(f)
  sethook(co, tick, "", HOOK_INTERVAL)
  return co
end

local function resumed(before, before_floor, ...)
  depth, floor = before, before_floor
  return ...
end

local function resume_counted(co, ...)
  local before, before_floor = depth, floor
  enter("resume")
  floor = depth
  return resumed(before, before_floor, resume(co, ...))
end

-- What `coroutine.wrap` does with a failure: closes the coroutine, adds the place to a string.
local function unwrap(co, ok, ...)
  if ok then
    return ...
  end
  local problem = ...
  if status(co) == "dead" then
    local closed, other = close(co)
    if not closed then
      problem = other
    end
  end
  error(problem, 0)
end

--- A fresh `coroutine` library.
---@return table
function protect.new_coroutine_library()
  local library = { status = status, running = running, yield = yield, isyieldable = isyieldable }

  function library.create(f)
    return create_hooked(f)
  end

  function library.resume(co, ...)
    if type(co) ~= "thread" then
      error("bad argument #1 to 'resume' (coroutine expected)", 2)
    end
    return resume_counted(co, ...)
  end

  function library.wrap(f)
    local co = create_hooked(f)
    return function(...)
      return unwrap(co, resume_counted(co, ...))
    end
  end

  function library.close(co)
    if type(co) ~= "thread" then
      error("bad argument #1 to 'close' (coroutine expected)", 2)
    end
    local state = status(co)
    if state ~= "suspended" and state ~= "dead" then
      error("cannot close a " .. state .. " coroutine", 2)
    end
    return close(co)
  end

  return library
end

return protect
