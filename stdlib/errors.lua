--- Error values: what went wrong, of which kind, and whether trying again can help.
---
---     local errors = require("errors")
---     local err = errors.new(errors.NOT_FOUND, "no order 7")
---     err:kind()     --> "NOT_FOUND"
---     tostring(err)  --> "no order 7"
---
--- Functions of the standard library answer `nil, err`; a handler does the same:
---
---     return nil, errors.wrap(err, "charging order 7")
---
--- `retryable()` is true, false, or nil when it was not said. It decides about a failed message:
--- only a written `false` sends it to the dead letters at once, everything else is tried again.
--- UNAVAILABLE, TIMEOUT and RATE_LIMITED say true by themselves; no kind says false by itself.
--- A plain string is an error too, of kind UNKNOWN.
local check = require("check")
local lock = require("host.walls.lock")
local trace = require("host.walls.trace")

local error, rawget = error, rawget
local setmetatable, tostring, type = setmetatable, tostring, type
local format = string.format

local errors = {
  NOT_FOUND = "NOT_FOUND",
  ALREADY_EXISTS = "ALREADY_EXISTS",
  INVALID = "INVALID",
  PERMISSION_DENIED = "PERMISSION_DENIED",
  UNAVAILABLE = "UNAVAILABLE",
  INTERNAL = "INTERNAL",
  CANCELED = "CANCELED",
  CONFLICT = "CONFLICT",
  TIMEOUT = "TIMEOUT",
  RATE_LIMITED = "RATE_LIMITED",
  UNKNOWN = "UNKNOWN",
}

--- What went wrong, in one word.
---@alias errors.Kind
---| "NOT_FOUND"
---| "ALREADY_EXISTS"
---| "INVALID"
---| "PERMISSION_DENIED"
---| "UNAVAILABLE"
---| "INTERNAL"
---| "CANCELED"
---| "CONFLICT"
---| "TIMEOUT"
---| "RATE_LIMITED"
---| "UNKNOWN"

---@class (exact) errors.Fields  what `new` makes an error of
---@field message string  what is so
---@field kind? errors.Kind     (default "UNKNOWN")
---@field retryable? boolean    whether trying again can help (default: what the kind says)
---@field details? any          evidence for the person who looks at the failure
---@field delay? number         seconds to wait before the next try (default: as the queue says)

-- Taken while the module holds its constants and nothing else.
local KINDS = check.names(errors)

local FIELDS = {
  message = { type = "string", required = true },
  kind = { type = "string", default = "UNKNOWN", one_of = KINDS },
  retryable = { type = "boolean" },
  details = { type = "table|string|number|boolean" },
  delay = { type = "number", min = 0, max = 365 * 86400 },
}

--- The kinds that pass by themselves.
local PASSING = { UNAVAILABLE = true, TIMEOUT = true, RATE_LIMITED = true }

-- Also the answer of `getmetatable`, so that scripts cannot reach the real one.
local NAME = "error"

local Error

---@class errors.Error  an error value; it prints as its message, and its fields cannot be changed
local methods = {}

--- The fields are read raw and checked once more, because a script can write into any table.
local function field(self, method, name, kind)
  if not lock.is_of(self, Error) then
    error(format("err:%s() is called with a colon", method), 3)
  end
  local value = rawget(self, name)
  if kind == nil or type(value) == kind then
    return value
  end
  return nil
end

--- What sort of error it is, one of the constants of this module.
---@return errors.Kind
function methods:kind()
  local kind = field(self, "kind", "_kind", "string")
  return kind and errors[kind] == kind and kind or "UNKNOWN"
end

--- What went wrong, in words.
---@return string
function methods:message()
  return field(self, "message", "_message", "string") or "unknown error"
end

--- Whether trying again can help; nil when it was not said.
---@return boolean|nil
function methods:retryable()
  return field(self, "retryable", "_retryable", "boolean")
end

--- What was given as `details`, or nil.
---@return any
function methods:details()
  return field(self, "details", "_details")
end

--- The seconds that are to pass before the next try; nil when it was not said.
---@return number|nil
function methods:delay()
  return field(self, "delay", "_delay", "number")
end

--- Where in the script the error was made, one frame per line; "" when that is not known.
---@return string
function methods:stack()
  return field(self, "stack", "_stack", "string") or ""
end

Error = lock.metatable({
  __index = methods,
  __name = NAME,
  __tostring = methods.message,
  __concat = function(left, right)
    return tostring(left) .. tostring(right)
  end,
  __newindex = function()
    error("an error value cannot be changed; make a new one with errors.wrap or errors.new", 2)
  end,
}, NAME)

local function build(message, kind, retryable, details, delay)
  if retryable == nil then
    retryable = PASSING[kind]
  end
  return setmetatable({
    _message = message,
    _kind = kind,
    _retryable = retryable,
    _details = details,
    _delay = delay,
    _stack = trace.script(1),
  }, Error)
end

--- Whether `value` is an error made by this module.
local function is_error(value)
  return lock.is_of(value, Error)
end

local function check_kind(name, kind)
  if type(kind) ~= "string" or errors[kind] ~= kind then
    error(format("%s: kind: unknown kind %s%s", name, check.show(kind), check.hint(kind, KINDS)), 3)
  end
end

--- Makes an error from a text, from a kind and a text, or from its fields.
---@param fields string|errors.Kind|errors.Fields  a text; with a second argument, the kind
---@param message? string
---@return errors.Error
---@nodiscard
function errors.new(fields, message)
  if message ~= nil then
    check_kind("errors.new", fields)
    check.argument("errors.new", "message", message, "string")
    return build(message, fields, nil, nil)
  elseif type(fields) == "string" then
    return build(fields, "UNKNOWN", nil, nil)
  end
  check.argument("errors.new", "fields", fields, "string|table")
  local f = check.options("errors.new", fields, FIELDS)
  return build(f.message, f.kind, f.retryable, f.details, f.delay)
end

--- Any value that was used as an error, as an error value; nil stays nil.
---
--- Never runs code of the value: of a strange table only its `message` is read.
---@param value any
---@return errors.Error|nil
---@nodiscard
function errors.from(value)
  if value == nil or is_error(value) then
    return value
  end
  local message = value
  if type(value) == "table" then
    message = rawget(value, "message")
  end
  if type(message) ~= "string" then
    message = "error value: " .. check.show(message == nil and value or message)
  end
  return build(message, "UNKNOWN", nil, nil)
end

--- Says what was being done when `err` came; kind, retryable, details and delay stay.
---@param err any        an error, a plain text, or nil (which stays nil)
---@param text string    "charging order 7" makes "charging order 7: card refused"
---@return errors.Error|nil
---@nodiscard
function errors.wrap(err, text)
  check.argument("errors.wrap", "text", text, "string")
  local inner = errors.from(err)
  if not inner then
    return nil
  end
  local message = format("%s: %s", text, inner:message())
  return build(message, inner:kind(), inner:retryable(), inner:details(), inner:delay())
end

--- Whether `err` is an error of this kind. A text, or any other value, is of kind UNKNOWN.
---@param err any
---@param kind errors.Kind
---@return boolean
---@nodiscard
function errors.is(err, kind)
  check_kind("errors.is", kind)
  if err == nil then
    return false
  end
  return (is_error(err) and err:kind() or "UNKNOWN") == kind
end

return errors
