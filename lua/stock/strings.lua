--- The string library of scripts: stock Lua's, with a bound on what a call can cost.
---
---     local string = strings.new()
---     string.find(("a"):rep(40), ("a?"):rep(40) .. ("a"):rep(40))
---     --> orders.lua:3: pattern too expensive for a subject of this length (…)
---
--- C cannot be interrupted. So the functions that take a pattern go to C only where `patterns`
--- knows it to be quick; elsewhere Lua walks over the subject (`string_walk`). Their first lines
--- are the fast path: one look into a table tells that the pattern is known, is sound, and how long
--- its subject may be. `format`, `pack`, `byte` and others are stock Lua's: one pass over what
--- memory allows.
local arguments = require("host.walls.arguments")
local blame = require("host.walls.blame")
local bounds = require("host.stock.bounds")
local lazy = require("host.walls.lazy")
local patterns = require("host.stock.patterns")

local walk = lazy("host.stock.string_walk")

local byte, find, gmatch, gsub, match =
  string.byte, string.find, string.gmatch, string.gsub, string.match
local math_type, next, rep, type = math.type, next, string.rep, type
local metatable_of = debug.getmetatable
local integer, text = arguments.integer, arguments.text

local strings = {}

local cheap = patterns.cheap
local CARET = 94

local LONGEST, TOO_LARGE = bounds.LONGEST, bounds.TOO_LARGE

--- Keeps its caller on the stack, where `blame` reads how the script called it.
local function kept(...)
  return ...
end

--- Short texts are asked for again; longer ones, like ids, may never be.
local function learn_separator(separator)
  if not patterns.learn_text(separator) and #separator <= 4 then
    patterns.plan(separator)
  end
end

