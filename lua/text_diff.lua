--- What differs between two texts, line by line, for people.
---
---     text_diff.lines("one\ntwo", "one\n2") --> { "  one", "- 2", "+ two" }
---
--- `-` was expected, `+` is there.
local ipairs = ipairs
local find, gmatch = string.find, string.gmatch
local max = math.max

local text_diff = {}

local LINES = 12 -- as many fit under a failure without hiding the next one
local CELLS = 250000 -- of the table that finds common lines; beyond it, all lines count as changed

local function split(text)
  local lines = {}
  for line in gmatch(text .. "\n", "([^\n]*)\n") do
    lines[#lines + 1] = line
  end
  return lines
end

--- How many lines the rests of both texts have in common, for every pair of starting points.
local function common_lines(got, expected, first, last_got, last_expected)
  local rows = { [last_got + 1] = {} }
  for i = last_got, first, -1 do
    local row, below = {}, rows[i + 1]
    for j = last_expected, first, -1 do
      row[j] = got[i] == expected[j] and (below[j + 1] or 0) + 1
        or max(below[j] or 0, row[j + 1] or 0)
    end
    rows[i] = row
  end
  return rows
end

--- Both texts as one list of marked lines: `- expected`, `+ got`, and what they share.
local function marked(got, expected)
  local first, last_got, last_expected = 1, #got, #expected
  while first <= last_got and first <= last_expected and got[first] == expected[first] do
    first = first + 1
  end
  while last_got >= first and last_expected >= first and got[last_got] == expected[last_expected] do
    last_got, last_expected = last_got - 1, last_expected - 1
  end
  local small = (last_got - first + 1) * (last_expected - first + 1) <= CELLS
  local rows = small and common_lines(got, expected, first, last_got, last_expected)
  local lines, i, j = {}, 1, 1
  local function add(mark, text)
    lines[#lines + 1] = mark .. text
  end
  while i <= #got or j <= #expected do
    local inside = (i >= first and i <= last_got) or (j >= first and j <= last_expected)
    local equal_here = got[i] == expected[j] and (not inside or small)
    if equal_here then
      add("  ", got[i])
      i, j = i + 1, j + 1
    elseif
      j <= last_expected
      and (i > last_got or not rows or (rows[i][j + 1] or 0) >= ((rows[i + 1] or {})[j] or 0))
    then
      add("- ", expected[j])
      j = j + 1
    else
      add("+ ", got[i])
      i = i + 1
    end
  end
  return lines
end

--- Keeps changed lines with one line around them; what is left out becomes an ellipsis.
local function elided(lines)
  local kept, skipped = {}, false
  for index, line in ipairs(lines) do
    local near = find(line, "^[-+]")
      or find(lines[index - 1] or "", "^[-+]")
      or find(lines[index + 1] or "", "^[-+]")
    if near then
      if skipped then
        kept[#kept + 1] = "  …"
      end
      kept[#kept + 1] = line
    end
    skipped = not near
  end
  if skipped then
    kept[#kept + 1] = "  …"
  end
  return kept
end

--- A unified diff of two texts in at most 12 lines: `-` was expected, `+` is there.
---@param got string
---@param expected string
---@return string[] lines
---@nodiscard
function text_diff.lines(got, expected)
  local lines = elided(marked(split(got), split(expected)))
  if #lines <= LINES then
    return lines
  end
  local rest = #lines - LINES + 1
  for index = #lines, LINES, -1 do
    lines[index] = nil
  end
  lines[LINES] = "… " .. rest .. " more lines"
  return lines
end

return text_diff
