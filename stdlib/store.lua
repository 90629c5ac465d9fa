--- Values by key, shared by all functions of the host.
---
---     local store = require("store")
---     local seen = store.open("app:seen")
---     seen:set("order-7", { state = "paid" }, { ttl = "1h" })  --> true
---     seen:get("order-7").state                                --> "paid"
---     seen:incr("orders")                                      --> 1
---
--- In the store's own namespace its bare name will do. Values are what JSON can carry. They are
--- copied in and out: changing a table that came out changes nothing in the store.
local check = require("check")
local durations = require("host.run.durations")
local errors = require("errors")
local json = require("json")
local lent = require("host.walls.lent")
local lock = require("host.walls.lock")
local bare_names = require("host.walls.bare_names")

local error, rawget, setmetatable = error, rawget, setmetatable
local format = string.format
local read, write, delete = lent.store_get, lent.store_set, lent.store_delete
local find, list, add = lent.store_open, lent.store_keys, lent.store_incr

local store = {}

---@class (exact) store.Options
---@field ttl? string|number   how long the value lives (default: for good)

local OPTIONS = { ttl = { type = "string|number" } }

---@class store.Store
local methods = {}

-- Also the answer of `getmetatable`, so that scripts cannot reach the real one.
local NAME = "store"
local Store = lock.metatable({ __index = methods, __name = NAME }, NAME)

local function invalid(text, ...)
  local message = "store: " .. format(text, ...)
  return nil, errors.new({ kind = errors.INVALID, message = message, retryable = false })
end

--- The id of the store that a method was called on; raises when it was called with a dot.
local function id_of(self, method)
  local id = lock.is_of(self, Store) and rawget(self, "id")
  if not id then
    error(format("store:%s() is called with a colon, on what store.open answers", method), 3)
  end
  return id
end

--- The seconds that the options give, nil for ever; or nil and an error.
local function ttl_of(where, options)
  if options == nil then
    return nil, nil
  end
  local fields, fault = check.read(options, OPTIONS)
  local ttl
  if fields and fields.ttl ~= nil then
    ttl, fault = durations.parse(fields.ttl)
    if ttl == 0 then
      ttl, fault = nil, "more than 0 seconds are expected"
    end
    fault = fault and "option 'ttl': " .. fault
  end
  if fault then
    return invalid("%s: %s", where, fault)
  end
  return ttl, nil
end

--- The value of a key.
---@param key string
---@return any value               nil without an error when there is none
---@return errors.Error|nil err
---@nodiscard
function methods:get(key)
  local id = id_of(self, "get")
  check.argument("store:get", "key", key, "string")
  local text, err = read(id, key)
  if text == nil then
    return nil, err
  end
  return json.decode(text)
end

--- Puts a value under a key.
---@param key string
---@param value any                what JSON can carry; to remove a value, use `delete`
---@param options? store.Options
---@return true|nil ok
---@return errors.Error|nil err    INVALID, RATE_LIMITED when the store is full
function methods:set(key, value, options)
  local id = id_of(self, "set")
  check.argument("store:set", "key", key, "string")
  if value == nil then
    return invalid("set: the value is nil; use delete to remove a key")
  end
  local text, fault = json.encode(value)
  if not text then
    return invalid("set: %s", fault)
  end
  local ttl, err = ttl_of("set", options)
  if not err then
    local _
    _, err = write(id, key, text, ttl)
  end
  if err then
    return nil, err
  end
  return true, nil
end

--- Removes a key.
---@param key string
---@return boolean|nil existed
---@return errors.Error|nil err
function methods:delete(key)
  local id = id_of(self, "delete")
  check.argument("store:delete", "key", key, "string")
  return delete(id, key)
end

--- The keys that begin with `prefix`, sorted.
---@param prefix? string   (default: all keys)
---@return string[]|nil keys
---@return errors.Error|nil err
---@nodiscard
function methods:keys(prefix)
  local id = id_of(self, "keys")
  check.argument("store:keys", "prefix", prefix, "string|nil")
  local text, err = list(id, prefix or "")
  if not text then
    return nil, err
  end
  return json.decode(text)
end

--- Adds to a number, atomically. A key that is not there counts as 0.
---@param key string
---@param by? number               (default 1)
---@param options? store.Options   `ttl` counts from the key's first number
---@return number|nil sum
---@return errors.Error|nil err    INVALID when there is no number under the key
function methods:incr(key, by, options)
  local id = id_of(self, "incr")
  check.argument("store:incr", "key", key, "string")
  check.argument("store:incr", "by", by, "number|nil")
  local ttl, err = ttl_of("incr", options)
  if err then
    return nil, err
  end
  return add(id, key, by or 1, ttl)
end

--- A store of the project.
---@param id string   the id of a `store.memory` entry
---@return store.Store|nil store
---@return errors.Error|nil err   NOT_FOUND
---@nodiscard
function store.open(id)
  check.argument("store.open", "id", id, "string")
  local _, err = find(id)
  if err then
    return nil, err
  end
  return setmetatable({ id = id }, Store), nil
end

bare_names.takes(store, { open = bare_names.first })

return store
