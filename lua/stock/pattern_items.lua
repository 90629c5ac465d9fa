--- Takes a Lua pattern apart, as lstrlib.c reads it.
---
---     items.read("^(%a+)=")  --> { { kind = "open", capture = 1 },
---                            -->   { kind = "set", class = "%a", times = "+" },
---                            -->   { kind = "close", capture = 1 },
---                            -->   { kind = "set", class = "=" } }, true
local byte, find, sub = string.byte, string.find, string.sub
local tonumber, tostring = tonumber, tostring

local items = {}

---@class pattern.Item
---@field kind "set" | "frontier" | "balance" | "back" | "open" | "position" | "close" | "finish"
---@field class? string     set, frontier: a pattern that matches one character
---@field times? string     set: one of `*`, `+`, `-`, `?`
---@field text? string      frontier, balance: the item as a pattern of its own
---@field capture? integer  open, position, close, back

local MOST_CAPTURES = 32

---@class pattern.Reader
---@field pattern string
---@field at integer             the next character to read
---@field count integer          captures begun
---@field open integer[]         captures begun and not ended, innermost last
---@field ended table<integer, boolean>

--- The index of the `]` that ends the set which begins at `at`.
local function set_end(pattern, at)
  local from = byte(pattern, at + 1) == 94 and at + 2 or at + 1
  repeat
    local character = sub(pattern, from, from)
    if character == "" then
      return nil
    end
    from = from + (character == "%" and 2 or 1)
  until sub(pattern, from, from) == "]"
  return from
end

--- A pattern for the one character class at the reader, or nil and what is wrong with it.
local function read_class(reader)
  local pattern, at = reader.pattern, reader.at
  local character = sub(pattern, at, at)
  local stop = at
  if character == "%" then
    stop = at + 1
    if stop > #pattern then
      return nil, "malformed pattern (ends with '%')"
    end
  elseif character == "[" then
    stop = set_end(pattern, at)
    if not stop then
      return nil, "malformed pattern (missing ']')"
    end
  end
  reader.at = stop + 1
  -- Escaped, so that an anchor or a quantifier out of place stays literal in a pattern of its own.
  if stop == at and find(character, "[^%w.]") then
    return "%" .. character
  end
  return sub(pattern, at, stop)
end

local function read_set(reader)
  local class, fault = read_class(reader)
  if not class then
    return nil, fault
  end
  local times = sub(reader.pattern, reader.at, reader.at)
  if times == "" or not find("*+-?", times, 1, true) then
    return { kind = "set", class = class }
  end
  reader.at = reader.at + 1
  return { kind = "set", class = class, times = times }
end

local function read_open(reader)
  reader.count = reader.count + 1
  if reader.count > MOST_CAPTURES then
    return nil, "too many captures"
  end
  if sub(reader.pattern, reader.at + 1, reader.at + 1) == ")" then
    reader.at = reader.at + 2
    reader.ended[reader.count] = true
    return { kind = "position", capture = reader.count }
  end
  reader.at = reader.at + 1
  reader.open[#reader.open + 1] = reader.count
  return { kind = "open", capture = reader.count }
end

local function read_close(reader)
  local capture = reader.open[#reader.open]
  if not capture then
    return nil, "invalid pattern capture"
  end
  reader.open[#reader.open] = nil
  reader.ended[capture] = true
  reader.at = reader.at + 1
  return { kind = "close", capture = capture }
end

local function read_balance(reader)
  local text = sub(reader.pattern, reader.at, reader.at + 3)
  if #text < 4 then
    return nil, "malformed pattern (missing arguments to '%b')"
  end
  reader.at = reader.at + 4
  return { kind = "balance", text = text }
end

local function read_frontier(reader)
  reader.at = reader.at + 2
  if sub(reader.pattern, reader.at, reader.at) ~= "[" then
    return nil, "missing '[' after '%f' in pattern"
  end
  local class, fault = read_class(reader)
  return class and { kind = "frontier", class = class, text = "%f" .. class }, fault
end

local function read_back(reader)
  local digit = sub(reader.pattern, reader.at + 1, reader.at + 1)
  if not reader.ended[tonumber(digit)] then
    return nil, "invalid capture index %" .. digit
  end
  reader.at = reader.at + 2
  return { kind = "back", capture = tonumber(digit) }
end

local ESCAPED = { b = read_balance, f = read_frontier }
for digit = 0, 9 do
  ESCAPED[tostring(digit)] = read_back
end

local function read_item(reader)
  local pattern, at = reader.pattern, reader.at
  local character = sub(pattern, at, at)
  if character == "(" then
    return read_open(reader)
  elseif character == ")" then
    return read_close(reader)
  elseif character == "$" and at == #pattern then
    reader.at = at + 1
    return { kind = "finish" }
  elseif character == "%" then
    local read = ESCAPED[sub(pattern, at + 1, at + 1)]
    if read then
      return read(reader)
    end
  end
  return read_set(reader)
end

--- The items of a pattern, without a `^` in front.
---@param pattern string
---@return pattern.Item[] items  those before the fault, if there is one
---@return boolean anchored
---@return string? fault         in the words of stock Lua, which complains when it gets there
function items.read(pattern)
  local anchored = byte(pattern) == 94
  local list = {}
  local reader = { pattern = pattern, at = anchored and 2 or 1, count = 0, open = {}, ended = {} }
  while reader.at <= #pattern do
    local item, fault = read_item(reader)
    if not item then
      return list, anchored, fault
    end
    list[#list + 1] = item
  end
  return list, anchored, reader.open[1] and "unfinished capture" or nil
end

return items
