--- What each assertion of the `test` module finds: nil when it holds, else what to say.
---
---     assertions.gt(3, 2) --> nil
---     assertions.gt(2, 3) --> { code = "T703", text = "expected more than 3, got 2" }
---
--- Codes: T701 two values differ, T703 a value is not as expected, T704 an error is missing, is not
--- the expected one, or was not expected.
local ipairs, next, pcall, rawequal, rawget, tostring, type =
  ipairs, next, pcall, rawequal, rawget, tostring, type
local concat, format = table.concat, string.format
local abs, max = math.abs, math.max
local blame = require("host.walls.blame")
local contents = require("host.walls.contents")
local diff = require("host.print.diff")
local pretty = require("host.print.pretty")
local strings = require("host.stock.strings")
local text_diff = require("host.print.text_diff")
local text_window = require("host.print.text_window")

-- The bounded one: texts and patterns come from scripts.
local find = strings.new().find

local brief = pretty.brief

local assertions = {}

--- Bytes of a text that is shown as a whole where it differs from another.
local SHORT = 80

---@param code string
---@param lines? string[]
---@return failure.Mismatch
local function mismatch(code, lines, text, ...)
  return { code = code, text = format(text, ...), diff = lines }
end

local function differ(text, ...)
  return mismatch("T701", nil, text, ...)
end

local function unlike(text, ...)
  return mismatch("T703", nil, text, ...)
end

local function both(kind, a, b)
  return type(a) == kind and type(b) == kind
end

