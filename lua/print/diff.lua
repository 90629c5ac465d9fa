--- What differs between two values, for people who look at a failed test.
---
---     diff.equal({ 1, 2 }, { 1, 2.0 }) --> true
---     diff.lines({ a = { 1, 2 } }, { a = { 1, 3 } }) --> { "at a[2]   got 2   expected 3" }, 1
---
--- Tables are equal when their contents are, numbers when Lua says so (1 and 1.0 are), and NaN
--- equals NaN here, because it prints the same.
local ipairs, next, rawget, tostring, type = ipairs, next, rawget, tostring, type
local find, gsub = string.find, string.gsub
local contents = require("host.walls.contents")
local pretty = require("host.print.pretty")
local text_diff = require("host.print.text_diff")
local text_window = require("host.print.text_window")

local diff = {}

local PATHS = 8 -- differences that are spelled out
local SIDE_BY_SIDE = 60 -- bytes of two texts that fit one line

---@class diff.Difference
---@field path string
---@field got any
---@field expected any

local function same(actual, expected)
  return actual == expected or (actual ~= actual and expected ~= expected)
end

--- Remembers the pairs under comparison, so that cycles end: a pair met again is taken as equal.
local function met_before(seen, actual, expected)
  local partners = seen[actual] or {}
  seen[actual] = partners
  if partners[expected] then
    return true
  end
  partners[expected] = true
  return false
end

local function equal(actual, expected, seen)
  if same(actual, expected) then
    return true
  elseif not contents.are_comparable(actual, expected) then
    return false
  elseif met_before(seen, actual, expected) then
    return true
  end
  actual, expected = contents.of(actual), contents.of(expected)
  for key, value in next, actual do
    if not equal(value, rawget(expected, key), seen) then
      return false
    end
  end
  for key in next, expected do
    if rawget(actual, key) == nil then
      return false
    end
  end
  return true
end

--- Whether both are the same, tables compared by content.
---@param actual any
---@param expected any
---@return boolean
---@nodiscard
function diff.equal(actual, expected)
  return equal(actual, expected, {})
end

--- The keys to look at: those of both tables, or only the expected ones.
local function keys_of(actual, expected, partial)
  if partial then
    return pretty.keys(expected)
  end
  local both = {}
  for key in next, actual do
    both[key] = true
  end
  for key in next, expected do
    both[key] = true
  end
  return pretty.keys(both)
end

---@param search { found: diff.Difference[], count: integer, partial: boolean, seen: table }
local function walk(search, actual, expected, path)
  if same(actual, expected) then
    return
  elseif not contents.are_comparable(actual, expected) then
    search.count = search.count + 1
    if search.count <= PATHS then
      search.found[search.count] = { path = path, got = actual, expected = expected }
    end
    return
  elseif met_before(search.seen, actual, expected) then
    return
  end
  actual, expected = contents.of(actual), contents.of(expected)
  for _, key in ipairs(keys_of(actual, expected, search.partial)) do
    walk(search, rawget(actual, key), rawget(expected, key), path .. pretty.step(key))
  end
end

local function shown(value)
  return value == nil and "nothing" or pretty.brief(value)
end

--- Says it when two values print alike and yet are not of one type, such as "25" and 25.
---@param actual any
---@param expected any
---@return string  empty when there is nothing to say
function diff.remark(actual, expected)
  local differ = type(actual) ~= type(expected)
  local scalars = type(actual) ~= "table" and type(expected) ~= "table"
  if differ and scalars and tostring(actual) == tostring(expected) then
    return " (same text, different type)"
  end
  return ""
end

--- Whether two texts are too long to be shown side by side.
local function are_long_texts(got, expected)
  return type(got) == "string" and type(expected) == "string" and #got + #expected > SIDE_BY_SIDE
end

--- The lines about one difference: one, or three where long texts differ.
---@param finding diff.Difference
local function lines_of(finding)
  if are_long_texts(finding.got, finding.expected) then
    local both = text_window.lines(finding.got, finding.expected, pretty.quote)
    return { "at " .. gsub(finding.path, "^%.", ""), "  " .. both[1], "  " .. both[2] }
  end
  local got, expected = shown(finding.got), shown(finding.expected)
  local path = gsub(finding.path, "^%.", "")
  local remark = diff.remark(finding.got, finding.expected)
  if got == expected then
    remark = " (not the same one)"
  end
  return { "at " .. path .. "   got " .. got .. "   expected " .. expected .. remark }
end

--- The differences of two tables, path by path, and how many there are in all.
---@param actual table
---@param expected table
---@param partial? boolean  look only at what `expected` holds
---@return string[] lines
---@return integer count
---@nodiscard
function diff.lines(actual, expected, partial)
  local search = { found = {}, count = 0, partial = partial or false, seen = {} }
  walk(search, actual, expected, "")
  local lines = {}
  for _, finding in ipairs(search.found) do
    for _, line in ipairs(lines_of(finding)) do
      lines[#lines + 1] = line
    end
  end
  if search.count > PATHS then
    lines[#lines + 1] = "and " .. search.count - PATHS .. " more differences"
  end
  return lines, search.count
end

local function is_long(value)
  return find(pretty.value(value, { width = 60, bytes = 200 }), "\n", 1, true) ~= nil
end

--- A unified diff of the literals of two values; empty if one line holds each.
---@param actual any
---@param expected any
---@return string[] lines
---@nodiscard
function diff.literals(actual, expected)
  if not (is_long(actual) or is_long(expected)) then
    return {}
  end
  local options = { width = 60, bytes = 200000, open = true }
  local got, wanted = pretty.value(actual, options), pretty.value(expected, options)
  return got == wanted and {} or text_diff.lines(got, wanted)
end

return diff
