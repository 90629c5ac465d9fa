--- Regular expressions whose time grows with the text alone, whatever the pattern.
---
---     local regex = require("regex")
---     local day = regex.compile([[(?P<year>\d{4})-(\d\d)-(\d\d)]])
---     day:match("on 2026-01-31")                 --> "2026", "01", "31"
---     day:find("on 2026-01-31")                  --> 4, 13, "2026", "01", "31"
---     day:gsub("2026-01-31", "%3.%2.%1")         --> "31.01.2026", 1
---     day:groups("on 2026-01-31").year           --> "2026"
---     regex.compile([[\s*,\s*]]):split("a , b")  --> { "a", "b" }
---
--- The methods do as those of `string` do, with the patterns of RE2: `\d \w \s \b`, `a|b`, `(?i)`,
--- `{2,5}`, `\pL`, and no look-around or back references. Subjects are UTF-8 unless the option
--- `bytes` says otherwise, and have at most 1 MiB. A malformed pattern raises, and so does what
--- would take too long.
local check = require("check")
local expansion = require("host.stock.expansion")
local lent = require("host.walls.lent")
local lock = require("host.walls.lock")
local weak = require("host.walls.weak")

local error, ipairs, next, setmetatable = error, ipairs, next, setmetatable
local tonumber, tostring, type = tonumber, tostring, type
local format, gmatch, gsub, rep = string.format, string.gmatch, string.gsub, string.rep
local sub, unpack_bytes = string.sub, string.unpack
local concat, math_type, max, unpack = table.concat, math.type, math.max, table.unpack
local look, search = lent.regex_compile, lent.regex_find

local regex = {}

---@class (exact) regex.Options  how a pattern is read; each is one of its flags
---@field ignore_case? boolean   letters match in both cases (default false)
---@field lines? boolean         `^` and `$` match at the lines' ends too (default false)
---@field dot_all? boolean       `.` matches the end of a line too (default false)
---@field bytes? boolean         subjects are bytes instead of UTF-8 (default false)

local OPTIONS = {
  bytes = { type = "boolean", default = false },
  dot_all = { type = "boolean", default = false },
  ignore_case = { type = "boolean", default = false },
  lines = { type = "boolean", default = false },
}

---@class regex.Pattern  a compiled pattern
local methods = {}

-- Also the answer of `getmetatable`, so that scripts cannot reach the real one.
local NAME = "regex"
local Pattern = lock.metatable({ __index = methods, __name = NAME }, NAME)

---@class host.regex.Known
---@field pattern string
---@field flags string
---@field groups integer
---@field names table<string, integer>
---@field shape string   how `unpack` reads one match
---@field size integer   the bytes of one match

--- What is known of each pattern; no script can reach it.
---@type table<regex.Pattern, host.regex.Known>
local known = weak("k")

--- More matches than any call answers.
local ALL = 0x7FFFFFFF

--- What is known of the pattern that a method was called on, and the subject it was given.
local function given(self, method, subject)
  local about = lock.is_of(self, Pattern) and known[self]
  if not about then
    error(format("regex:%s() is called with a colon, on what regex.compile answers", method), 3)
  end
  local kind = type(subject)
  if kind ~= "string" then
    error(format("regex:%s: subject: string expected, got %s", method, kind), 3)
  end
  return about
end

--- Where matches are, as `regex_find` packs it; raises at the line of the method's caller.
local function places(about, subject, from, most)
  local found, err = search(about.pattern, about.flags, subject, from - 1, most)
  if not found then
    error(tostring(err), 3)
  end
  return found
end

--- A match: the start and end of the whole and of each group, counted from 0; ends are exclusive.
local function match_at(about, found, number)
  local from = (number - 1) * about.size + 1
  return from < #found and { unpack_bytes(about.shape, found, from) } or nil
end

--- The text of a group; `absent` for one that took no part.
local function group(subject, match, number, absent)
  local from, to = match[2 * number + 1], match[2 * number + 2]
  if from < 0 then
    return absent
  end
  return sub(subject, from + 1, to)
end

--- The texts of all groups; the whole where there are none.
local function captures(about, subject, match, absent)
  if about.groups == 0 then
    return group(subject, match, 0)
  end
  local texts = {}
  for number = 1, about.groups do
    texts[number] = group(subject, match, number, absent)
  end
  return unpack(texts, 1, about.groups)
end