local function append(lines, more)
  for _, line in ipairs(more) do
    lines[#lines + 1] = line
  end
  return lines
end

local function plural(count, noun)
  return count .. " " .. noun .. (count == 1 and "" or "s")
end

-- Equality ---------------------------------------------------------------------------------------

local function text_mismatch(actual, expected)
  if find(actual, "\n", 1, true) or find(expected, "\n", 1, true) then
    return mismatch("T701", text_diff.lines(actual, expected), "expected equal texts")
  end
  local here, there = pretty.quote(actual), pretty.quote(expected)
  if max(#here, #there) <= SHORT then
    return differ("expected %s, got %s", there, here)
  end
  local place = text_window.place(actual, expected)
  local lines = text_window.lines(actual, expected, pretty.quote)
  return mismatch("T701", lines, "expected equal texts; they differ from byte %d on", place)
end

function assertions.eq(actual, expected)
  if diff.equal(actual, expected) then
    return nil
  elseif both("string", actual, expected) then
    return text_mismatch(actual, expected)
  elseif not contents.are_comparable(actual, expected) then
    local remark = diff.remark(actual, expected)
    return differ("expected %s, got %s%s", brief(expected), brief(actual), remark)
  end
  local lines, count = diff.lines(actual, expected)
  append(lines, diff.literals(actual, expected))
  return mismatch("T701", lines, "expected equal tables, %s", plural(count, "difference"))
end

function assertions.neq(actual, unwanted)
  if diff.equal(actual, unwanted) then
    return differ("expected anything but %s", brief(unwanted))
  end
end

function assertions.is(actual, expected)
  if rawequal(actual, expected) then
    return nil
  elseif diff.equal(actual, expected) then
    return differ("expected the same object, got another with equal content: %s", brief(actual))
  end
  return differ("expected %s itself, got %s", brief(expected), brief(actual))
end

function assertions.is_not(actual, unwanted)
  if rawequal(actual, unwanted) then
    return differ("expected another object than %s", brief(unwanted))
  end
end

function assertions.near(actual, expected, tolerance)
  if not both("number", actual, expected) then
    return differ("expected a number near %s, got %s", brief(expected), brief(actual))
  end
  local off = abs(actual - expected)
  if actual == expected or off <= tolerance then
    return nil
  end
  local by = off == off and format(" (off by %.6g)", off) or ""
  local text = "expected %s within %s, got %s%s"
  return differ(text, brief(expected), brief(tolerance), brief(actual), by)
end

function assertions.match(actual, partial)
  if type(actual) ~= "table" then
    return differ("expected a table with %s, got %s", brief(partial), brief(actual))
  end
  local lines, count = diff.lines(actual, partial, true)
  if count > 0 then
    local text = "expected a table with the given fields, %s"
    return mismatch("T701", lines, text, plural(count, "difference"))
  end
end

-- Truth and type ---------------------------------------------------------------------------------

function assertions.ok(actual)
  if not actual then
    return unlike("expected something true, got %s", brief(actual))
  end
end

function assertions.not_nil(actual)
  if actual == nil then
    return unlike("expected a value, got nil")
  end
end

--- One of the three values that are alone of their sort.
function assertions.constant(actual, expected)
  if not rawequal(actual, expected) then
    return unlike("expected %s, got %s", tostring(expected), brief(actual))
  end
end

function assertions.type(actual, kind)
  if type(actual) ~= kind then
    return unlike("expected a %s, got %s", kind, brief(actual))
  end
end

-- Content ----------------------------------------------------------------------------------------

local function holds(list, wanted)
  for _, value in next, (contents.of(list)) do
    if diff.equal(value, wanted) then
      return true
    end
  end
  return false
end

function assertions.contains(actual, wanted)
  local held
  if both("string", actual, wanted) then
    held = find(actual, wanted, 1, true)
  elseif type(actual) == "table" then
    held = holds(actual, wanted)
  else
    return unlike("expected a text or table that contains %s, got %s", brief(wanted), brief(actual))
  end
  if not held then
    return unlike("expected %s to contain %s", brief(actual, 200), brief(wanted))
  end
end

function assertions.matches(actual, pattern)
  if type(actual) ~= "string" then
    return unlike("expected a text that matches %s, got %s", brief(pattern), brief(actual))
  elseif not find(actual, pattern) then
    return unlike("expected %s to match %s", brief(actual, 200), brief(pattern))
  end
end

local function names(list)
  local texts = {}
  for index, value in ipairs(list) do
    if index > 10 then
      texts[index] = "…"
      break
    end
    texts[index] = brief(value, 30)
  end
  return concat(texts, ", ")
end

function assertions.has_key(actual, key)
  if type(actual) ~= "table" then
    return unlike("expected a table with the key %s, got %s", brief(key), brief(actual))
  end
  local fields = contents.of(actual)
  if rawget(fields, key) ~= nil then
    return nil
  elseif next(fields) == nil then
    return unlike("expected the key %s in an empty table", brief(key))
  end
  return unlike("expected the key %s among %s", brief(key), names(pretty.keys(fields)))
end

function assertions.len(actual, length)
  if type(actual) ~= "table" and type(actual) ~= "string" then
    return unlike("expected a text or table of length %s, got %s", brief(length), brief(actual))
  elseif #actual ~= length then
    return unlike("expected length %s, got %d: %s", brief(length), #actual, brief(actual))
  end
end

local ORDERS = {
  gt = "more than",
  gte = "at least",
  lt = "less than",
  lte = "at most",
}

local function in_order(order, a, b)
  if order == "gt" then
    return a > b
  elseif order == "gte" then
    return a >= b
  elseif order == "lt" then
    return a < b
  end
  return a <= b
end

---@param order "gt"|"gte"|"lt"|"lte"
function assertions.order(order, actual, limit)
  -- What cannot be compared is not in order, and says so in the same words.
  local compared, held = pcall(in_order, order, actual, limit)
  if not (compared and held) then
    return unlike("expected %s %s, got %s", ORDERS[order], brief(limit), brief(actual))
  end
end

function assertions.one_of(actual, choices)
  if not holds(choices, actual) then
    return unlike("expected one of %s, got %s", names(choices), brief(actual))
  end
end

blame.hide()

return assertions
