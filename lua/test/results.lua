--- What assertions about a run of queues, its logs and its snapshots find.
---
---     results.settled(run, "acked", 2) --> { code = "T703", text = "expected 2 acked, got 1: …" }
local ipairs, type = ipairs, type
local format, move = string.format, table.move
local assertions = require("host.test.assertions")
local diff = require("host.print.diff")
local pretty = require("host.print.pretty")
local strings = require("host.stock.strings")
local text_diff = require("host.print.text_diff")

-- The bounded one: the texts come from scripts.
local find = strings.new().find

local results = {}

---@class testing.Published  a message that was published
---@field queue string  the id of its queue
---@field id string  of the message
---@field body any  as a handler would get it
---@field headers table<string, string|number|boolean>  as they were published

---@class testing.Run       what happened while the consumers of a queue ran
---@field acked string[]    message ids, one for each delivery, in order
---@field nacked string[]  ids of those that are tried again
---@field dead string[]  ids of those that are dead letters now
---@field published testing.Published[]  what handlers published meanwhile
---@field logs test.Log[]  what was logged meanwhile
---@field attempts fun(self: testing.Run, id: string): string[]  the wait before each: "0s", "2s", …
---@field result fun(self: testing.Run, id: string): any, any     what the handler returned last

local SHOWN = 6 -- lines of evidence below a failure

local function mismatch(lines, text, ...)
  return { code = "T703", text = format(text, ...), diff = lines }
end

local function holds(list, wanted)
  for _, value in ipairs(list) do
    if value == wanted then
      return true
    end
  end
  return false
end

--- The first of the lines, and how many there are besides.
local function evidence(lines)
  local rest = #lines - SHOWN
  if rest <= 0 then
    return lines
  end
  local first = move(lines, 1, SHOWN, 1, {})
  first[SHOWN + 1] = "and " .. rest .. " more"
  return first
end

---@param run testing.Run
---@param ending "acked"|"nacked"|"dead"
---@param wanted integer|string  how many, or the id of one
function results.settled(run, ending, wanted)
  local ids = run[ending]
  if type(wanted) == "number" and #ids ~= wanted then
    return mismatch(nil, "expected %s %s, got %d: %s", wanted, ending, #ids, pretty.brief(ids))
  elseif type(wanted) == "string" and not holds(ids, wanted) then
    return mismatch(nil, "expected %s among the %s, got %s", wanted, ending, pretty.brief(ids))
  end
end

local function fits(body, partial)
  if type(partial) == "table" then
    return assertions.match(body, partial) == nil
  end
  return partial == nil or diff.equal(body, partial)
end

---@param run testing.Run
---@return testing.Published?
---@return failure.Mismatch?
function results.published(run, queue, partial)
  local lines = {}
  for _, published in ipairs(run.published) do
    if published.queue == queue and fits(published.body, partial) then
      return published, nil
    end
    lines[#lines + 1] = published.queue .. "   " .. pretty.brief(published.body)
  end
  local like = partial == nil and "" or " with " .. pretty.brief(partial)
  local text = "expected a message%s published to %s, got %s"
  return nil, mismatch(evidence(lines), text, like, queue, #lines == 0 and "none" or "these")
end

---@param logs test.Log[]
---@return test.Log?
---@return failure.Mismatch?
function results.logged(logs, level, text)
  local lines = {}
  for _, log in ipairs(logs) do
    if log.level == level and find(log.message, text, 1, true) then
      return log, nil
    end
    lines[#lines + 1] = log.level .. "   " .. log.message
  end
  local got = #lines == 0 and "no log at all" or "these"
  local sought = pretty.quote(text)
  return nil,
    mismatch(evidence(lines), "expected %s in a log of level %s, got %s", sought, level, got)
end

---@param literal string
---@param stored? string  nil when there is none and none may be taken
function results.snapshot(literal, stored, key)
  if stored == nil then
    return { code = "T707", text = format("no snapshot of '%s', and none is taken now", key) }
  end
  return {
    code = "T707",
    text = "differs from its snapshot",
    diff = text_diff.lines(literal, stored),
  }
end

return results
