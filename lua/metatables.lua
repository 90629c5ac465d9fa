--- `setmetatable` and `getmetatable` for scripts.
---
--- A table gets a *copy* of the metatable's known events, never the script's own table: on 5.4.8
--- a weak table that is given a new metatable corrupts memory, finalizers run where no hook
--- fires, and ephemeron tables cost seconds in the collector. Checking for `__gc` and `__mode`
--- when the metatable is set is not enough, since `__mode` can be added later; the copy is.
---
--- While a file runs, the copy follows the original in everything. What a script can notice: of
--- the events that a handler adds to a metatable in use, only `__index` counts at once, for the
--- next table that gets it; the others count from the next message. `getmetatable` answers the
--- script's own table.
local error, ipairs, next, rawget, type = error, ipairs, next, rawget, type
local setmetatable = setmetatable
local raw_get = debug.getmetatable

local metatables = {}

--- What a copy takes over.
local EVENTS = {}
for _, event in ipairs({
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
}) do
  EVENTS[event] = true
end

-- A copy knows its original, and what is `ready` of it, by fields that no script can read, for no
-- script holds a copy.
local ORIGINAL, READY = {}, {}

-- Weak values, so that a copy goes with the last table that uses it; not weak keys, whose
-- collection is quadratic.
local function new_cache()
  return setmetatable({}, { __mode = "v" })
end

-- script's metatable -> its copy, for this delivery.
local copies = new_cache()
-- script's metatable -> what its `__index` is -> its copy: those that may be given away after this
-- glance, because no file is running, which may still add events. As a key, a value is compared
-- without the script's `__eq`; and since it is not nil, no other metatable answers in its place.
local ready = new_cache()
-- How many files are running.
local loading = 0

--- Called between deliveries: a class changed meanwhile is copied anew.
function metatables.reset()
  loading = 0
  if next(copies) then
    copies, ready = new_cache(), new_cache()
  end
end

-- What `getmetatable` answers is taken from the original: in the copy it only has to lock.
local function take(copy, meta)
  for event, value in next, meta do
    if EVENTS[event] then
      copy[event] = value
    elseif event == "__metatable" then
      copy.__metatable = false
    end
  end
end

-- Brings a copy up to date with its original.
local function follow(copy, meta)
  for event in next, copy do
    if event ~= ORIGINAL and event ~= READY then
      copy[event] = nil
    end
  end
  take(copy, meta)
end

--- A file begins to run.
function metatables.begin_loading()
  loading, ready = loading + 1, new_cache()
end

--- A file has run: the objects it made while its classes were growing get all of them.
function metatables.end_loading()
  loading = loading - 1
  for meta, copy in next, copies do
    follow(copy, meta)
  end
end

local function refuse_unsafe(meta)
  if rawget(meta, "__gc") ~= nil then
    error("a metatable with '__gc' is not available in the sandbox; use a <close> variable", 4)
  elseif rawget(meta, "__mode") ~= nil then
    error("a metatable with '__mode' (a weak table) is not available in the sandbox", 4)
  end
end

local function copy_of(meta)
  refuse_unsafe(meta)
  local copy = copies[meta]
  if not copy then
    copy = { [ORIGINAL] = meta, __index = nil }
    take(copy, meta)
    copies[meta] = copy
    return copy
  end
  follow(copy, meta)
  local index = copy.__index
  if loading == 0 and index ~= nil and index == index then
    copy[READY] = { [index] = copy }
    ready[meta] = copy[READY]
  end
  return copy
end

local function assign(target, meta)
  if type(target) ~= "table" then
    error("bad argument #1 to 'setmetatable' (table expected, got " .. type(target) .. ")", 2)
  elseif type(meta) ~= "table" and meta ~= nil then
    error("bad argument #2 to 'setmetatable' (nil or table expected)", 2)
  end
  local current = raw_get(target)
  if current and (current.__metatable ~= nil or not current[ORIGINAL]) then
    error("cannot change a protected metatable", 2)
  end
  return setmetatable(target, meta and copy_of(meta))
end

function metatables.setmetatable(target, meta)
  local known = ready[meta]
  local copy = known and known[meta.__index]
  if copy and target ~= nil then
    return setmetatable(target, copy)
  end
  return assign(target, meta)
end

function metatables.getmetatable(value)
  local meta = raw_get(value)
  if not meta then
    return nil
  end
  local original = meta[ORIGINAL]
  if not original then
    return meta.__metatable -- the host's own: locked, so never the table itself
  elseif meta.__metatable == nil then
    return original
  end
  return rawget(original, "__metatable")
end

--- Whether *value* is the host's: it has a metatable that no script gave it.
---@param value any
---@return boolean
function metatables.is_of_host(value)
  local meta = raw_get(value)
  return meta ~= nil and not meta[ORIGINAL]
end

return metatables
