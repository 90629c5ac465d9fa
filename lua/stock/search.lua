--- Looks for a pattern start by start, from Lua, so that a time hook can fire between.
---
--- Where a single attempt is cheap it is C's; otherwise `matcher` makes it.
local blame = require("host.walls.blame")
local matcher = require("host.stock.matcher")

local find = string.find

local search = {}

---@alias search.Attempt fun(subject: string, place: integer): integer?, integer?, ...

local EXPENSIVE = "pattern too expensive for a subject of this length"
  .. " (search it in pieces, or make its sets shorter)"

local function refuse(plan, size)
  local reason = plan.refusal or plan.fault or (size > plan.pass and EXPENSIVE)
  if reason then
    blame.raise(reason)
  end
end

local function attempt_of(plan, size)
  local text = plan.text
  if plan.fault and size <= plan.attempt then
    return function(subject, place)
      return blame.call("find", find, subject, text, place)
    end
  end
  refuse(plan, size)
  if size <= plan.attempt then
    return function(subject, place)
      return find(subject, text, place)
    end
  end
  plan.matcher = plan.matcher or matcher.compile(plan.text)
  return plan.matcher
end

--- The first place from `place` on where a match can begin.
local function candidate(plan, subject, place)
  if not plan.first then
    return place <= #subject + 1 and place or nil
  end
  local found = find(subject, plan.first, place)
  return found or (plan.may_end and place <= #subject + 1 and #subject + 1 or nil)
end

local scan

local function settle(plan, attempt, subject, place, last, first, stop, ...)
  if first and stop ~= last then
    return first, stop, ...
  end
  if not plan.anchored then
    return scan(plan, attempt, subject, place + 1, last)
  end
  return nil
end

--- Tail calls all the way, so that captures need no table and starts no stack.
function scan(plan, attempt, subject, place, last)
  local start = candidate(plan, subject, place)
  if start then
    return settle(plan, attempt, subject, start, last, attempt(subject, start))
  end
  return nil
end

--- The first match from a place on, as string.find gives it, captures and all.
---@param plan pattern.Plan
---@param subject string
---@param place integer
---@param last? integer  a match that ends here does not count: the one before ended here
---@return integer? first
---@return integer? stop
---@return any ... captures
function search.from(plan, subject, place, last)
  return scan(plan, attempt_of(plan, #subject), subject, place, last)
end

blame.hide()

return search
