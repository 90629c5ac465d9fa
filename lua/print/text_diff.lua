--- What differs between two texts, line by line, for people.
---
---     text_diff.lines("one\ntwo", "one\n2") --> { "  one", "- 2", "+ two" }
---
--- `-` was expected, `+` is there.
local find, gmatch, sub = string.find, string.gmatch, string.sub
local max, min = math.max, math.min

local text_window = require("host.print.text_window")

local text_diff = {}

local LINES = 12 -- as many fit under a failure without hiding the next one
local LONG = 90 -- bytes of a changed line beyond which only the place of the change is shown
local CELLS = 250000 -- of the table that finds common lines; beyond it, all lines count as changed

local function split(text)
  local lines = {}
  for line in gmatch(text .. "\n", "([^\n]*)\n") do
    lines[#lines + 1] = line
  end
  return lines
end

--- How many lines both begin with, and how many of the others both end with.
local function common_ends(got, expected)
  local shorter, head, tail = min(#got, #expected), 0, 0
  while head < shorter and got[head + 1] == expected[head + 1] do
    head = head + 1
  end
  while tail < shorter - head and got[#got - tail] == expected[#expected - tail] do
    tail = tail + 1
  end
  return head, tail
end

--- For every pair of places: how many lines both have in common from there to `last_…`.
local function common_counts(got, expected, first, last_got, last_expected)
  local counts = { [last_got + 1] = {} }
  for i = last_got, first, -1 do
    local row, below = {}, counts[i + 1]
    for j = last_expected, first, -1 do
      if got[i] == expected[j] then
        row[j] = (below[j + 1] or 0) + 1
      else
        row[j] = max(below[j] or 0, row[j + 1] or 0)
      end
    end
    counts[i] = row
  end
  return counts
end

local function append(lines, mark, source, first, last)
  for index = first, last do
    lines[#lines + 1] = mark .. source[index]
  end
end

--- Walks through both middles, along the way with the most common lines.
local function append_changes(lines, got, expected, first, last_got, last_expected)
  local counts = common_counts(got, expected, first, last_got, last_expected)
  local i, j = first, first
  while i <= last_got and j <= last_expected do
    if got[i] == expected[j] then
      append(lines, "  ", got, i, i)
      i, j = i + 1, j + 1
    elseif (counts[i][j + 1] or 0) >= (counts[i + 1][j] or 0) then
      append(lines, "- ", expected, j, j)
      j = j + 1
    else
      append(lines, "+ ", got, i, i)
      i = i + 1
    end
  end
  return i, j
end

--- Both texts as one list of marked lines, nothing left out.
---@param got string
---@param expected string
---@return string[] lines
---@nodiscard
function text_diff.all(got, expected)
  local got_lines, expected_lines, lines = split(got), split(expected), {}
  local head, tail = common_ends(got_lines, expected_lines)
  local last_got, last_expected = #got_lines - tail, #expected_lines - tail
  local i, j = head + 1, head + 1
  append(lines, "  ", got_lines, 1, head)
  if (last_got - head) * (last_expected - head) <= CELLS then
    i, j = append_changes(lines, got_lines, expected_lines, i, last_got, last_expected)
  end
  append(lines, "- ", expected_lines, j, last_expected)
  append(lines, "+ ", got_lines, i, last_got)
  append(lines, "  ", got_lines, last_got + 1, #got_lines)
  return lines
end

local function is_change(line)
  return line ~= nil and find(line, "^[-+]") ~= nil
end

--- Keeps changed lines with one line around them; what is left out becomes an ellipsis.
local function elided(lines)
  local kept, skipped = {}, false
  for index = 1, #lines do
    local around = is_change(lines[index - 1]) or is_change(lines[index + 1])
    if around or is_change(lines[index]) then
      kept[#kept + 1] = lines[index]
      skipped = false
    elseif not skipped then
      kept[#kept + 1] = "  …"
      skipped = true
    end
  end
  return kept
end

--- Cuts changed lines that are long to where they differ: the first that was expected against the
--- first that is there, and so on.
local function windowed(lines)
  local wanted = 0 -- how many expected lines stand above, still without their counterpart
  for index = 1, #lines do
    local mark = sub(lines[index], 1, 2)
    if mark == "- " then
      wanted = wanted + 1
    elseif mark == "+ " and wanted > 0 and sub(lines[index - wanted], 1, 2) == "- " then
      local above = index - wanted
      local got, expected = sub(lines[index], 3), sub(lines[above], 3)
      if max(#got, #expected) > LONG then
        got, expected = text_window.parts(got, expected)
        lines[index], lines[above] = "+ " .. got, "- " .. expected
      end
      if sub(lines[index + 1] or "", 1, 2) ~= "+ " then
        wanted = 0
      end
    else
      wanted = 0
    end
  end
  return lines
end

--- The changed lines and those next to them, at most 12 in all.
---@param got string
---@param expected string
---@return string[] lines
---@nodiscard
function text_diff.lines(got, expected)
  local lines = windowed(elided(text_diff.all(got, expected)))
  local rest = #lines - LINES + 1
  if rest <= 1 then
    return lines
  end
  for index = #lines, LINES, -1 do
    lines[index] = nil
  end
  lines[LINES] = "… " .. rest .. " more lines"
  return lines
end

return text_diff
