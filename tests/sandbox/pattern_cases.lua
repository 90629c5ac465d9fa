--- Random patterns and subjects, and what stock Lua and the bounded functions make of them.
---
--- `compare(seed, count, mode)` returns the differences as text; the modes force one way through
--- the code on subjects that are short enough to be compared at all.
local patterns = require("host.stock.patterns")
local strings = require("host.stock.strings")

local bounded = strings.new()
local random = math.random

local function one_of(list)
  return list[random(#list)]
end

local CLASSES = {
  "a",
  "a",
  "b",
  "b",
  ".",
  ".",
  "%a",
  "%w",
  "%s",
  "%d",
  " ",
  ",",
  "%,",
  "1",
  "%S",
  "%W",
  "%A",
  "%z",
  "\0",
  "[ab]",
  "[^a]",
  "[^,]",
  "[%w_]",
  "[a-c1]",
  "[]a]",
  "[^]]",
  "[%a-]",
  "[a%]]",
  "\200",
  "[^%s]",
  "%x",
  "$",
  "^",
  "-",
  "]",
  "%%",
  "%.",
  "[a-]",
  "[%-a]",
  "[\0-\200]",
}
local TIMES = { "", "", "", "*", "+", "-", "?", "*", "-" }
local ODD = {
  "%b()",
  "%bab",
  "%b,,",
  "%f[a]",
  "%f[%W]",
  "%f[^a]",
  "%f[%z]",
  "()",
  "%1",
  "%2",
  "$",
  "^",
  "(",
  ")",
  "%",
  "[",
  "%b",
  "%f",
  "[^",
  "[a",
  "%0",
  "%9",
}

local function item(depth, sound)
  local dice = random(20)
  if dice <= 3 and depth > 0 then
    local parts = { "(" }
    for _ = 1, random(3) do
      parts[#parts + 1] = item(depth - 1, sound)
    end
    return table.concat(parts) .. ")"
  elseif dice == 4 then
    return ODD[random(sound and 10 or #ODD)]
  end
  return one_of(CLASSES) .. one_of(TIMES)
end

local function pattern()
  local sound = random(10) > 1
  local parts = { random(5) == 1 and "^" or "" }
  for _ = 1, random(7) do
    parts[#parts + 1] = item(2, sound)
  end
  return table.concat(parts) .. (random(5) == 1 and "$" or "")
end

local LETTERS = {
  "a",
  "a",
  "a",
  "b",
  "b",
  "c",
  " ",
  " ",
  ",",
  "1",
  "(",
  ")",
  "\0",
  "\200",
  "-",
  "]",
  "^",
  "$",
  "%",
}

local function subject()
  local letters = {}
  local variety = random(2, #LETTERS)
  for i = 1, random(0, 24) do
    letters[i] = LETTERS[random(variety)]
  end
  return table.concat(letters)
end

local REPLACEMENTS = {
  "",
  "x",
  "<%0>",
  "%1",
  "%2-%1",
  "%%",
  7,
  "%x",
  "%",
  "%9",
  { a = "A", b = false, ab = 1, [" "] = true },
  function(...)
    return select("#", ...) .. tostring((...))
  end,
  function(first)
    return first ~= "a" and first
  end,
  true,
}

--- Results or complaint of a call, without its position.
local function outcome(run, ...)
  local results = table.pack(pcall(run, ...))
  if not results[1] then
    local message = tostring(results[2]):gsub("^[^:]+:%d+: ", ""):gsub("'string%.", "'")
    return "error: " .. message
  end
  for i = 1, results.n do
    results[i] = ("%q"):format(results[i])
  end
  return table.concat(results, " ")
end

local function all_matches(library)
  return function(s, p, init)
    local found = {}
    for first, second in library.gmatch(s, p, init) do
      found[#found + 1] = ("%q %q"):format(first, second)
    end
    return table.concat(found, "; ")
  end
end

local function functions(library)
  return { library.find, library.match, all_matches(library), library.gsub }
end

local STOCK, BOUNDED = functions(string), functions(bounded)
local NAMES = { "find", "match", "gmatch", "gsub" }

--- How a plan is made to go each way whatever the subject's length.
local MODES = {}

function MODES.as_is() end

function MODES.starts(plan)
  plan.whole = -1
end

function MODES.matcher(plan)
  plan.whole, plan.attempt = -1, -1
end

local function force(mode, pattern_text)
  local plan = patterns.plan(pattern_text)
  MODES[mode](plan)
  if not plan.fault then
    patterns.cheap[pattern_text] = plan.whole
  end
  return plan
end

local function random_arguments(which)
  local s = random(50) == 1 and one_of({ 12, 1.5, -0.0, 1e15 }) or subject()
  local p = random(200) == 1 and 1 or pattern()
  if which == 4 then
    return s, p, one_of(REPLACEMENTS), random(4) == 1 and random(-1, 3) or nil
  end
  local init = random(3) == 1 and one_of({ 1, 2, 5, 30, 0, -1, -3, -40, "2", 2.0, 2.5, "x" }) or nil
  return s, p, init, which == 1 and random(10) == 1 or nil
end

local function difference(which, expected, got, ...)
  local shown = table.pack(...)
  for i = 1, shown.n do
    local value = shown[i]
    shown[i] = type(value) == "string" and ("%q"):format(value:sub(1, 200)) or tostring(value)
  end
  local call = NAMES[which] .. "(" .. table.concat(shown, ", ") .. ")"
  return call .. "\n  stock " .. expected:sub(1, 500) .. "\n  ours  " .. got:sub(1, 500)
end

--- Whether a difference is one we mean: a complaint about a faulty pattern of which C might never
--- have reached the fault, or asked for the capture that has no end.
local function is_meant(plan, s, got)
  local size = #tostring(s)
  local is_late = size > plan.attempt
  local is_unasked = size > plan.whole and plan.fault == "unfinished capture"
  return plan.fault and (is_late or is_unasked) and got == "error: " .. plan.fault
end

local cases = {}

--- Compares the bounded functions with stock Lua's on random arguments.
---@param seed integer
---@param count integer
---@param mode "as_is" | "starts" | "matcher"
---@return string  one paragraph per difference, of the first few
function cases.compare(seed, count, mode)
  math.randomseed(seed)
  local differences = {}
  for _ = 1, count do
    local which = random(4)
    local s, p, third, fourth = random_arguments(which)
    local plan = force(mode, tostring(p))
    local expected = outcome(STOCK[which], s, p, third, fourth)
    local got = outcome(BOUNDED[which], s, p, third, fourth)
    if got ~= expected and not is_meant(plan, s, got) then
      differences[#differences + 1] = difference(which, expected, got, s, p, third, fourth)
    end
  end
  return table.concat(differences, "\n", 1, math.min(#differences, 9))
end

local ORDINARY = {
  "^%s*(.-)%s*$",
  "^(%S+)%s+(.*)$",
  "%a+",
  "(%w+)=(%w+)",
  "(.-)\n",
  "%s+$",
  "[^,\n]*",
  "([^,]*),?",
  "^(.-):(.-):(.*)$",
  "%d+%.?%d*",
  "%f[%w]%w+",
  '"(.-)"',
  "(%a+) (%a+)",
  "()%s+()",
  "%b()",
  "[\r\n]+",
  "^.*/",
  "%.(%w+)$",
  "<(%w+)>(.-)</%1>",
  "%%(%x%x)",
  "[^%w%-_.~]",
  "(%u)(%l+)",
  "^%-?%d+$",
  "%s*([,;])%s*",
}
local WORDS = {
  "alpha",
  "Beta",
  "x",
  "=",
  "17",
  "3.14",
  ",",
  ", ",
  ":",
  "\n",
  " ",
  "  ",
  "(",
  ")",
  '"',
  "<b>bold</b>",
  "/",
  ".lua",
  "%20",
  ";",
}

local function ordinary_subject()
  local words = {}
  for i = 1, random(50, 3000) do
    words[i] = one_of(WORDS)
  end
  return table.concat(words, random(2) == 1 and " " or "")
end

--- Compares them on ordinary patterns, and subjects on both sides of what C may do at once.
---@param seed integer
---@param count integer
---@return string
function cases.compare_ordinary(seed, count)
  math.randomseed(seed)
  local differences = {}
  for _ = 1, count do
    local which, s, p = random(4), ordinary_subject(), one_of(ORDINARY)
    local third = which == 4 and one_of({ "<%0>", "%1", "", {}, string.len }) or nil
    local expected = outcome(STOCK[which], s, p, third)
    local got = outcome(BOUNDED[which], s, p, third)
    if got ~= expected then
      differences[#differences + 1] = difference(which, expected, got, s, p, third)
    end
  end
  return table.concat(differences, "\n", 1, math.min(#differences, 9))
end

return cases
