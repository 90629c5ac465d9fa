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

local concat, getinfo, getmetatable, insert, math_type, maxinteger, move =
  table.concat,
  debug.getinfo,
  debug.getmetatable,
  table.insert,
  math.type,
  math.maxinteger,
  table.move
local next, pack, pcall, remove, select, sort, type, unpack =
  next, table.pack, pcall, table.remove, select, table.sort, type, table.unpack
local integer, mistyped, text = arguments.integer, arguments.mistyped, arguments.text

local tables = {}

--- Elements that C may handle in one call: about ten milliseconds.
local MOST_AT_ONCE = 100000
local MOST_UNPACKED = 5000
--- Bytes of strings that a sort in C may compare.
local MOST_COMPARED = 1e7

--- Keeps its caller on the stack, where `blame` reads how the script called it.
local function kept(...)
  return ...
end

local function check_table(value, name)
  if type(value) ~= "table" then
    mistyped(1, name, "table", value)
  end
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
  first, last = integer(3, "concat", first, 1), integer(4, "concat", last, #list)
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

--- insert with a position, into a table with a metatable; `count` arguments follow the list.
local function insert_at(list, count, position, value)
  check_table(list, "insert")
  if count ~= 2 then
    blame.raise("wrong number of arguments to 'insert'")
  end
  position = integer(2, "insert", position)
  local free = #list + 1
  if position < 1 or position > free then
    arguments.refuse(2, "insert", "position out of bounds")
  end
  walk.shift_up(list, position, free)
  list[position] = value
end

local function bounded_insert(list, ...)
  local count = select("#", ...)
  -- To append is an assignment in C too, metamethods included.
  if count == 1 and list then
    list[#list + 1] = ...
  elseif getmetatable(list) ~= nil then
    insert_at(list, count, ...)
  else
    local done, problem = pcall(insert, list, ...)
    if not done then
      blame.raise(problem, "insert")
    end
  end
end

local function remove_at(list, position)
  check_table(list, "remove")
  local size = #list
  position = integer(2, "remove", position)
  if position ~= size and (position < 1 or position > size + 1) then
    arguments.refuse(2, "remove", "position out of bounds")
  end
  local removed = list[position]
  walk.shift_down(list, position, size)
  return removed
end

local function bounded_remove(list, position)
  if position == nil and list then
    local size = #list
    local removed = list[size]
    list[size] = nil
    return removed
  elseif getmetatable(list) ~= nil then
    return kept(remove_at(list, position))
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

local function bounded_sort(list, order)
  if type(list) ~= "table" then
    return kept(mistyped(1, "sort", "table", list))
  elseif getmetatable(list) ~= nil then
    return kept(blame.raise("cannot sort a table with a metatable (sort a plain copy of it)"))
  elseif order ~= nil and type(order) ~= "function" then
    return kept(mistyped(2, "sort", "function", order))
  end
  local is_quick
  if order then
    is_quick = getinfo(order, "S").what ~= "C"
  else
    is_quick = compares_quickly(list, #list)
  end
  if is_quick then
    sort(list, order)
  else
    sort(list, slow_order(order))
  end
end

local function slow_unpack(list, first, last)
  first = integer(2, "unpack", first, 1)
  last = last == nil and #list or integer(3, "unpack", last)
  -- The difference wraps around where the signs differ and the range is vast.
  if last >= first and (last - first >= MOST_UNPACKED or last - first < 0) then
    blame.raise("too many results to unpack (at most " .. MOST_UNPACKED .. ")")
  end
  return unpack(list, first, last)
end

local function bounded_unpack(list, first, last)
  if first == nil and last == nil and list ~= nil then
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
