--- What went wrong, in words: turns any error value into a bounded, readable fault.
---
---     fault.of("no bank") --> "UNKNOWN", "no bank", nil
---     fault.of(errors.new({ message = "down", kind = "TIMEOUT" })) --> "TIMEOUT", "down", true
---     fault.of({ code = 7 }) --> "UNKNOWN", "{ code = 7 }", nil
---
--- Only strings and booleans leave a state: a table thrown through lupa reaches Python empty.
local errors = require("errors")
local lock = require("host.walls.lock")
local metatables = require("host.walls.metatables")
local misses = require("host.walls.misses")

local pcall, require, tostring, type = pcall, require, tostring, type
local rawget = rawget

local fault = {}

local ERROR = debug.getmetatable(errors.new("to know an error value by its like"))

--- The longest text that leaves a state.
local MAX_TEXT = 8192
--- What `tostring` tells in a word; of anything else it would tell the address.
local IS_SHORT = { ["nil"] = true, boolean = true, number = true }

local function cut(text)
  if #text <= MAX_TEXT then
    return text
  end
  return text:sub(1, MAX_TEXT - 3) .. "..."
end

-- A script's own error class speaks for itself; what it says may be anything, or may raise.
local function spoken(value)
  local meta = metatables.of(value)
  if meta and rawget(meta, "__tostring") ~= nil then
    local ok, text = pcall(tostring, value)
    if ok and type(text) == "string" then
      return text
    end
  end
end

--- Any value as bounded text.
---@param value any
---@return string
function fault.text(value)
  if type(value) == "string" then
    return cut(value)
  elseif IS_SHORT[type(value)] then
    return tostring(value)
  end
  local text = type(value) == "table" and spoken(value)
  return cut(text or require("host.print.pretty").brief(value, 1000))
end

--- Whether the module `errors` made it; a script's own lock may say so of anything.
---@param value any
---@return boolean
---@nodiscard
function fault.is_error(value)
  return lock.is_of(value, ERROR)
end

--- Kind, message, whether trying again can help (nil: unknown), the stack of an error value, and
--- the seconds that are to pass before the next try (nil: not said).
---@param value any
---@return string kind
---@return string message
---@return boolean? retryable
---@return string stack
---@return number? delay
function fault.of(value)
  if fault.is_error(value) then
    return value:kind(), cut(value:message()), value:retryable(), cut(value:stack()), value:delay()
  end
  return errors.UNKNOWN, cut(misses.explain(fault.text(value))), nil, ""
end

return fault
