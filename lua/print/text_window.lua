--- Where two long texts differ: the part of each around their first difference.
---
---     text_window.place("one two", "one 2")     --> 5
---     text_window.parts(got, expected)          --> "…rest of the same, then x…", "…then y…"
---     text_window.lines(got, expected, quote)   --> { 'got      …"x"…', 'expected …"y"…' }
local byte, min, sub = string.byte, math.min, string.sub

local text_window = {}

--- Bytes of a part in front of the first difference, and from it on.
local BEFORE, BEHIND = 30, 40
--- Bytes that are compared at once: far ones are found without looking at each.
local STEP = 4096

--- The first byte in which two texts differ.
---@param got string
---@param expected string
---@return integer
---@nodiscard
function text_window.place(got, expected)
  local place, shorter = 1, min(#got, #expected)
  while place <= shorter and sub(got, place, place + STEP) == sub(expected, place, place + STEP) do
    place = place + STEP + 1
  end
  while place <= shorter and byte(got, place) == byte(expected, place) do
    place = place + 1
  end
  return min(place, shorter + 1)
end

--- Moves `at` by `step` until a character begins there.
local function aligned(text, at, step)
  local code = byte(text, at)
  while code and code >= 0x80 and code < 0xC0 do
    at = at + step
    code = byte(text, at)
  end
  return at
end

local function as_it_is(text)
  return text
end

local function part(text, place, quote)
  local first, behind = aligned(text, place, -1) - BEFORE, place + BEHIND
  first = first > 4 and aligned(text, first, -1) or 1
  behind = behind + 3 < #text and aligned(text, behind, 1) or #text + 1
  local shown = quote(sub(text, first, behind - 1))
  return (first > 1 and "…" or "") .. shown .. (behind <= #text and "…" or "")
end

--- Both texts without what lies far from their first difference.
---@param got string
---@param expected string
---@param quote? fun(text: string): string  how a part is written (default: as it is)
---@return string got
---@return string expected
---@nodiscard
function text_window.parts(got, expected, quote)
  local place = text_window.place(got, expected)
  return part(got, place, quote or as_it_is), part(expected, place, quote or as_it_is)
end

--- The same as two lines for people.
---@param got string
---@param expected string
---@param quote fun(text: string): string
---@return string[]
---@nodiscard
function text_window.lines(got, expected, quote)
  local here, there = text_window.parts(got, expected, quote)
  return { "got      " .. here, "expected " .. there }
end

return text_window
