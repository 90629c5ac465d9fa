--- Option tables: described as data, checked in one place, refused in the caller's own words.
---
---     local check = require("check")
---     local SPEC = { base = { type = "number", default = 1, min = 0 } }
---     check.options("backoff.exponential", { base = 2 }, SPEC).base --> 2
---     check.options("backoff.exponential", { bse = 2 }, SPEC)
---     --> orders.lua:3: backoff.exponential: unknown option 'bse', did you mean 'base'?
---
--- The first complaint is always the same one: names are looked at in sorted order.
local error, next, rawget, tostring, type = error, next, rawget, tostring, type
local byte, find, format = string.byte, string.find, string.format
local gsub, sub = string.gsub, string.sub
local max, min, math_type = math.max, math.min, math.type
local concat, sort = table.concat, table.sort
local utf8_len = utf8.len

local check = {}

---@class (exact) check.Rule  what one option may be
---@field type string          one or more of Lua's type names or "integer", parted by "|"
---@field default? any         what an absent option becomes
---@field required? boolean    whether the option must be there
---@field min? number          the smallest number allowed
---@field max? number          the largest number allowed
---@field one_of? string[]     the only strings allowed

---@alias check.Spec table<string, check.Rule>  options by their names

--- How many characters of a caller's text an error repeats.
local SHOWN = 60

--- A byte as an escape, for what would spoil a line of text.
local function escape(char)
  return format("\\x%02X", byte(char))
end

