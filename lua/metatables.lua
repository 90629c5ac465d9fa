--- `setmetatable` and `getmetatable` for scripts.
---
--- A table gets a *copy* of the metatable's known events, never the script's own table: on 5.4.8
--- a weak table that is given a new metatable corrupts memory, finalizers run where no hook
--- fires, and ephemeron tables cost seconds in the collector. Checking for `__gc` and `__mode`
--- when the metatable is set is not enough, since `__mode` can be added later; the copy is.
---
--- What a script can notice: an event added to a metatable after it was set counts from the next
--- `setmetatable` with it. `getmetatable` answers the script's own table.
local error, next, type, rawget, setmetatable = error, next, type, rawget, setmetatable
local raw_get, raw_set = debug.getmetatable, debug.setmetatable

local metatables = {}

local EVENTS = {
  "__index",
  "__newindex",
  "__call",
  "__tostring",
  "__name",
  "__eq",
  "__lt",
  "__le",
  "__len",
  "__concat",
  "__unm",
  "__add",
  "__sub",
  "__mul",
  "__div",
  "__mod",
  "__pow",
  "__idiv",
  "__band",
  "__bor",
  "__bxor",
  "__shl",
  "__shr",
  "__bnot",
  "__pairs",
  "__close",
}

-- A copy knows its original by a field that no script can read, for no script holds a copy.
local ORIGINAL = {}

-- script's metatable -> its copy, for this delivery. Weak values, so that a copy goes with the
-- last table that uses it; not weak keys, whose collection is quadratic.
local function new_cache()
  return setmetatable({}, { __mode = "v" })
end

local copies = new_cache()

--- Called between deliveries: a class changed meanwhile is copied anew.
function metatables.reset()
  if next(copies) then
    copies = new_cache()
  end
end

local function copy_of(meta)
  if rawget(meta, "__gc") ~= nil then
    error("a metatable with '__gc' is not available in the sandbox; use a <close> variable", 3)
  elseif rawget(meta, "__mode") ~= nil then
    error("a metatable with '__mode' (a weak table) is not available in the sandbox", 3)
  end
  local copy = { [ORIGINAL] = meta, __metatable = false }
  for index = 1, #EVENTS do
    local event = EVENTS[index]
    copy[event] = rawget(meta, event)
  end
  copies[meta] = copy
  return copy
end

function metatables.setmetatable(target, meta)
  if type(target) ~= "table" then
    error("bad argument #1 to 'setmetatable' (table expected, got " .. type(target) .. ")", 2)
  elseif type(meta) ~= "table" and meta ~= nil then
    error("bad argument #2 to 'setmetatable' (nil or table expected)", 2)
  end
  local current = raw_get(target)
  if current then
    local original = current[ORIGINAL]
    if not original or rawget(original, "__metatable") ~= nil then
      error("cannot change a protected metatable", 2)
    end
  end
  if meta == nil then
    return raw_set(target, nil)
  end
  local copy = copies[meta]
  if
    not copy
    or copy.__index ~= rawget(meta, "__index")
    or copy.__newindex ~= rawget(meta, "__newindex")
  then
    copy = copy_of(meta)
  end
  return raw_set(target, copy)
end

function metatables.getmetatable(value)
  local meta = raw_get(value)
  if meta == nil then
    return nil
  end
  local original = meta[ORIGINAL]
  if not original then
    return meta.__metatable -- the host's own: locked, so never the table itself
  end
  local lock = rawget(original, "__metatable")
  if lock ~= nil then
    return lock
  end
  return original
end

return metatables
