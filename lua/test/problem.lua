--- What went wrong in a test or a hook, as plain data.
---
---     problem.attempt(function() error("lost") end)
---     --> { status = "error", code = "T710", message = "lost", line = 3, … }
local format, math_type, sub = string.format, math.type, string.sub
local ipairs, next, rawget, tostring, type, xpcall = ipairs, next, rawget, tostring, type, xpcall
local move = table.move
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
---@field also? problem.Problem[]  what went wrong after it: in hooks that run all the same

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
local function relocate(found, source, line)
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
    relocate(found, rawget(value, "source"), rawget(value, "line"))
  else
    found.message = words_of(value, source, line)
  end
  if hook then
    found.message = hook .. ": " .. found.message
  end
  return bound(found)
end

--- The hook that runs now: asked for when the state was cut off in the middle of it.
---@type string?
problem.hook = nil

--- Calls `body` and tells what went wrong, or nil.
---@param body fun()
---@param hook? string  its name, if it is not the test itself
---@return problem.Problem?
function problem.attempt(body, hook)
  local values
  trace.clear()
  problem.hook = hook
  local passed, value = xpcall(body, function(value)
    values = locals.capture()
    return note(value)
  end)
  problem.hook = nil
  if not passed then
    return of(value, values, hook)
  end
end

local function copy_of(found)
  local copy = {}
  for key, value in next, found do
    copy[key] = value
  end
  copy.also = move(found.also or {}, 1, #(found.also or {}), 1, {})
  return copy
end

--- Two problems as one: the first of them, which knows the other.
---@param first problem.Problem?
---@param late problem.Problem?
---@return problem.Problem?
---@nodiscard
function problem.join(first, late)
  if not first or not late then
    return first or late
  end
  -- A block keeps its problem for its other tests, so it is not written to.
  local joined = copy_of(first)
  for _, one in ipairs(problem.apart(late)) do
    joined.also[#joined.also + 1] = one
  end
  return joined
end

--- A problem and all that it knows of, one by one.
---@param found problem.Problem
---@return problem.Problem[]
---@nodiscard
function problem.apart(found)
  local first = copy_of(found)
  local list = move(first.also, 1, #first.also, 2, { first })
  first.also = nil
  return list
end

return problem
