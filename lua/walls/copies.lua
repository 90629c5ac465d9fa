--- Metatables where the collector cannot be made to look for other names (see `names`): a table
--- gets a *copy* of the metatable's known events, never the script's own table.
---
--- On 5.4.8 a weak table that is given a new metatable corrupts memory, finalizers run where no
--- hook fires, and ephemeron tables cost seconds in the collector. To look for `__gc` and `__mode`
--- when the metatable is set is not enough, since `__mode` can be added later; the copy is.
---
--- While a file runs, the copy follows the original in everything. What a script can notice: of
--- the events that a handler adds to a metatable in use, only `__index` counts at once, for the
--- next table that gets it; the others count from the next message. `getmetatable` answers the
--- script's own table.
local weak = require("host.walls.weak")

local error, ipairs, next, rawget, type = error, ipairs, next, rawget, type
local setmetatable = setmetatable
local raw_get = debug.getmetatable

local copies = {}

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

-- script's metatable -> its copy, for this delivery. Weak values, so that a copy goes with the last
-- table that uses it; not weak keys, whose collection is quadratic.
local copy_of = weak("v")
-- script's metatable -> what its `__index` is -> its copy: those that may be given away after this
-- glance, because no file is running, which may still add events. As a key, a value is compared
-- without the script's `__eq`; and since it is not nil, no other metatable answers in its place.
local ready = weak("v")
-- How many copies were made since the cache was new, and how many files are running.
local made, loading = 0, 0

local function forget()
  copy_of, ready, made = weak("v"), weak("v"), 0
end

--- Called between deliveries: a class changed meanwhile is copied anew.
function copies.reset()
  loading = 0
  if made > 0 then
    forget()
  end
end

-- Fills a copy. What `getmetatable` answers is taken from the original: here it only has to lock.
local function take(copy, meta)
  for event, value in next, meta do
    if EVENTS[event] then
      copy[event] = value
    end
  end
  if copy.__metatable ~= nil then
    copy.__metatable = false
  end
end

-- Brings a copy up to date.
local function follow(copy, meta)
  for event in next, copy do
    if event ~= ORIGINAL and event ~= READY then
      copy[event] = nil
    end
  end
  take(copy, meta)
end

--- A file begins to run.
function copies.begin_loading()
  loading, ready = loading + 1, weak("v")
end

--- A file has run: the objects it made while its classes were growing get all of them.
function copies.end_loading()
  loading = loading - 1
  for meta, copy in next, copy_of do
    follow(copy, meta)
  end
end

local function first_copy_of(meta)
  local copy = { [ORIGINAL] = meta, __index = nil }
  take(copy, meta)
  if made >= MOST and loading == 0 then
    forget()
  end
  made = made + 1
  copy_of[meta] = copy
  return copy
end

-- Of a metatable that is in use already.
local function same_copy_of(meta, copy)
  follow(copy, meta)
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

function copies.setmetatable(target, meta)
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
  copy = copy_of[meta]
  return setmetatable(target, copy and same_copy_of(meta, copy) or first_copy_of(meta))
end

function copies.getmetatable(value)
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

--- The metatable that a script gave; the host's own for its objects.
function copies.of(value)
  local meta = raw_get(value)
  return meta and meta[ORIGINAL] or meta
end

return copies
