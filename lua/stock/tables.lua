--- The table library of scripts: stock Lua's, with a bound on what a call can cost.
---
---     local table = tables.new()
---     table.unpack({}, 1, 1e6)  --> orders.lua:3: too many results to unpack (at most 5000)
---
--- C cannot be interrupted. So C gets plain tables and ranges that it is done with at once. Where
--- a metatable may answer for any index, or the range is long, a Lua loop (`table_walk`) does the
--- same.
local arguments = require("host.walls.arguments")
local blame = require("host.walls.blame")
local lazy = require("host.walls.lazy")

local walk = lazy("host.stock.table_walk")

local concat, error, getinfo, getmetatable, gsub, insert, math_type, maxinteger, move =
  table.concat,
  error,
  debug.getinfo,
  debug.getmetatable,
  string.gsub,
  table.insert,
  math.type,
  math.maxinteger,
  table.move
local next, pack, pcall, remove, select, sort, type, unpack =
  next, table.pack, pcall, table.remove, select, table.sort, type, table.unpack
local setmetatable, tointeger = setmetatable, math.tointeger
local integer, mistyped, text = arguments.integer, arguments.mistyped, arguments.text

local tables = {}

--- Elements that C may handle in one call: about ten milliseconds.
local MOST_AT_ONCE = 100000
local MOST_UNPACKED = 5000
--- Bytes of strings that a sort in C may compare.
local MOST_COMPARED = 1e7
--- So many elements no table of C has.
local TOO_BIG = (1 << 31) - 1

--- Keeps its caller on the stack, where `blame` reads how the script called it.
local function kept(...)
  return ...
end

local function check_table(value, name)
  if type(value) ~= "table" then
    mistyped(1, name, "table", value)
  end
end

--- How long a table says it is, which may be anything where a metatable answers.
local function length(list)
  local size = #list
  return tointeger(size) or blame.raise("object length is not an integer")
end

local function is_short_range(first, last)
  return math_type(first) == "integer"
    and math_type(last) == "integer"
    and first > 0
    and last - first < MOST_AT_ONCE
end

local function slow_concat(list, separator, first, last)
  check_table(list, "concat")
  separator = separator == nil and "" or text(2, "concat", separator)
  first, last = integer(3, "concat", first, 1), integer(4, "concat", last, length(list))
  return walk.concat(list, separator, first, last)
end

local function bounded_concat(list, separator, first, last)
  if type(list) == "table" and getmetatable(list) == nil then
    local size = #list
    if
      first == nil and last == nil and size <= MOST_AT_ONCE
      or is_short_range(first or 1, last or size)
    then
      local done, result = pcall(concat, list, separator, first, last)
      if done then
        return result
      end
      return blame.raise(result, "concat")
    end
  end
  return kept(slow_concat(list, separator, first, last))
end

--- insert into what is no plain table; `count` arguments follow it.
local function slow_insert(list, count, position, value)
  check_table(list, "insert")
  local free = length(list) + 1
  if count == 1 then
    list[free] = position
    return
  elseif count ~= 2 then
    blame.raise("wrong number of arguments to 'insert'")
  end
  position = integer(2, "insert", position)
  if position < 1 or position > free then
    arguments.refuse(2, "insert", "position out of bounds")
  end
  walk.shift_up(list, position, free)
  list[position] = value
end

