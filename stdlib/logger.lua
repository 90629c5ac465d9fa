--- Log lines, with fields beside the words.
---
---     local logger = require("logger")
---     logger.info("order taken", { order = 7 })
---     logger:warn("payment is slow", { seconds = 4.2 })   -- a colon does the same
---     local log = logger.with({ order = 7 })               -- fields for all its lines
---     local mail = logger.named("mail")                    -- a name of its own
---
--- Nothing that is logged can fail: fields that JSON cannot carry are shown as text.
local fault = require("host.run.fault")
local freeze = require("host.walls.freeze")
local json = require("json")
local lent = require("host.walls.lent")
local delivery = require("host.run.message")
local readable = require("host.print.readable")

local error, next, rawequal, type = error, next, rawequal, type
local is_error, metatable_of = fault.is_error, debug.getmetatable
local sub, utf8_offset = string.sub, utf8.offset
local log, log_level = lent.log, lent.log_level
local encode, null = json.encode, json.null
local number = delivery.number

--- How much one line may carry: a text, the number of fields, all fields together.
local MAX_TEXT, MAX_FIELDS, MAX_FIELDS_TEXT = 8192, 100, 65536
--- Bytes of a logger's whole name.
local MAX_NAME = 200

local LEVELS = { debug = 1, info = 2, warn = 3, error = 4 }

--- The longest part of a text that a line may carry and that ends with a whole character.
local function cut(text)
  if #text <= MAX_TEXT then
    return text
  end
  return sub(text, 1, utf8_offset(text, 0, MAX_TEXT + 1) - 1)
end

--- Any value as a bounded text.
local function text_of(value)
  if type(value) == "string" then
    return cut(value)
  end
  return is_error(value) and cut(value:message()) or fault.text(value)
end

--- A text as JSON; what is no UTF-8 is shown with escapes.
local function encode_text(text)
  return encode(text) or encode(readable(text))
end

--- A field's value as JSON. Objects speak for themselves: an error shows its message.
local function encode_field(value)
  local is_object = type(value) == "table" and metatable_of(value) ~= nil
  if type(value) == "string" or (is_object and not rawequal(value, null)) then
    return encode_text(text_of(value))
  end
  local text = encode(value)
  return text and #text <= MAX_TEXT and text or encode_text(text_of(value))
end

--- The fields as JSON, "" for none.
local function encode_fields(fields)
  if next(fields) == nil then
    return ""
  end
  local text, count, before = "", 0, "{"
  for name, value in next, fields do
    count = count + 1
    if count > MAX_FIELDS or #text > MAX_FIELDS_TEXT then
      return text .. before .. '"fields_left_out":true}'
    end
    text = text .. before .. encode_text(text_of(name)) .. ":" .. encode_field(value)
    before = ","
  end
  return text .. "}"
end

--- The fields that were given; anything but a plain table becomes the field `value` or `error`.
local function fields_of(given)
  if given == nil then
    return {}
  elseif type(given) == "table" and metatable_of(given) == nil then
    return given
  end
  return { [is_error(given) and "error" or "value"] = given }
end

--- Both, the later ones over the earlier ones.
local function merged(earlier, later)
  local fields = {}
  for _, given in next, { earlier, later } do
    for name, value in next, given do
      fields[name] = value
    end
  end
  return fields
end

---@class logger.Logger  a logger; its functions are called with a dot or with a colon
---@field debug fun(message: any, fields?: table<string, any>)  Logs what only helps to find faults.
---@field info fun(message: any, fields?: table<string, any>)  Logs what went well.
---@field warn fun(message: any, fields?: table<string, any>)  Logs what somebody should look at.
---@field error fun(message: any, fields?: table<string, any>)  Logs what failed.
---@field with fun(fields: table<string, any>): logger.Logger  A logger with these fields.
---@field named fun(name: string): logger.Logger  A logger with this name behind the entry's.

local new

--- Makes the functions of a logger, each for a call with a dot or with a colon alike.
---@param name string                 "" for the name of the entry
---@param bound table<string, any>    the fields of all its lines
---@return logger.Logger
function new(name, bound)
  local logger = {}

  -- Called with a colon, a function gets the logger first; a script has a frozen copy of it.
  local function is_logger(value)
    return rawequal(value, logger) or freeze.is_frozen(value)
  end

  local function write(level, message, given)
    if level >= (log_level(name) or 1) then
      log(number(), level, name, text_of(message), encode_fields(merged(bound, fields_of(given))))
    end
  end

  for level_name, level in next, LEVELS do
    logger[level_name] = function(first, second, third)
      if is_logger(first) then
        write(level, second, third)
      else
        write(level, first, second)
      end
    end
  end

  function logger.with(first, second)
    local fields = is_logger(first) and second or first
    if type(fields) ~= "table" then
      error("logger.with: fields: table expected, got " .. type(fields), 2)
    end
    return new(name, merged(bound, fields))
  end

  function logger.named(first, second)
    local own = is_logger(first) and second or first
    if type(own) ~= "string" or own == "" or #own > 100 then
      error("logger.named: name: a string of 1 to 100 bytes expected, got " .. type(own), 2)
    end
    local whole = name == "" and own or name .. "." .. own
    if #whole > MAX_NAME then
      error("logger.named: name: with the names before it, it has more than 200 bytes", 2)
    end
    return new(whole, bound)
  end

  return logger
end

return new("", {})
