--- Turns body, headers and options into JSON, and durations and moments into seconds.
---
---     publishing.encode({ id = 7 }, { source = "shop" }, { delay = "5s" })
---     --> { body = '{"id":7}', headers = '{"source":"shop"}', options = '{"delay":5.0}' }
---     publishing.encode({ cb = print }) --> nil, body.cb is a function, which JSON cannot carry
---
--- What a publish may be, is for the host to say, which takes messages from elsewhere too.
local check = require("check")
local durations = require("host.run.durations")
local json = require("json")
local timestamps = require("host.run.timestamps")

local next, type = next, type
local format = string.format

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

---@class publishing.Parts
---@field body string
---@field headers string   "" when there are none
---@field options string   "" when there are none

--- The parts of a message as the host takes them, or nil and what is wrong.
---@param body any
---@param headers any
---@param options any
---@return publishing.Parts|nil parts
---@return string|nil fault
---@nodiscard
function publishing.encode(body, headers, options)
  if body == nil then
    return nil, "body is nil; publish at least {}"
  end
  local parts, fault = {}
  parts.body, fault = encode(body, "body")
  if not fault then
    parts.headers, fault = encode_table(headers, "headers")
  end
  if not fault then
    parts.options, fault = encode_options(options)
  end
  if fault then
    return nil, fault
  end
  return parts, nil
end

return publishing