local function bounded_insert(list, ...)
  local count = select("#", ...)
  if type(list) ~= "table" or getmetatable(list) ~= nil then
    slow_insert(list, count, ...)
  elseif count == 1 then
    list[#list + 1] = ...
  else
    local done, problem = pcall(insert, list, ...)
    if not done then
      blame.raise(problem, "insert")
    end
  end
end

--- remove from what is no plain table.
local function slow_remove(list, position)
  check_table(list, "remove")
  local size = length(list)
  position = integer(2, "remove", position, size)
  if position ~= size and (position < 1 or position > size + 1) then
    arguments.refuse(2, "remove", "position out of bounds")
  end
  local removed = list[position]
  walk.shift_down(list, position, size)
  return removed
end

local function bounded_remove(list, position)
  if type(list) ~= "table" or getmetatable(list) ~= nil then
    return kept(slow_remove(list, position))
  elseif position == nil then
    local size = #list
    local removed = list[size]
    list[size] = nil
    return removed
  end
  local done, removed = pcall(remove, list, position)
  if done then
    return removed
  end
  return blame.raise(removed, "remove")
end

local function slow_move(from, first, last, to, target)
  check_table(from, "move")
  if target ~= nil and type(target) ~= "table" then
    mistyped(5, "move", "table", target)
  end
  first, last, to = integer(2, "move", first), integer(3, "move", last), integer(4, "move", to)
  if last >= first then
    if first <= 0 and last >= maxinteger + first then
      arguments.refuse(3, "move", "too many elements to move")
    elseif to > maxinteger - (last - first) then
      arguments.refuse(4, "move", "destination wrap around")
    end
    walk.move(from, first, last, to, target or from)
  end
  return target or from
end

local function bounded_move(from, first, last, to, target)
  if is_short_range(first, last) and getmetatable(from) == nil and getmetatable(target) == nil then
    local done, result = pcall(move, from, first, last, to, target)
    if done then
      return result
    end
    return blame.raise(result, "move")
  end
  return kept(slow_move(from, first, last, to, target))
end

--- Whether the elements are few and short enough for C to compare.
local function compares_quickly(list, size)
  if size > MOST_AT_ONCE then
    return false
  end
  local longest = MOST_COMPARED // (size + 1)
  for i = 1, size do
    local element = list[i]
    if type(element) == "string" and #element > longest then
      return false
    end
  end
  return true
end

local function ascending(a, b)
  return a < b
end

--- An order that the hook can interrupt.
local function slow_order(order)
  if order == nil then
    return ascending
  end
  return function(a, b)
    return order(a, b)
  end
end

--- Sorts in C what has no metatable. C's own comparison tells no place, so that of Lua tells none.
local function sort_plain(list, size, order)
  if order then
    sort(list, getinfo(order, "S").what ~= "C" and order or slow_order(order))
  elseif compares_quickly(list, size) then
    sort(list)
  else
    local done, problem = pcall(sort, list, slow_order())
    if not done then
      error(type(problem) == "string" and gsub(problem, "^%?:%-1: ", "") or problem, 0)
    end
  end
end

local function check_order(order, size)
  if size > 1 and order ~= nil and type(order) ~= "function" then
    mistyped(2, "sort", "function", order)
  end
end

--- sort of a table with a metatable: reads it, sorts what it read, and writes it back.
local function slow_sort(list, order)
  local size = length(list)
  if size >= TOO_BIG then
    arguments.refuse(1, "sort", "array too big")
  end
  check_order(order, size)
  local plain = {}
  for i = 1, size do
    plain[i] = list[i]
  end
  -- There may be nils among them, so the length must be told.
  sort_plain(
    setmetatable(plain, {
      __len = function()
        return size
      end,
    }),
    size,
    order
  )
  for i = 1, size do
    list[i] = plain[i]
  end
end

local function bounded_sort(list, order)
  if type(list) ~= "table" then
    return kept(mistyped(1, "sort", "table", list))
  elseif getmetatable(list) ~= nil then
    return kept(slow_sort(list, order))
  end
  local size = #list
  if order ~= nil and type(order) ~= "function" then
    return kept(check_order(order, size))
  end
  sort_plain(list, size, order)
end

local function slow_unpack(list, first, last)
  first = integer(2, "unpack", first, 1)
  if last == nil and type(list) ~= "table" and type(list) ~= "string" then
    error("attempt to get length of a " .. type(list) .. " value", 0) -- as C says it: no place
  end
  last = last == nil and length(list) or integer(3, "unpack", last)
  -- The difference wraps around where the signs differ and the range is vast.
  if last >= first and (last - first >= MOST_UNPACKED or last - first < 0) then
    blame.raise("too many results to unpack (at most " .. MOST_UNPACKED .. ")")
  end
  return unpack(list, first, last)
end

local function bounded_unpack(list, first, last)
  if first == nil and last == nil and type(list) == "table" and getmetatable(list) == nil then
    local size = #list
    if size <= MOST_UNPACKED then
      return unpack(list, 1, size)
    end
  end
  return kept(slow_unpack(list, first, last))
end

local LIBRARY = {
  concat = bounded_concat,
  insert = bounded_insert,
  move = bounded_move,
  pack = pack,
  remove = bounded_remove,
  sort = bounded_sort,
  unpack = bounded_unpack,
}

--- A table of table functions that a script may change without reaching another's.
---@return table<string, function>
---@nodiscard
function tables.new()
  local library = {}
  for name, implementation in next, LIBRARY do
    library[name] = implementation
  end
  return library
end

blame.hide()

return tables
