--- What a pattern may cost, so that no call of a C function outlasts the time hook's patience.
---
---     patterns.decide("^%s*(.-)%s*$", 40)       --> "small"     C does it at once
---     patterns.decide("^%s*(.-)%s*$", 100000)   --> "stepwise"  Lua walks, the hook can fire
---     patterns.decide(("x"):rep(600), 1)        --> "refuse"
---
--- The estimate is an upper bound: nanoseconds as a polynomial in the subject's length, built from
--- the pattern's end to its front (`pattern_cost`).
local lazy = require("host.walls.lazy")

local cost, items = lazy("host.stock.pattern_cost"), lazy("host.stock.pattern_items")

local find, format, next = string.find, string.format, next

local patterns = {}

--- One C call may take this long, in nanoseconds of the estimate.
local WHOLE = 1e8
--- One attempt, when Lua goes from start to start and a coroutine's hook waits for many of them.
local ATTEMPT = 5e6
--- One pass over the subject, the smallest step there is.
local PASS = 2.5e8

local MOST_BYTES = 512
--- With at most this many, "pattern too complex" of stock Lua cannot happen.
local MOST_REPETITIONS = 40
local MOST_KNOWN = 500

--- Without the items: a state may know hundreds of plans, and few meet a long subject.
---@class pattern.Plan
---@field text string         the pattern, to be tried at one place
---@field anchored boolean
---@field first? string       a class that every match begins with
---@field may_end boolean     a match can begin at the end of the subject
---@field fault? string       why stock Lua refuses the pattern
---@field refusal? string     why we do
---@field whole integer       the longest subject for one C call
---@field attempt integer     the longest subject for one attempt in C
---@field pass integer        the longest subject at all

--- Longest subject by pattern, for those that C may run and has no complaint about: the fast path.
---@type table<string, integer>
patterns.cheap = {}

local plans = {}
local known = 0

local function remember(pattern, limit)
  if known >= MOST_KNOWN then
    for old in next, patterns.cheap do
      patterns.cheap[old] = nil
    end
    for old in next, plans do
      plans[old] = nil
    end
    known = 0
  end
  known = known + 1
  patterns.cheap[pattern] = limit
end

local function repetitions(list)
  local count = 0
  for i = 1, #list do
    count = count + (list[i].times and 1 or 0)
  end
  return count
end

local REFUSED = {
  refusal = format(
    "pattern too complex (at most %d bytes and %d repetitions)",
    MOST_BYTES,
    MOST_REPETITIONS
  ),
  whole = -1,
  attempt = -1,
  pass = -1,
}

local function plan(pattern)
  if #pattern > MOST_BYTES then
    return REFUSED -- before it is taken apart, which may take seconds
  end
  local list, anchored, fault = items.read(pattern)
  if repetitions(list) > MOST_REPETITIONS then
    return REFUSED
  end
  local start = cost.rests(list)[0]
  local total = anchored and start.any or cost.every_start(start)
  return {
    text = anchored and pattern or "^" .. pattern,
    anchored = anchored,
    first = not anchored and cost.jump(start) or nil,
    may_end = start.may_end,
    fault = fault,
    whole = cost.longest(total, WHOLE),
    attempt = cost.longest(start.any, ATTEMPT),
    pass = cost.longest_pass(list, PASS),
  }
end

--- The plan for a pattern, from a bounded memory.
---@param pattern string
---@return pattern.Plan
function patterns.plan(pattern)
  local found = plans[pattern]
  if found then
    return found
  end
  found = plan(pattern)
  if not found.refusal then
    remember(pattern, not found.fault and found.whole or nil)
    plans[pattern] = found
  end
  return found
end

--- Learns a text without magic characters: no need to take it apart.
---@param pattern string
---@return boolean learned
function patterns.learn_text(pattern)
  if #pattern > MOST_BYTES or find(pattern, "[%^$*+?.()[%%%]-]") then
    return false
  end
  remember(pattern, cost.longest_text(#pattern, WHOLE))
  return true
end

--- Whether C may run a pattern over a subject of so many bytes in one call.
---@param pattern string
---@param size integer
---@param faulty? boolean  also one that stock Lua may complain about
---@return boolean
function patterns.is_small(pattern, size, faulty)
  if patterns.cheap[pattern] or patterns.learn_text(pattern) then
    return size <= patterns.cheap[pattern]
  end
  local found = patterns.plan(pattern)
  return size <= found.whole and (faulty or not found.fault)
end

--- How a pattern may be run on a subject of so many bytes.
---@param pattern string
---@param size integer
---@return "small" | "stepwise" | "refuse"
function patterns.decide(pattern, size)
  if patterns.is_small(pattern, size, true) then
    return "small"
  end
  return size <= patterns.plan(pattern).pass and "stepwise" or "refuse"
end

return patterns
