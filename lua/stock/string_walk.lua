--- find, match, gmatch and gsub as Lua loops over the subject, for where one C call is too much.
---
--- They give what stock Lua gives. Arguments are checked before they come here.
local blame = require("host.walls.blame")
local bounds = require("host.stock.bounds")
local expansion = require("host.stock.expansion")
local patterns = require("host.stock.patterns")
local search = require("host.stock.search")

local concat, find, max, select, sub, tostring, type =
  table.concat, string.find, math.max, select, string.sub, tostring, type

local walk = {}

--- Byte comparisons that one plain search in C may make.
local MOST_COMPARISONS = 1e9

--- Where a search begins, as `init` says; may be behind the subject's end.
local function place_of(init, size)
  if init > 0 then
    return init
  end
  return init == 0 and 1 or max(1, size + init + 1)
end

--- A match's captures, or else all of it.
local function captures(s, first, stop, ...)
  if not first then
    return nil
  elseif select("#", ...) == 0 then
    return sub(s, first, stop)
  end
  return ...
end

--- string.find of plain text.
---@param s string
---@param text string
---@param init integer
---@return integer? first
---@return integer? stop
function walk.plain(s, text, init)
  if #s * #text <= MOST_COMPARISONS then
    return find(s, text, init, true)
  end
  local width = MOST_COMPARISONS // #text
  for from = place_of(init, #s), #s - #text + 1, width do
    local first, stop = find(sub(s, from, from + width + #text - 2), text, 1, true)
    if first then
      return from + first - 1, from + stop - 1
    end
  end
  return nil
end

---@param s string
---@param pattern string
---@param init integer
---@return integer? first
---@return any ...  stop, captures
function walk.find(s, pattern, init)
  local plan, place = patterns.plan(pattern), place_of(init, #s)
  if place > #s + 1 then
    return nil
  end
  return search.from(plan, s, place)
end

---@param s string
---@param pattern string
---@param init integer
---@return any ...  captures
function walk.match(s, pattern, init)
  return captures(s, walk.find(s, pattern, init))
end

---@param s string
---@param pattern string
---@param init integer
---@return fun(): ...
function walk.gmatch(s, pattern, init)
  local plan = patterns.plan(pattern)
  local place, last = place_of(init, #s), nil
  local function advance(first, stop, ...)
    if first then
      place, last = stop + 1, stop
    end
    return captures(s, first, stop, ...)
  end
  return function()
    return advance(search.from(plan, s, place, last))
  end
end

--- From a replacement to a function that says what to put in place of a match, or false.
local REPLACER = {}

REPLACER["function"] = function(replacement)
  return function(whole, ...)
    if select("#", ...) == 0 then
      return replacement(whole)
    end
    return (replacement(...))
  end
end

function REPLACER.table(replacement)
  return function(whole, ...)
    if select("#", ...) == 0 then
      return replacement[whole]
    end
    return replacement[(...)]
  end
end

function REPLACER.string(replacement)
  local pieces
  return function(whole, ...)
    pieces = pieces or expansion.read(replacement)
    return expansion.fill(pieces, whole, ...)
  end
end

local function checked(value, whole)
  local kind = type(value)
  if not value then
    return whole
  elseif kind ~= "string" and kind ~= "number" then
    blame.raise("invalid replacement value (a " .. kind .. ")")
  end
  return tostring(value)
end

---@param s string
---@param pattern string
---@param replacement string | function | table
---@param most integer
---@return string
---@return integer count
function walk.gsub(s, pattern, replacement, most)
  local plan, replace = patterns.plan(pattern), REPLACER[type(replacement)](replacement)
  local parts, size, count, copied, last = {}, 0, 0, 1, nil
  local function take(first, stop, ...)
    if not first then
      return false
    end
    local whole = sub(s, first, stop)
    local value = checked(replace(whole, ...), whole)
    size = size + first - copied + #value
    if size > bounds.LONGEST then
      blame.raise(bounds.TOO_LARGE)
    end
    parts[#parts + 1] = sub(s, copied, first - 1)
    parts[#parts + 1] = value
    count, copied, last = count + 1, stop + 1, stop
    return not plan.anchored
  end
  while count < most and take(search.from(plan, s, copied, last)) do
    -- The search is the step.
  end
  parts[#parts + 1] = sub(s, copied)
  return concat(parts), count
end

blame.hide()

return walk
