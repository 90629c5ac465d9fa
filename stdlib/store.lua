--- Values by key, shared by all functions of the host.
---
---     local store = require("store")
---     local seen = store.open("app:seen")
---     seen:set("order-7", { state = "paid" }, { ttl = "1h" })  --> true
---     seen:get("order-7").state                                --> "paid"
---     seen:incr("orders")                                      --> 1
---     seen:cas("turn", nil, { by = "me" })                     --> true: there was none
---     seen:once("charge-7", "7d", charge)                      --> what it answered the first time
---
--- In the store's own namespace its bare name will do. Keys are text of at most 1024 characters;
--- bytes make one by `crypto.hex.encode`. Values are what JSON can carry. They are
--- copied in and out: changing a table that came out changes nothing in the store.
local check = require("check")
local durations = require("host.run.durations")
local errors = require("errors")
local json = require("json")
local lent = require("host.walls.lent")
local limits = require("host.walls.limits")
local lock = require("host.walls.lock")
local bare_names = require("host.walls.bare_names")
local lazy = require("host.walls.lazy")

local error, rawget, setmetatable = error, rawget, setmetatable
local format = string.format
local open, read, has, write = lent.store_open, lent.store_get, lent.store_has, lent.store_set
local delete, list, add, swap = lent.store_delete, lent.store_keys, lent.store_incr, lent.store_cas
local note_wait = limits.note_wait
local once = lazy("host.run.once")

local store = {}

---@class (exact) store.Options  how a value is kept
---@field ttl? string|number   how long the value lives (default: for good)

local OPTIONS = { ttl = { type = "string|number" } }

---@class (exact) store.KeysOptions  which keys are listed
---@field limit? integer   at most so many keys, 1 to 10 000
---@field after? string    only keys that are sorted behind this one

local PAGE = {
  limit = { type = "integer", min = 1, max = 10000 },
  after = { type = "string" },
}

---@class store.Store  an open store
local methods = {}

-- Also the answer of `getmetatable`, so that scripts cannot reach the real one.
local NAME = "store"
local Store = lock.metatable({ __index = methods, __name = NAME }, NAME)

local function invalid(text, ...)
  local message = "store: " .. format(text, ...)
  return nil, errors.new({ kind = errors.INVALID, message = message, retryable = false })
end

--- The id of the store that a method was called on; raises when it was called with a dot. Other
--- messages need not wait for a store that is not in this process.
local function id_of(self, method)
  local id = lock.is_of(self, Store) and rawget(self, "id")
  if not id then
    error(format("store:%s() is called with a colon, on what store.open answers", method), 3)
  end
  if not rawget(self, "is_quick") then
    note_wait()
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

--- A value as text; nil for none, or nil and an error.
local function text_of(where, value)
  if value == nil then
    return nil, nil
  end
  local text, fault = json.encode(value)
  if not text then
    return invalid("%s: %s", where, fault)
  end
  return text, nil
end

--- The value of a key.
---@param key string
---@param default? any            what is answered when there is none (default: nil)
---@return any value
---@return errors.Error|nil err
---@nodiscard
function methods:get(key, default)
  local id = id_of(self, "get")
  check.argument("store:get", "key", key, "string")
  local text, err = read(id, key)
  if err then
    return nil, err
  elseif text == nil then
    return default, nil
  end
  return json.decode(text)
end

--- Whether there is a value under a key.
---@param key string
---@return boolean|nil is_there
---@return errors.Error|nil err
---@nodiscard
function methods:has(key)
  local id = id_of(self, "has")
  check.argument("store:has", "key", key, "string")
  return has(id, key)
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
  local text, err = text_of("set", value)
  local ttl
  if not err then
    ttl, err = ttl_of("set", options)
  end
  if not err then
    local _
    _, err = write(id, key, text, ttl)
  end
  if err then
    return nil, err
  end
  return true, nil
end

--- Puts a value under a key if another is there now, in one step: "compare and set".
---@param key string
---@param expected any             what must be there; nil: nothing
---@param value any                what is put there; nil removes the key
---@param options? store.Options
---@return boolean|nil done        false: something else is there
---@return errors.Error|nil err    INVALID, RATE_LIMITED when the store is full
function methods:cas(key, expected, value, options)
  local id = id_of(self, "cas")
  check.argument("store:cas", "key", key, "string")
  local before, err = text_of("cas", expected)
  local after
  if not err then
    after, err = text_of("cas", value)
  end
  local ttl
  if not err then
    ttl, err = ttl_of("cas", options)
  end
  if err then
    return nil, err
  end
  return swap(id, key, before, after, ttl)
end

--- Runs a function once for a key, and answers what it answered then for as long as the ttl says.
---
--- Who comes while it runs waits for the answer, as long as its own time allows, and gets
--- `UNAVAILABLE` then, which is worth another try. A function that raises or answers `nil, err`
--- leaves nothing behind: the next call runs it again. If its process dies within it, or its time
--- is over, nobody knows how far it came: it runs again once the time that it had left is over. So
--- let it do what may happen twice, or what knows itself that it was done (an idempotency key).
---@param key string
---@param ttl string|number       how long the answer is kept, from the function's end on
---@param fn fun(): any, any      answers what JSON can carry
---@return any answer
---@return errors.Error|nil err   the function's own, UNAVAILABLE while another one runs it, …
function methods:once(key, ttl, fn)
  id_of(self, "once")
  check.argument("store:once", "key", key, "string")
  check.argument("store:once", "ttl", ttl, "string|number")
  check.argument("store:once", "fn", fn, "function")
  local seconds, err = ttl_of("once", { ttl = ttl })
  if not seconds then
    return nil, err
  end
  return once.run(self, key, seconds, fn)
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

--- The keys that begin with `prefix`, sorted. More than 10 000 of them, or 1 MiB, are asked for
--- page by page: `keys("", { limit = 1000, after = last })`, until a page is empty.
---@param prefix? string   (default: all keys)
---@param options? store.KeysOptions
---@return string[]|nil keys
---@return errors.Error|nil err    INVALID when there are too many for one answer
---@nodiscard
function methods:keys(prefix, options)
  local id = id_of(self, "keys")
  check.argument("store:keys", "prefix", prefix, "string|nil")
  local page, fault = check.read(options or {}, PAGE)
  if not page then
    return invalid("keys: %s", fault)
  end
  local text, err = list(id, prefix or "", page.after or "", page.limit or 0)
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
---@return errors.Error|nil err    INVALID when there is no number under the key, `by` is none
---                                that is finite, or the sum does not fit
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
---@param id moonq.StoreId   the id of a `store.memory` entry, or of one of another store
---@return store.Store store
---@return errors.Error|nil err   NOT_FOUND; then there is no store
---@nodiscard
function store.open(id)
  check.argument("store.open", "id", id, "string")
  local is_quick, err = open(id)
  if err then
    return nil, err
  end
  return setmetatable({ id = id, is_quick = is_quick }, Store), nil
end

bare_names.takes(store, { open = bare_names.first })

return store
