--- Turns body, headers and options into what crosses to the host, and durations and moments into
--- seconds.
---
---     local list = {}
---     publishing.put(list, 0, { id = 7 }, { source = "shop" }, { delay = "5s" }) --> 8
---     list --> { '{"id":7}', false, 1, 1, "source", "shop", "delay", 5.0 }
---     publishing.put(list, 0, { cb = print }) --> nil, body.cb is a function, …
---
--- A string is no JSON text and crosses as it is, with `true` behind it. Then come the numbers of
--- headers and of options, and their names and values; of what is long or not plain, -1 and one
--- JSON text. What a publish may be is for the host to say: it takes messages from elsewhere too.
local check = require("check")
local durations = require("host.run.durations")
local json = require("json")
local timestamps = require("host.run.timestamps")

local next, type = next, type
local format = string.format
local huge = math.huge
local utf8_len = utf8.len

local publishing = {}

--- JSON, or nil and what is wrong. The name costs something, so it is only given for a complaint.
local function encode(value, name)
  local text = json.encode(value)
  if text then
    return text, nil
  end
  local _, err = json.encode(value, { name = name })
  return nil, err and err:message()
end

--- A table as JSON, "" for none; or nil and what is wrong.
local function encode_table(value, name)
  if value == nil then
    return "", nil
  elseif type(value) ~= "table" then
    return nil, format("%s: table expected, got %s", name, check.show(value))
  elseif next(value) == nil then
    return "", nil
  end
  return encode(value, name)
end

--- How people write an option that the host takes as seconds.
local READERS = { delay = durations.parse, ttl = durations.parse, at = timestamps.parse }

--- The options as JSON, "" for none; or nil and what is wrong.
local function encode_options(options)
  if type(options) ~= "table" then
    return encode_table(options, "options")
  end
  local fields = {}
  for name, value in next, options do
    fields[name] = value
  end
  for name, read in next, READERS do
    if type(fields[name]) == "string" then
      local seconds, fault = read(fields[name])
      if fault then
        return nil, format("option '%s': %s", name, fault)
      end
      fields[name] = seconds
    end
  end
  return encode_table(fields, "options")
end

--- A body as JSON; or nil and what is wrong.
---@param body any
---@return string|nil text
---@return string|nil fault
---@nodiscard
function publishing.body(body)
  return encode(body, "body")
end

--- How many names, and bytes of a name or a value, cross as they are; `crossed.py` reckons with it.
local MOST, LONGEST = 16, 256

--- Puts names and values behind the first `at` of `list`; nil where one of them is not plain: what
--- is becomes there what its JSON would become.
local function put_plain(list, at, fields, readers)
  local count = 0
  for name, value in next, fields do
    if type(name) ~= "string" or #name > LONGEST or not utf8_len(name) or count == MOST then
      return nil
    end
    local kind = type(value)
    if kind == "string" and readers and readers[name] then
      value = readers[name](value)
      kind = type(value)
    end
    if kind == "string" then
      if #value > LONGEST or not utf8_len(value) then
        return nil
      end
    elseif kind == "number" then
      if value ~= value or value == huge or value == -huge then
        return nil
      end
    elseif kind ~= "boolean" then
      return nil
    end
    list[at + 1], list[at + 2] = name, value
    count, at = count + 1, at + 2
  end
  return at, count
end

--- Puts headers or options behind the first `at`, and their number; or nil and what is wrong.
local function put_fields(list, at, fields, place, readers, encode_fields)
  if type(fields) == "table" then
    local last, count = put_plain(list, at, fields, readers)
    if last then
      list[place] = count
      return last, nil
    end
  end
  local text, fault = encode_fields(fields)
  if fault then
    return nil, fault
  end
  list[place], list[at + 1] = -1, text
  return at + 1, nil
end

--- The headers as JSON, "" for none; or nil and what is wrong.
---@param headers any
---@return string|nil text
---@return string|nil fault
---@nodiscard
function publishing.headers(headers)
  return encode_table(headers, "headers")
end

--- Puts a message behind the first `at` of `list`.
---@param list any[]
---@param at integer
---@param body any
---@param headers any
---@param options any
---@return integer|nil last    where it ends
---@return string|nil fault    what is wrong with it
---@nodiscard
function publishing.put(list, at, body, headers, options)
  if body == nil then
    return nil, "body is nil; publish at least {}"
  end
  local is_text, fault = type(body) == "string", nil
  if not is_text then
    body, fault = encode(body, "body")
    if fault then
      return nil, fault
    end
  end
  list[at + 1], list[at + 2], list[at + 3], list[at + 4] = body, is_text, 0, 0
  local last = at + 4
  if headers ~= nil then
    last, fault = put_fields(list, last, headers, at + 3, nil, publishing.headers)
  end
  if options ~= nil and not fault then
    last, fault = put_fields(list, last, options, at + 4, READERS, encode_options)
  end
  if fault then
    return nil, fault
  end
  return last, nil
end

return publishing
