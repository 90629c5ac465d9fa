--- `setmetatable`, `getmetatable` and `rawset` for scripts.
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
local error, ipairs, next, rawget, rawset, type = error, ipairs, next, rawget, rawset, type
local setmetatable, tostring = setmetatable, tostring
local raw_get = debug.getmetatable

local metatables = {}

--- What a copy takes over, and what is refused, with the reason.
local EVENTS = {
  __gc = "a metatable with '__gc' is not available in the sandbox; use a <close> variable",
  __mode = "a metatable with '__mode' (a weak table) is not available in the sandbox",
}
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
  "__metatable",
}) do
  EVENTS[event] = true
end

-- A copy knows its original, and what is `ready` of it, by fields that no script can read, for no
-- script holds a copy.
local ORIGINAL, READY = {}, {}

--- Copies that a handler makes before the cache begins anew: a script that gives every object a
--- metatable of its own would only fill it.
local MOST = 30

-- Weak values, so that a copy goes with the last table that uses it; not weak keys, whose
-- collection is quadratic.
local WEAK = { __mode = "v" }
-- script's metatable -> its copy, for this delivery.
local copies = setmetatable({}, WEAK)
-- script's metatable -> what its `__index` is -> its copy: those that may be given away after this
-- glance, because no file is running, which may still add events. As a key, a value is compared
-- without the script's `__eq`; and since it is not nil, no other metatable answers in its place.
local ready = setmetatable({}, WEAK)
-- How many copies were made since the cache was new, and how many files are running.
local made, loading = 0, 0

local function forget()
  copies, ready, made = setmetatable({}, WEAK), setmetatable({}, WEAK), 0
end

--- Called between deliveries: a class changed meanwhile is copied anew.
function metatables.reset()
  loading = 0
  if made > 0 then
    forget()
  end
end

-- Fills a copy. What `getmetatable` answers is taken from the original: here it only has to lock.
local function take(copy, meta, level)
  for event, value in next, meta do
    local kind = EVENTS[event]
    if kind == true then
      copy[event] = value
    elseif kind and level then
      error(kind, level)
    end
  end
  if copy.__metatable ~= nil then
    copy.__metatable = false
  end
end

-- Brings a copy up to date; without a level, what is refused is left out.
local function follow(copy, meta, level)
  for event in next, copy do
    if event ~= ORIGINAL and event ~= READY then
      copy[event] = nil
    end
  end
  take(copy, meta, level)
end

--- A file begins to run.
function metatables.begin_loading()
  loading, ready = loading + 1, setmetatable({}, WEAK)
end

--- A file has run: the objects it made while its classes were growing get all of them.
function metatables.end_loading()
  loading = loading - 1
  for meta, copy in next, copies do
    follow(copy, meta)
  end
end

local function first_copy_of(meta)
  local copy = { [ORIGINAL] = meta, __index = nil }
  take(copy, meta, 4)
  if made >= MOST and loading == 0 then
    forget()
  end
  made = made + 1
  copies[meta] = copy
  return copy
end

-- Of a metatable that is in use already.
local function same_copy_of(meta, copy)
  follow(copy, meta, 5)
  local index = copy.__index
  if loading == 0 and index ~= nil and index == index then
    copy[READY] = { [index] = copy }
    ready[meta] = copy[READY]
  end
  return copy
end

local function refuse_change(target)
  local current = raw_get(target)
  if current.__metatable ~= nil or not current[ORIGINAL] then
    error("cannot change a protected metatable", 3)
  end
end

function metatables.setmetatable(target, meta)
  local known = ready[meta]
  local copy = known and known[meta.__index]
  if copy and target ~= nil then
    return setmetatable(target, copy)
  elseif type(target) ~= "table" then
    error("bad argument #1 to 'setmetatable' (table expected, got " .. type(target) .. ")", 2)
  elseif raw_get(target) then
    refuse_change(target)
  end
  if meta == nil then
    return setmetatable(target, nil)
  elseif type(meta) ~= "table" then
    error("bad argument #2 to 'setmetatable' (nil or table expected)", 2)
  end
  copy = copies[meta]
  return setmetatable(target, copy and same_copy_of(meta, copy) or first_copy_of(meta))
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

local function refuse_write(target, key)
  if target == nil then
    error("bad argument #1 to 'rawset' (table expected, got nil)", 3)
  end
  error("cannot change '" .. tostring(key) .. "': the table is read-only", 3)
end

--- Refuses the host's own objects: those with a metatable that no script gave them.
function metatables.rawset(target, key, value)
  local meta = raw_get(target)
  if target == nil or meta and not meta[ORIGINAL] then
    refuse_write(target, key)
  end
  rawset(target, key, value)
  return target
end

return metatables
