--- The functions Python lends, as trusted Lua may call them: each answers its values, or
--- `nil, err`.
---
--- Python answers `true, values...` or `false, kind, message, retryable` and never raises: a
--- Python exception that reached a script's `pcall` would be a live Python object. What comes
--- back must fit below the hard memory limit, so the soft limit is checked before each call.
---
---     local lent = require("host.lent")
---     lent.publish("app:tasks", '{"id":1}', "", "") --> "0190...": the message id
local errors = require("errors")
local limits = require("host.limits")
local raw = require("host.raw")

local pairs = pairs
local new_error, check_memory, note_wait = errors.new, limits.check_memory, limits.note_wait

local lent = {}

local function answer(ok, first, second, third, ...)
  if ok then
    return first, second, third, ...
  end
  return nil, new_error({ kind = first, message = second, retryable = third })
end

local function wrap(call)
  return function(...)
    check_memory()
    return answer(call(...))
  end
end

local function wrap_waiting(call)
  return function(...)
    check_memory()
    note_wait()
    return answer(call(...))
  end
end

--- What may take long.
local WAITS = { sleep = true, call = true }

for name, call in pairs(raw) do
  lent[name] = WAITS[name] and wrap_waiting(call) or wrap(call)
end

return lent
