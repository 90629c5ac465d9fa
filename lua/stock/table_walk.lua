--- concat, move and the shifting of insert and remove as Lua loops, where one C call is too much.
---
--- They give what stock Lua gives, metamethods included. Arguments are checked before they come
--- here.
local blame = require("host.walls.blame")

local concat, getmetatable, move, type = table.concat, debug.getmetatable, table.move, type

local walk = {}

--- Elements that one call of C handles.
local STRIDE = 50000

local function piece(list, separator, first, last)
  local texts = {}
  for i = first, last do
    local value = list[i]
    local kind = type(value)
    if kind ~= "string" and kind ~= "number" then
      blame.raise("invalid value (" .. kind .. ") at index " .. i .. " in table for 'concat'")
    end
    texts[#texts + 1] = value
  end
  return concat(texts, separator)
end

---@param list table
---@param separator string
---@param first integer
---@param last integer
---@return string
function walk.concat(list, separator, first, last)
  local pieces = {}
  while first <= last do
    local stop = last - first < STRIDE and last or first + STRIDE - 1
    pieces[#pieces + 1] = piece(list, separator, first, stop)
    if stop == last then -- the next index may not exist
      break
    end
    first = stop + 1
  end
  return concat(pieces, separator)
end

--- Moves `list[position … free - 1]` up by one.
---@param list table
---@param position integer
---@param free integer
function walk.shift_up(list, position, free)
  for i = free, position + 1, -1 do
    list[i] = list[i - 1]
  end
end

--- Moves `list[position + 1 … size]` down by one and ends the list there.
---@param list table
---@param position integer
---@param size integer
function walk.shift_down(list, position, size)
  for i = position, size - 1 do
    list[i] = list[i + 1]
  end
  list[position < size and size or position] = nil
end

local function move_some(from, first, last, to, target)
  if getmetatable(from) == nil and getmetatable(target) == nil then
    move(from, first, last, to, target)
    return
  end
  for i = 0, last - first do
    target[to + i] = from[first + i]
  end
end

local function move_up(from, first, last, to, target)
  for i = last - first, 0, -1 do
    target[to + i] = from[first + i]
  end
end

--- table.move for ranges and tables of every kind.
---@param from table
---@param first integer
---@param last integer  at least `first`
---@param to integer
---@param target table
function walk.move(from, first, last, to, target)
  if to > first and to <= last and from == target then
    return move_up(from, first, last, to, target)
  end
  for start = first, last, STRIDE do
    local stop = last - start < STRIDE and last or start + STRIDE - 1
    move_some(from, start, stop, to + (start - first), target)
  end
end

blame.hide()

return walk
