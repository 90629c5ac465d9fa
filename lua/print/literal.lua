--- JSON and Lua literals into each other, and conditions about values, for the command line.
---
---     literal.show('{"b":1,"a":[]}', 80)      --> '{ a = {}, b = 1 }'
---     literal.show('[[1, 2], [3]]', 0)        --> '{ { 1, 2 }, { 3 } }'
---     literal.read("{ id = 1, tags = {} }")   --> '{"id":1,"tags":{}}'
---     literal.condition("body.total > 5")
---     literal.holds('{"body":{"total":7}}')   --> true
local json = require("json")
local json_reader = require("host.json.reader")
local lock = require("host.walls.lock")
local pretty = require("host.print.pretty")
local world = require("host.walls.world")

local error, load, pcall, rawget = error, load, pcall, rawget
local setmetatable, tostring = setmetatable, tostring
local gsub, match = string.gsub, string.match

local literal = {}

-- On one line, and nothing left out.
local MOST = math.maxinteger
local WHOLE = { width = MOST, depth = MOST, bytes = MOST, text = MOST }

--- A JSON value as a Lua literal.
---@param text string
---@param width integer  columns; 0 is one line with all there is
---@return string
function literal.show(text, width)
  local value, problem = json.decode(text)
  if problem then
    return text
  end
  return pretty.value(value, width == 0 and WHOLE or { width = width })
end

-- A name in a literal would be nil, and what was meant by it would silently be missing.
local no_names = setmetatable(
  {},
  lock.metatable({
    __index = function(_, name)
      error("'" .. tostring(name) .. "' is a name; a text needs quotes", 0)
    end,
  })
)

--- A Lua literal as JSON; it cannot call anything, for there is nothing to call.
---@param text string
---@return string? json
---@return string? complaint
function literal.read(text)
  local chunk, complaint = load("return " .. text, "=literal", "t", no_names)
  if not chunk then
    return nil, (gsub(complaint, "^literal:%d+: ", ""))
  end
  local ok, value = pcall(chunk)
  if not ok then
    return nil, (gsub(tostring(value), "^literal:%d+: ", ""))
  end
  local encoded, problem = json.encode(value, { name = "body" })
  return encoded, problem and problem:message()
end

local condition
local env, fields

--- Sets the condition that `holds` asks for: an expression over the fields of an event.
---@param text string
---@return string? complaint
function literal.condition(text)
  env = world.new({
    id = "where",
    require = function()
      error("a condition requires nothing", 2)
    end,
  })
  local scope = setmetatable(
    {},
    lock.metatable({
      __index = function(_, name)
        local value = fields and rawget(fields, name)
        if value == nil then
          return env[name]
        end
        return value
      end,
    })
  )
  local chunk, complaint = load("return (" .. text .. "\n)", "=where", "t", scope)
  condition = chunk
  return complaint and (match(complaint, "^where:%d+: (.*)$") or complaint) or nil
end

--- Whether the condition holds for an event. An expression that fails does not hold: most events
--- lack most fields.
---@param text string  the event, as JSON
---@return boolean
function literal.holds(text)
  fields = json_reader.read_body(text) -- as a handler would see it: what is null is absent
  local ok, value = pcall(condition)
  return ok and value ~= nil and value ~= false
end

return literal