--- A value as an error shows it: scalars themselves, anything else by its type.
---@param value any
---@return string
function check.show(value)
  local kind = type(value)
  if kind == "string" then
    local text = sub(value, 1, SHOWN)
    if not utf8_len(text) then
      -- Perhaps it is only the cut that went through a character.
      text = gsub(text, "[\xC2-\xF4][\x80-\xBF]*$", #value > SHOWN and "" or "%0")
    end
    text = gsub(text, utf8_len(text) and "%c" or "[%c\x80-\xFF]", escape)
    return "'" .. text .. (#value > SHOWN and "…" or "") .. "'"
  end
  if kind == "number" or kind == "boolean" or kind == "nil" then
    return tostring(value)
  end
  return kind
end

--- The distance of two words: how many letters to insert, drop, change or swap.
local function distance(a, b)
  local before, row = {}, {}
  for j = 0, #b do
    row[j] = j
  end
  for i = 1, #a do
    local older = before
    before, row = row, { [0] = i }
    for j = 1, #b do
      local change = byte(a, i) == byte(b, j) and 0 or 1
      row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + change)
      local swapped = i > 1
        and j > 1
        and byte(a, i) == byte(b, j - 1)
        and byte(a, i - 1) == byte(b, j)
      if swapped then
        row[j] = min(row[j], older[j - 2] + 1)
      end
    end
  end
  return row[#b]
end

--- The name that was probably meant by `word`, as the tail of a sentence.
---@param word any
---@param names string[]
---@return string # ", did you mean 'base'?" or ""
---@nodiscard
function check.hint(word, names)
  -- A long word is no typing mistake, and the distance costs its length squared.
  if type(word) ~= "string" or #word > 32 then
    return ""
  end
  local nearest, best = nil, max(1, #word // 3) + 1
  for _, name in next, names do
    local d = distance(word, name)
    if d < best then
      nearest, best = name, d
    end
  end
  return nearest and format(", did you mean '%s'?", nearest) or ""
end

--- The keys of `set` in order, for hints and lists.
---@param set table<string, any>
---@return string[]
---@nodiscard
function check.names(set)
  local names = {}
  for name in next, set do
    names[#names + 1] = name
  end
  sort(names)
  return names
end

--- Whether `value` has one of the types that `types` lists. No type's name is part of another's.
local function has_type(value, types)
  return find(types, type(value), 1, true) ~= nil
    or (math_type(value) == "integer" and find(types, "integer", 1, true) ~= nil)
end

--- Whether `list` holds `value`.
local function holds(list, value)
  for _, one in next, list do
    if one == value then
      return true
    end
  end
  return false
end

--- What is wrong with the type of a value, or nil.
local function type_fault(value, types)
  if has_type(value, types) then
    return nil
  end
  -- Only a float where an integer is wanted gets here as a number: its type would say nothing.
  local got = type(value) == "number" and find(types, "integer") and tostring(value) or type(value)
  return format("%s expected, got %s", (gsub(types, "|", " or ")), got)
end

--- What is wrong with a number's size, or nil.
local function range_fault(value, rule)
  -- NaN is below and above nothing, and no option wants it.
  if rule.min and (value ~= value or value < rule.min) then
    return format("at least %s expected, got %s", rule.min, value)
  end
  if rule.max and (value ~= value or value > rule.max) then
    return format("at most %s expected, got %s", rule.max, value)
  end
  return nil
end

--- What is wrong with a value, or nil.
local function fault_of(value, rule)
  local fault = type_fault(value, rule.type)
  if fault then
    return fault
  end
  if type(value) == "number" then
    return range_fault(value, rule)
  end
  if rule.one_of and type(value) == "string" and not holds(rule.one_of, value) then
    local names, hint = concat(rule.one_of, ", "), check.hint(value, rule.one_of)
    return format("one of %s expected, got %s%s", names, check.show(value), hint)
  end
  return nil
end

--- The value of one option, or nil and what is wrong with it.
local function option(options, name, rule)
  local value = rawget(options, name)
  if value ~= nil then
    return value, fault_of(value, rule)
  elseif rule.required then
    return nil, type_fault(nil, rule.type)
  end
  return rule.default, nil
end

--- The options with their defaults; nil when anything is wrong.
local function read_fine(options, spec)
  for name in next, options do
    if rawget(spec, name) == nil then
      return nil
    end
  end
  local read = {}
  for name, rule in next, spec do
    local value, fault = option(options, name, rule)
    if fault then
      return nil
    end
    read[name] = value
  end
  return read
end

--- Names in brackets, for where none of them is like what was written.
local function listed(names)
  return #names > 0 and format(" (there are %s)", concat(names, ", ")) or ""
end

--- The complaint about options that are not fine: of several the first in sorted order.
local function complaint(options, spec)
  local unknown, shown
  for name in next, options do
    if rawget(spec, name) == nil and (unknown == nil or check.show(name) < shown) then
      unknown, shown = name, check.show(name)
    end
  end
  if unknown ~= nil then
    local known = check.names(spec)
    local hint = check.hint(unknown, known)
    return format("unknown option %s%s", shown, hint ~= "" and hint or listed(known))
  end
  for _, name in next, check.names(spec) do
    local _, fault = option(options, name, spec[name])
    if fault then
      return format("option '%s': %s", name, fault)
    end
  end
end

--- The options with their defaults, or nil and what is wrong with them.
---
--- For functions that answer an error value instead of raising.
---@param options table|nil
---@param spec check.Spec
---@return table|nil options
---@return string|nil fault
---@nodiscard
function check.read(options, spec)
  if options == nil then
    options = {}
  elseif type(options) ~= "table" then
    return nil, format("options: table expected, got %s", type(options))
  end
  local read = read_fine(options, spec)
  if not read then
    return nil, complaint(options, spec)
  end
  return read, nil
end

--- The options with their defaults; raises at the line of the function's caller otherwise.
---@param where string        the public function, as its caller writes it
---@param options table|nil   what the caller passed
---@param spec check.Spec
---@return table options
---@nodiscard
function check.options(where, options, spec)
  local read, fault = check.read(options, spec)
  if not read then
    error(format("%s: %s", where, fault), 3)
  end
  return read
end

--- Raises at the line of the function's caller when an argument is not what it must be.
---@param where string              the public function, as its caller writes it
---@param name string               the argument
---@param value any
---@param rule string|check.Rule    its types as in `check.Rule`, or all that is asked of it
function check.argument(where, name, value, rule)
  local fault
  if type(rule) == "string" then
    fault = type_fault(value, rule)
  else
    fault = fault_of(value, rule)
  end
  if fault then
    error(format("%s: %s: %s", where, name, fault), 3)
  end
end

return check