--- The byte to begin at, as `string.find` reads it; nil when it lies behind the end.
local function beginning(method, subject, init)
  if init == nil then
    return 1
  elseif math_type(init) ~= "integer" then
    error(format("regex:%s: init: integer expected, got %s", method, type(init)), 3)
  elseif init < 0 then
    return max(#subject + init + 1, 1)
  end
  return init <= #subject + 1 and max(init, 1) or nil
end

--- Whether the pattern matches somewhere.
---@param subject string
---@return boolean
---@nodiscard
function methods:test(subject)
  return #places(given(self, "test", subject), subject, 1, 1) > 0
end

--- Where the first match begins and ends, and its groups; nil when there is none.
---@param subject string
---@param init? integer   the byte to begin at (default 1; from the end when negative)
---@return integer|nil start
---@return integer|nil stop
---@return string|false ... # the groups
---@nodiscard
function methods:find(subject, init)
  local about = given(self, "find", subject)
  local from = beginning("find", subject, init)
  local match = from and match_at(about, places(about, subject, from, 1), 1)
  if not match then
    return nil
  elseif about.groups == 0 then
    return match[1] + 1, match[2]
  end
  return match[1] + 1, match[2], captures(about, subject, match, false)
end

--- The groups of the first match, or all of it where the pattern has none; nil when there is none.
---@param subject string
---@param init? integer   the byte to begin at (default 1; from the end when negative)
---@return string|false|nil ...
---@nodiscard
function methods:match(subject, init)
  local about = given(self, "match", subject)
  local from = beginning("match", subject, init)
  local match = from and match_at(about, places(about, subject, from, 1), 1)
  if not match then
    return nil
  end
  return captures(about, subject, match, false)
end

--- The groups of the first match by number and by name, the whole at 0; nil when there is none.
---@param subject string
---@return table<integer|string, string>|nil   without those that took no part
---@nodiscard
function methods:groups(subject)
  local about = given(self, "groups", subject)
  local match = match_at(about, places(about, subject, 1, 1), 1)
  if not match then
    return nil
  end
  local texts = {}
  for number = 0, about.groups do
    texts[number] = group(subject, match, number)
  end
  for name, number in next, about.names do
    texts[name] = texts[number]
  end
  return texts
end

--- The groups of every match in turn, or all of it where the pattern has none.
---@param subject string
---@return fun(): string|false|nil, ...
---@nodiscard
function methods:gmatch(subject)
  local about = given(self, "gmatch", subject)
  local found, number = places(about, subject, 1, ALL), 0
  return function()
    number = number + 1
    local match = match_at(about, found, number)
    if not match then
      return nil
    end
    return captures(about, subject, match, false)
  end
end

--- What stands for a match: makes it of its groups, as `string.gsub` does.
local function replacer(replacement)
  local kind = type(replacement)
  if kind == "function" then
    return replacement
  elseif kind == "table" then
    return function(key)
      return replacement[key]
    end
  elseif kind ~= "string" and kind ~= "number" then
    local text = "regex:gsub: replacement: string, table or function expected, got %s"
    error(format(text, kind), 3)
  end
  local pieces = expansion.read(tostring(replacement))
  return function(whole, ...)
    return expansion.fill(pieces, whole, ...)
  end, true
end

--- The text that is put in for a match, whose replacement may be false or nil for "as it is".
local function put_in(answer, whole)
  if not answer then
    return whole
  elseif type(answer) ~= "string" and type(answer) ~= "number" then
    error(format("regex:gsub: invalid replacement value (a %s)", type(answer)), 3)
  end
  return answer
end

--- Replaces matches.
---@param subject string
---@param replacement string|table|fun(...: string|false): string|number|false|nil
---  with `%0` to `%9` for the whole and the groups; by the first group; or made of the groups
---@param most? integer   (default: all)
---@return string text
---@return integer count
function methods:gsub(subject, replacement, most)
  local about = given(self, "gsub", subject)
  check.argument("regex:gsub", "most", most, { type = "integer|nil", min = 0 })
  local make, is_text = replacer(replacement)
  local takes_whole, absent = is_text and about.groups > 0, is_text and "" or false
  if most == 0 then
    return subject, 0
  end
  local found = places(about, subject, 1, most or ALL)
  local parts, from, count = {}, 1, 0
  local match = match_at(about, found, 1)
  while match do
    local whole = group(subject, match, 0)
    local answer
    if takes_whole then
      answer = make(whole, captures(about, subject, match, absent))
    else
      answer = make(captures(about, subject, match, absent))
    end
    parts[#parts + 1] = sub(subject, from, match[1])
    parts[#parts + 1] = put_in(answer, whole)
    from, count = match[2] + 1, count + 1
    match = match_at(about, found, count + 1)
  end
  parts[#parts + 1] = sub(subject, from)
  return concat(parts), count
end

--- The texts between the matches.
---@param subject string
---@param most? integer   how many to answer; the last is all that is left (default: all)
---@return string[]
---@nodiscard
function methods:split(subject, most)
  local about = given(self, "split", subject)
  check.argument("regex:split", "most", most, { type = "integer|nil", min = 1 })
  if most == 1 then
    return { subject }
  end
  local found = places(about, subject, 1, most and most - 1 or ALL)
  local parts, from = {}, 1
  local match = match_at(about, found, 1)
  while match do
    parts[#parts + 1] = sub(subject, from, match[1])
    from = match[2] + 1
    match = match_at(about, found, #parts + 1)
  end
  parts[#parts + 1] = sub(subject, from)
  return parts
end

local FLAGS = { bytes = "b", dot_all = "s", ignore_case = "i", lines = "m" }

--- A pattern, to be used again and again.
---@param pattern string             as RE2 reads it; at most 16 KiB and 100 groups
---@param options? regex.Options
---@return regex.Pattern             raises where the pattern is malformed
---@nodiscard
function regex.compile(pattern, options)
  check.argument("regex.compile", "pattern", pattern, "string")
  local wanted = check.options("regex.compile", options, OPTIONS)
  local flags = {}
  for _, name in ipairs(check.names(FLAGS)) do
    flags[#flags + 1] = wanted[name] and FLAGS[name] or ""
  end
  local text, err = look(pattern, concat(flags))
  if not text then
    error("regex.compile: " .. gsub(tostring(err), "^regex: ", ""), 2)
  end
  local names = {}
  for number, name in gmatch(text, ",(%d+),([^,]+)") do
    names[name] = tonumber(number)
  end
  local groups = tonumber(gmatch(text, "%d+")())
  local self = setmetatable({}, Pattern)
  known[self] = {
    pattern = pattern,
    flags = concat(flags),
    groups = groups,
    names = names,
    shape = "<" .. rep("i4", 2 * groups + 2),
    size = 8 * (groups + 1),
  }
  return self
end

--- A text as a pattern that matches just that.
---@param text string
---@return string
---@nodiscard
function regex.escape(text)
  check.argument("regex.escape", "text", text, "string")
  return (gsub(text, "[%^%$%(%)%[%]%{%}%.%*%+%?%|%\\]", "\\%0"))
end

return regex