local function slow_find(s, p, init, plain)
  s, p, init = text(1, "find", s), text(2, "find", p), integer(3, "find", init, 1)
  if plain then
    learn_separator(p)
    return walk.plain(s, p, init)
  elseif not find(p, "[%^$*+?.([%%-]") then
    patterns.learn_text(p)
    return walk.plain(s, p, init)
  elseif patterns.is_small(p, #s) then
    return find(s, p, init)
  end
  return walk.find(s, p, init)
end

local function bounded_find(s, p, init, plain)
  local limit = cheap[p]
  if
    limit
    and type(s) == "string"
    and #s <= limit
    and (init == nil or init == 1 or math_type(init) == "integer")
  then
    return find(s, p, init, plain)
  end
  return kept(slow_find(s, p, init, plain))
end

local function slow_match(s, p, init)
  s, p, init = text(1, "match", s), text(2, "match", p), integer(3, "match", init, 1)
  if patterns.is_small(p, #s) then
    return match(s, p, init)
  end
  return walk.match(s, p, init)
end

local function bounded_match(s, p, init)
  local limit = cheap[p]
  if
    limit
    and type(s) == "string"
    and #s <= limit
    and (init == nil or init == 1 or math_type(init) == "integer")
  then
    return match(s, p, init)
  end
  return kept(slow_match(s, p, init))
end

local function slow_gmatch(s, p, init)
  s, p, init = text(1, "gmatch", s), text(2, "gmatch", p), integer(3, "gmatch", init, 1)
  -- There is no anchor in gmatch: a caret is a caret.
  p = byte(p) == CARET and "%" .. p or p
  if patterns.is_small(p, #s) then
    return gmatch(s, p, init)
  end
  return walk.gmatch(s, p, init)
end

local function bounded_gmatch(s, p, init)
  local limit = cheap[p]
  if limit and type(s) == "string" and #s <= limit and init == nil and byte(p) ~= CARET then
    return gmatch(s, p)
  end
  return kept(slow_gmatch(s, p, init))
end

--- Replacements without `%`, about which C has nothing to say.
local literal, literals = {}, 0

local function learn_literal(replacement)
  if #replacement > 100 or find(replacement, "%", 1, true) then
    return
  end
  if literals >= 200 then
    for known in next, literal do
      literal[known] = nil
    end
    literals = 0
  end
  literal[replacement], literals = true, literals + 1
end

--- The fields of an object may lie behind a thousand others, and C would ask through all of them.
local function looked_up(object)
  return function(key)
    return object[key]
  end
end

--- The replacement, a number as text.
local function check_replacement(replacement)
  local kind = type(replacement)
  if kind == "number" or kind == "string" then
    replacement = text(3, "gsub", replacement)
    learn_literal(replacement)
  elseif kind == "table" and metatable_of(replacement) then
    replacement = looked_up(replacement)
  elseif kind ~= "function" and kind ~= "table" then
    arguments.mistyped(3, "gsub", "string/function/table", replacement)
  end
  return replacement
end

--- Bytes of replacement that C may write for one subject; many may be captures of nothing.
local MOST_EXPANDED = 1e7

local function slow_gsub(s, p, replacement, most)
  s, p = text(1, "gsub", s), text(2, "gsub", p)
  most = integer(4, "gsub", most, #s + 1)
  replacement = check_replacement(replacement)
  local small = patterns.is_small(p, #s, true)
  if small and type(replacement) ~= "string" then
    return gsub(s, p, replacement, most) -- not by `blame.call`: the script's traceback would end
  elseif small and #s * #replacement <= MOST_EXPANDED then
    return blame.call("gsub", gsub, s, p, replacement, most)
  end
  return walk.gsub(s, p, replacement, most)
end

local function bounded_gsub(s, p, replacement, most)
  local limit = cheap[p]
  if
    limit
    and type(s) == "string"
    and #s <= limit
    and (most == nil or math_type(most) == "integer")
  then
    if literal[replacement] then
      return gsub(s, p, replacement, most)
    end
    local kind = type(replacement)
    if kind == "function" or kind == "table" and not metatable_of(replacement) then
      return gsub(s, p, replacement, most)
    end
  end
  return kept(slow_gsub(s, p, replacement, most))
end

--- How long a string may be by how often it is repeated, for the fast path.
local repeatable = {}
for count = 0, 100 do
  repeatable[count] = LONGEST // (count == 0 and 1 or count)
end

local function slow_rep(s, count, separator)
  s, count = text(1, "rep", s), integer(2, "rep", count)
  separator = separator == nil and "" or text(3, "rep", separator)
  -- C would count to the end even where every repetition is empty.
  if count <= 0 or #s + #separator == 0 then
    return ""
  elseif count > LONGEST or (#s + #separator) * count - #separator > LONGEST then
    blame.raise(TOO_LARGE)
  end
  return rep(s, count, separator)
end

local function bounded_rep(s, count, separator)
  local limit = repeatable[count]
  if limit and separator == nil and type(s) == "string" and #s <= limit then
    return rep(s, count)
  end
  return kept(slow_rep(s, count, separator))
end

local function slow_copy(name, raw, s)
  s = text(1, name, s)
  if #s > LONGEST then
    blame.raise(TOO_LARGE)
  end
  return raw(s)
end

--- `upper`, `lower` or `reverse` up to the size limit.
local function copying(name, raw)
  return function(s)
    if type(s) == "string" and #s <= LONGEST then
      return raw(s)
    end
    return kept(slow_copy(name, raw, s))
  end
end

local LIBRARY = {
  byte = byte,
  char = string.char,
  find = bounded_find,
  format = string.format,
  gmatch = bounded_gmatch,
  gsub = bounded_gsub,
  len = string.len,
  lower = copying("lower", string.lower),
  match = bounded_match,
  pack = string.pack,
  packsize = string.packsize,
  rep = bounded_rep,
  reverse = copying("reverse", string.reverse),
  sub = string.sub,
  unpack = string.unpack,
  upper = copying("upper", string.upper),
}

--- A table of string functions that a script may change without reaching another's.
---@return table<string, function>
---@nodiscard
function strings.new()
  local library = {}
  for name, implementation in next, LIBRARY do
    library[name] = implementation
  end
  return library
end

blame.hide()

return strings
