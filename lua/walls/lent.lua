--- The functions Python lends, as trusted Lua may call them: each answers its values, or
--- `nil, err`.
---
--- Python answers `true, values...` or `false, kind, message, retryable` and never raises: a
--- Python exception that reached a script's `pcall` would be a live Python object. What comes
--- back must fit below the hard memory limit, so the soft limit is checked before each call.
---
---     local lent = require("host.walls.lent")
---     lent.publish("app:tasks", '{"id":1}') --> "0190...": the message id
local errors = require("errors")
local limits = require("host.walls.limits")
local misses = require("host.walls.misses")
local raw = require("host.raw")
local waits = require("host.waits")

local next, select, setmetatable, type = next, select, setmetatable, type
local new_error, check_memory, note_wait = errors.new, limits.check_memory, limits.note_wait

-- What is nil for these reasons is often gone on with.
local MISSES = { [errors.NOT_FOUND] = true, [errors.PERMISSION_DENIED] = true }

local lent = {}

local function answer(ok, first, second, third, ...)
  if ok then
    misses.last = nil
    return first, second, third, ...
  end
  local err = new_error({ kind = first, message = second, retryable = third })
  misses.last = MISSES[first] and err or nil
  return nil, err
end

-- A table, a function or a coroutine in Python's hands could be called from there, on the wrong
-- coroutine and with Python's objects. Scripts can put one where a module expects a text of its
-- own, so all of them are looked at here.
local CROSSES = { ["nil"] = true, boolean = true, number = true, string = true }

--- Whether one of many arguments cannot cross.
local function is_one_strange(...)
  for _, value in next, { ... } do
    if not CROSSES[type(value)] then
      return true
    end
  end
  return false
end

--- Whether one of the arguments cannot cross; looks at few without a table.
local function has_stranger(count, a, b, c, d, e, ...)
  local are_plain = CROSSES[type(a)]
    and CROSSES[type(b)]
    and CROSSES[type(c)]
    and CROSSES[type(d)]
    and CROSSES[type(e)]
  if not are_plain or count <= 5 then
    return not are_plain
  elseif count <= 15 then
    return has_stranger(count - 5, ...)
  end
  return is_one_strange(...)
end

local function refused()
  local text = "only texts, numbers and booleans can be handed to the host"
  return nil, new_error({ kind = errors.INVALID, message = text, retryable = false })
end

local function wrap(call)
  return function(...)
    local a, b, c = ...
    local count = select("#", ...)
    local are_plain = CROSSES[type(a)] and CROSSES[type(b)] and CROSSES[type(c)]
    if not are_plain or (count > 3 and has_stranger(count, ...)) then
      return refused()
    end
    check_memory()
    return answer(call(...))
  end
end

local function wrap_waiting(call)
  local wrapped = wrap(call)
  return function(...)
    note_wait()
    return wrapped(...)
  end
end

setmetatable(lent, {
  __index = function(known, name)
    local call = raw[name]
    if call then
      known[name] = waits[name] and wrap_waiting(call) or wrap(call)
    end
    return call and known[name]
  end,
})

return lent
