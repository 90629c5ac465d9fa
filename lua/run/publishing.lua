--- What may be published: looks at body, headers and options and turns them into JSON.
---
---     publishing.encode({ id = 7 }, { source = "shop" }, { delay = "5s" })
---     --> { body = '{"id":7}', headers = '{"source":"shop"}', options = '{"delay":5.0}' }
---     publishing.encode({ cb = print }) --> nil, body.cb is a function, which JSON cannot carry
local check = require("check")
local durations = require("host.run.durations")
local json = require("json")
local timestamps = require("host.run.timestamps")

local next, type = next, type
local find, format, huge, sort = string.find, string.format, math.huge, table.sort

local publishing = {}

--- What any driver can carry as a name: an id, a key, a group.
local MAX_NAME = 255
local MAX_DELAY = 365 * 86400

local OPTIONS = {
  id = { type = "string" },
  delay = { type = "string|number" },
  at = { type = "string|number" },
  ttl = { type = "string|number" },
  priority = { type = "string", one_of = { "low", "normal", "high" } },
  dedup_key = { type = "string" },
  group = { type = "string" },
}

local HEADER_TYPES = { string = true, number = true, boolean = true }

--- JSON, or nil and what is wrong. The name costs something, so it is only given for a complaint.
local function encode(value, name)
  local text = json.encode(value)
  if text then
    return text, nil
  end
  local _, err = json.encode(value, { name = name })
  return nil, err and err:message()
end

--- What is wrong with one header, or nil.
local function header_fault(name, value)
  if type(name) ~= "string" then
    return format("a name is a string, got %s", check.show(name))
  elseif find(name, "^x_") then
    return format("%s: names that begin with x_ belong to moonq", check.show(name))
  elseif not HEADER_TYPES[type(value)] then
    local shown = check.show(name)
    return format("%s: string, number or boolean expected, got %s", shown, type(value))
  end
  return nil
end

--- The headers as JSON, "" for none; or nil and what is wrong, the same complaint every time.
local function encode_headers(headers)
  if headers == nil then
    return "", nil
  elseif type(headers) ~= "table" then
    return nil, format("headers: table expected, got %s", check.show(headers))
  elseif next(headers) == nil then
    return "", nil
  end
  local faults = {}
  for name, value in next, headers do
    faults[#faults + 1] = header_fault(name, value)
  end
  if faults[1] then
    sort(faults)
    return nil, "headers: " .. faults[1]
  end
  return encode(headers, "headers")
end

--- A delay, read: the seconds, or nil and what is wrong.
local function delay_of(value)
  local seconds, fault = durations.parse(value)
  if seconds and seconds > MAX_DELAY then
    return nil, "at most 365 days expected, got " .. durations.show(seconds)
  end
  return seconds, fault
end

local function ttl_of(value)
  local seconds, fault = durations.parse(value)
  if seconds == 0 then
    return nil, "more than 0 seconds expected"
  end
  return seconds, fault
end

local function moment_of(value)
  if type(value) == "string" then
    return timestamps.parse(value)
  elseif not (value >= 0 and value < huge) then
    return nil, format("seconds since 1970 expected, got %s", value)
  end
  return value, nil
end

local function name_of(value)
  if value == "" or #value > MAX_NAME then
    return nil, format("1 to %d bytes expected, got %d", MAX_NAME, #value)
  end
  return value, nil
end

--- How each option is read; what is not here is taken as it is.
local READERS = {
  delay = delay_of,
  ttl = ttl_of,
  at = moment_of,
  id = name_of,
  dedup_key = name_of,
  group = name_of,
}

--- The options as JSON, "" for none; or nil and what is wrong.
local function encode_options(options)
  if options == nil then
    return "", nil
  end
  local fields, fault = check.read(options, OPTIONS)
  if not fields then
    return nil, fault
  elseif fields.delay ~= nil and fields.at ~= nil then
    return nil, "options 'delay' and 'at' both say when; give one of them"
  elseif next(fields) == nil then
    return "", nil
  end
  for _, name in next, check.names(fields) do
    local read = READERS[name]
    if read then
      fields[name], fault = read(fields[name])
      if fault then
        return nil, format("option '%s': %s", name, fault)
      end
    end
  end
  return encode(fields, "options")
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
    parts.headers, fault = encode_headers(headers)
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
