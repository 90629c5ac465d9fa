--- Matches a pattern from Lua, for subjects where C could take too long to be stopped.
---
---     local attempt = matcher.compile("^(.-),(.-)$")
---     attempt("a,b", 1) --> 1, 3, "a", "b"
---
--- Each item becomes a function from a place in the subject to the place where the match ends, or
--- nil, that calls the next item's. Runs of characters are still found by C, one pass at a time.
local blame = require("host.walls.blame")
local cost = require("host.stock.pattern_cost")
local reader = require("host.stock.pattern_items")

local concat, find, sub, unpack = table.concat, string.find, string.sub, table.unpack

local matcher = {}

--- Tries of one attempt; about a second.
local MOST_TRIES = 5e6
local REFUSAL = "pattern too expensive for a subject of this length"
  .. " (anchor it, or let its repetitions exclude what ends them)"

---@class matcher.Run           what one attempt knows; never shared by two at a time
---@field subject string
---@field size integer
---@field tries integer         left
---@field from integer[]        where each capture begins
---@field to integer[]          where the next character after it is

---@alias matcher.Step fun(place: integer): integer?

local function spend(run)
  run.tries = run.tries - 1
  if run.tries < 0 then
    run.subject = ""
    blame.raise(REFUSAL)
  end
end

--- Items without a choice, tested by C in one call.
local function fixed(run, text, width, following)
  text = "^" .. text
  return function(place)
    if find(run.subject, text, place) then
      return following(place + width)
    end
  end
end

--- The longest run first, then every shorter one that `rest` might follow.
local function greedy(run, item, rest, following)
  local least = item.times == "+" and 1 or 0
  local pass = "^" .. item.class .. "*"
  local jump = not rest.may_end and cost.jump(rest)
  -- With a known first character the last place of the run where it stands comes first.
  local hop = jump and pass .. jump
  local choices = cost.overlaps(item.class, rest)
  return function(place)
    local _, stop
    if hop then
      _, stop = find(run.subject, hop, place)
    else
      _, stop = find(run.subject, pass, place)
      stop = stop + 1
    end
    if not stop or stop < place + least then
      return nil
    end
    for candidate = stop, choices and place + least or stop, -1 do
      spend(run)
      local ending = following(candidate)
      if ending then
        return ending
      end
    end
  end
end

--- The next place from `place` on that the item reaches and where `rest` might begin.
local function hopper(run, item, rest)
  local jump = cost.jump(rest)
  if not jump then
    return function(place)
      return place
    end
  end
  local hop = "^" .. item.class .. "-" .. jump
  local last = rest.may_end and "^" .. item.class .. "-$"
  return function(place)
    local _, stop = find(run.subject, hop, place)
    if not stop and last and find(run.subject, last, place) then
      return run.size + 1
    end
    return stop
  end
end

local function lazy(run, item, rest, following)
  local next_place = hopper(run, item, rest)
  local one = "^" .. item.class
  return function(place)
    local candidate = next_place(place)
    while candidate do
      spend(run)
      local ending = following(candidate)
      if ending then
        return ending
      end
      candidate = find(run.subject, one, candidate) and next_place(candidate + 1)
    end
  end
end

local function optional(run, item, _, following)
  local one = "^" .. item.class
  return function(place)
    spend(run)
    return find(run.subject, one, place) and following(place + 1) or following(place)
  end
end

local TIMES = { ["*"] = greedy, ["+"] = greedy, ["-"] = lazy, ["?"] = optional }

local KIND = {}

function KIND.set(run, item, rest, following)
  return TIMES[item.times](run, item, rest, following)
end

function KIND.balance(run, item, _, following)
  local text = "^" .. item.text
  return function(place)
    local _, stop = find(run.subject, text, place)
    return stop and following(stop + 1)
  end
end

function KIND.back(run, item, _, following)
  local capture = item.capture
  return function(place)
    local from, to = run.from[capture], run.to[capture]
    if not to then -- stock Lua: a captured position never matches
      return nil
    end
    local length = to - from
    if sub(run.subject, place, place + length - 1) == sub(run.subject, from, to - 1) then
      return following(place + length)
    end
  end
end

-- A capture that a failed try has left behind is always set anew before it is read.
function KIND.open(run, item, _, following)
  return function(place)
    run.from[item.capture] = place
    return following(place)
  end
end

KIND.position = KIND.open

function KIND.close(run, item, _, following)
  return function(place)
    run.to[item.capture] = place
    return following(place)
  end
end

function KIND.finish(run, _, _, following)
  return function(place)
    return place == run.size + 1 and following(place) or nil
  end
end

local function is_fixed(item)
  return item and (item.kind == "frontier" or item.kind == "set" and not item.times)
end

--- The first of the fixed items that end with `last`, their text and width.
local function fixed_run(items, last)
  local texts, width, first = {}, 0, last
  while is_fixed(items[first - 1]) do
    first = first - 1
  end
  for i = first, last do
    texts[#texts + 1] = items[i].text or items[i].class
    width = width + (items[i].kind == "set" and 1 or 0)
  end
  return first, concat(texts), width
end

local function arrive(place)
  return place
end

local function chain(run, items)
  local rests, step, i = cost.rests(items), arrive, #items
  while i > 0 do
    if is_fixed(items[i]) then
      local first, text, width = fixed_run(items, i)
      step, i = fixed(run, text, width, step), first
    else
      step = KIND[items[i].kind](run, items[i], rests[i], step)
    end
    i = i - 1
  end
  return step
end

local function captured(run, count)
  local values = {}
  for i = 1, count do
    local from, to = run.from[i], run.to[i]
    values[i] = to and sub(run.subject, from, to - 1) or from
  end
  return values
end

local function captures(items)
  local count = 0
  for i = 1, #items do
    local kind = items[i].kind
    count = count + ((kind == "open" or kind == "position") and 1 or 0)
  end
  return count
end

--- A function that matches a pattern at one place of a subject, like an anchored find.
---@param pattern string  without a fault
---@return fun(subject: string, place: integer): integer?, integer?, ...
function matcher.compile(pattern)
  local items = reader.read(pattern)
  local run = { subject = "", size = 0, tries = 0, from = {}, to = {} }
  local step = chain(run, items)
  local count = captures(items)
  return function(subject, place)
    run.subject, run.size, run.tries = subject, #subject, MOST_TRIES
    local stop = step(place)
    local values = stop and captured(run, count)
    run.subject = ""
    if stop then
      return place, stop - 1, unpack(values, 1, count)
    end
  end
end

blame.hide()

return matcher
