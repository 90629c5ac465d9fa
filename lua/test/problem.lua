--- What went wrong in a test or a hook, as plain data.
---
---     problem.attempt(function() error("lost") end)
---     --> { status = "error", code = "T710", message = "lost", line = 3, … }
local format, math_type, sub = string.format, math.type, string.sub
local ipairs, rawget, tostring, type, xpcall = ipairs, rawget, tostring, type, xpcall
local failure = require("host.test.failure")
local limits = require("host.walls.limits")
local locals = require("host.test.locals")
local pretty = require("host.print.pretty")
local raising = require("host.test.raising")
local trace = require("host.walls.trace")

local problem = {}

local note = trace.handler

---@class problem.Problem
---@field status "failed"|"error"  "failed": an assertion of the test said no
---@field code string              T7xx
---@field message string
---@field diff string[]            lines
---@field hook? string             the hook that went wrong: "before_each of 'orders'"
---@field source? string           where
---@field line? integer
---@field stack? string            script frames, innermost first
---@field locals? table<string, string>  variables by name, as literals

--- The words of an error, without the place that Lua wrote in front of them.
local function words_of(value, source, line)
  if value == limits.EXCEEDED then
    return "not enough memory"
  end
  local words = raising.shown(value)
  if words == pretty.brief(value) then
    return "raised " .. words -- neither text nor error, so it cannot speak for itself
  end
  local place = format("%s:%s: ", source, line)
  return sub(words, 1, #place) == place and sub(words, #place + 1) or words
end

local LONGEST = 8192 -- bytes of a text that leaves the state

local function bounded(text)
  return #text <= LONGEST and text or sub(text, 1, LONGEST) .. "…"
end

local function bound(found)
  found.message = bounded(found.message)
  for index, line in ipairs(found.diff) do
    found.diff[index] = bounded(line)
  end
  return found
end

--- An assertion may be raised again far from where it failed: its own place counts.
local function move(found, source, line)
  if type(source) == "string" and math_type(line) == "integer" and line ~= found.line then
    found.source, found.line, found.locals = source, line, nil
  end
end

---@param value any
---@param values locals.Captured?
---@param hook? string
---@return problem.Problem
local function of(value, values, hook)
  local stack, source, line = trace.of(value)
  local found = { status = "error", code = "T710", diff = {}, hook = hook }
  if stack ~= "" then
    found.source, found.line, found.stack = source, line, stack
    found.locals = values and locals.described(values)
  end
  if failure.is(value) then
    -- Half a preparation is not what the test is about, even if an assertion says so.
    found.status = hook and "error" or "failed"
    found.code, found.message = tostring(rawget(value, "code")), tostring(rawget(value, "message"))
    found.diff = failure.lines(value)
    move(found, rawget(value, "source"), rawget(value, "line"))
  else
    found.message = words_of(value, source, line)
  end
  if hook then
    found.message = hook .. ": " .. found.message
  end
  return bound(found)
end

--- Calls `body` and tells what went wrong, or nil.
---@param body fun()
---@param hook? string  its name, if it is not the test itself
---@return problem.Problem?
function problem.attempt(body, hook)
  local values
  trace.clear()
  local passed, value = xpcall(body, function(value)
    values = locals.capture()
    return note(value)
  end)
  if not passed then
    return of(value, values, hook)
  end
end

return problem
