--- Prints any value as a Lua literal that can be pasted back.
---
---     pretty.value({ b = 1.0, a = "x\n" }) --> { a = "x\n", b = 1.0 }
---     pretty.value({ print, {} }) --> { --[[function]] nil, {} }
---     pretty.brief({ 1, 2, 3, 4 }, 12) --> { 1, 2, 3, …
---
--- The same value always gives the same text: keys are sorted, and no address is ever shown. Only
--- what a literal cannot carry becomes a comment. Everything is bounded: depth, strings, the whole.
local ipairs, next, pcall, rawequal, rawget = ipairs, next, pcall, rawequal, rawget
local tonumber, tostring, type = tonumber, tostring, type
local byte, find, format, gmatch, gsub, rep, sub =
  string.byte, string.find, string.format, string.gmatch, string.gsub, string.rep, string.sub
local concat, sort = table.concat, table.sort
local huge, math_type, mininteger = math.huge, math.type, math.mininteger
local getinfo = debug.getinfo
local utf8_len, utf8_offset = utf8.len, utf8.offset

local contents = require("host.walls.contents")
local freeze = require("host.walls.freeze")
local json = require("json")
local metatables = require("host.walls.metatables")

local pretty = {}

---@class (exact) pretty.Options
---@field width? integer  columns that a table on one line may take (default 80)
---@field depth? integer  tables inside tables that are shown (default 8)
---@field bytes? integer  size of the whole, roughly (default 32768)
---@field text? integer   bytes of one string that are shown (default 2048)
---@field open? boolean   the outermost table never goes on one line (default false)

---@class pretty.Printer
---@field width number
---@field depth integer
---@field left number               bytes that may still be written
---@field text integer
---@field open boolean
---@field short boolean             an ellipsis in place of a comment
---@field above table<table, integer>  the tables we are inside of, with their depth

local KEYWORDS = {}
for _, line in ipairs({
  "and break do else elseif end false for function goto if in",
  "local nil not or repeat return then true until while",
}) do
  for word in gmatch(line, "%a+") do
    KEYWORDS[word] = true
  end
end

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\", ['"'] = '\\"' }

local function escape(bytes)
  return ESCAPES[bytes]
    or gsub(bytes, ".", function(char)
      return format("\\%03d", byte(char))
    end)
end

--- The text in quotes. Invalid UTF-8 and the control characters of terminals are escaped.
---@param text string
---@return string
function pretty.quote(text)
  if not find(text, '[%c"\\\127-\255]') then -- as most texts are
    return '"' .. text .. '"'
  end
  local quoted = gsub(text, '[%c"\\\127]', escape)
  if not utf8_len(text) then
    quoted = gsub(quoted, "[\128-\255]", escape)
  end
  return '"' .. gsub(quoted, "\194[\128-\159]", escape) .. '"'
end

--- `text` without what lies behind `limit` bytes, and never with half a character at its end.
local function cut(text, limit)
  if limit < #text then
    while limit > 0 and find(text, "^[\128-\191]", limit + 1) do
      limit = limit - 1
    end
  end
  return sub(text, 1, limit)
end

---@param number number
---@return string
function pretty.number(number)
  if math_type(number) == "integer" then
    return number == mininteger and "math.mininteger" or format("%d", number)
  elseif number ~= number then
    return "0/0"
  elseif number == huge or number == -huge then
    return number > 0 and "math.huge" or "-math.huge"
  end
  for digits = 14, 17 do
    local text = format("%." .. digits .. "g", number)
    if tonumber(text) == number then
      return find(text, "[.e]") and text or text .. ".0"
    end
  end
end

local MOST_SORTED = 10000
local RANKS = { number = 1, string = 2, boolean = 3 }

--- Compares keys; what stands for a table or a function is made once, for it may cost something.
local function order()
  local labels = {}
  local function label(key)
    local text = labels[key]
    if not text then
      text = type(key) == "table" and pretty.brief(key, 200) or type(key)
      labels[key] = text
    end
    return text
  end
  return function(a, b)
    local rank_a, rank_b = RANKS[type(a)] or 4, RANKS[type(b)] or 4
    if rank_a ~= rank_b then
      return rank_a < rank_b
    elseif rank_a < 3 then
      return a < b
    elseif rank_a == 3 then
      return b and not a
    end
    return label(a) < label(b)
  end
end

--- The keys of a table: numbers, then strings, then the rest; each sorted, while they are not so
--- many that they could not be read anyway.
---@param value table
---@param from? integer  leave out the list before this index (default 1: all keys)
---@return any[]
function pretty.keys(value, from)
  local keys, names = {}, 0
  for key in next, value do
    if math_type(key) ~= "integer" or key < 1 or key >= (from or 1) then
      keys[#keys + 1] = key
      names = names + (type(key) == "string" and 1 or 0)
    end
  end
  if names == #keys and names <= MOST_SORTED then
    sort(keys) -- many times as fast as with an order
  elseif #keys <= MOST_SORTED then
    sort(keys, order())
  end
  return keys
end

local function is_name(key)
  return type(key) == "string" and find(key, "^[%a_][%w_]*$") and not KEYWORDS[key]
end

--- How a key is written behind the name of its table: `.name`, `[3]`, `["odd name"]`.
---@param key any
---@return string
function pretty.step(key)
  if is_name(key) then
    return "." .. key
  elseif type(key) == "string" then
    return "[" .. pretty.quote(cut(key, 200)) .. "]"
  end
  return "[" .. pretty.brief(key, 60) .. "]"
end

local render

---@param p pretty.Printer
local function note(p, text, stand_in)
  if p.short then
    return text
  end
  return "--[[" .. text .. "]]" .. (stand_in and " " .. stand_in or "")
end

--- The place where a script wrote the function; places in the host are not shown.
local function written_at(value)
  local info = getinfo(value, "S")
  if info.what == "C" or info.source == "=?" or find(info.source, "^=%[moonq") then
    return ""
  end
  return "(" .. info.short_src .. ":" .. info.linedefined .. ")"
end

local SCALARS = {
  ["nil"] = function()
    return "nil"
  end,
  boolean = function(_, value)
    return tostring(value)
  end,
  number = function(_, value)
    return pretty.number(value)
  end,
  string = function(p, value)
    if #value <= p.text then
      return pretty.quote(value)
    end
    local shown = cut(value, p.text)
    return pretty.quote(shown) .. " " .. note(p, "and " .. #value - #shown .. " more bytes")
  end,
  ["function"] = function(p, value)
    return note(p, "function" .. written_at(value), "nil")
  end,
  thread = function(p)
    return note(p, "thread", "nil")
  end,
  userdata = function(p)
    return note(p, "userdata", "nil")
  end,
}

--- `key = ` as it is written inside a table; nil if a literal cannot have such a key.
---@param p pretty.Printer
local function key_text(p, key, depth)
  if is_name(key) then
    return key .. " = "
  elseif type(key) == "table" then
    return "[" .. render(p, key, 0, depth, 0) .. "] = "
  elseif not RANKS[type(key)] then
    return nil
  end
  return pretty.step(key) .. " = "
end

local function count(value)
  local total = 0
  for _ in next, value do
    total = total + 1
  end
  return total
end

--- The values between the braces, and remarks on what is not among them.
---@param p pretty.Printer
---@return string[] parts
---@return string[] remarks
local function parts_of(p, value, indent, depth)
  local parts, remarks, from = {}, {}, 1
  while p.left > 0 and rawget(value, from) ~= nil do
    parts[from] = render(p, rawget(value, from), indent, depth, 0)
    from = from + 1
  end
  -- A table too large to be shown is not worth sorting.
  local keys = p.left > 0 and pretty.keys(value, from) or {}
  local shown = from - 1
  for index = 1, #keys do
    if p.left <= 0 then
      break
    end
    local key = keys[index]
    local name = key_text(p, key, depth)
    if name then
      p.left = p.left - #name
      parts[#parts + 1] = name .. render(p, rawget(value, key), indent, depth, #name)
    else
      remarks[#remarks + 1] = note(p, "a " .. type(key) .. " as key")
    end
    shown = shown + 1
  end
  local hidden = p.left <= 0 and count(value) - shown or 0
  if hidden > 0 then
    remarks[#remarks + 1] = p.short and "…" or note(p, hidden .. " more")
  end
  return parts, remarks
end

local function fits(texts, room)
  local total = 2 -- both braces with their spaces, less one comma
  for _, text in next, texts do
    total = total + (utf8_len(text) or #text) + 2
    if total > room or find(text, "\n", 1, true) then
      return false
    end
  end
  return true
end

--- Joins values with commas and puts the remarks behind the last one, where a comma does no harm.
local function braced(parts, remarks, indent, room)
  local separate = (#parts > 0 and #remarks > 0) and ", " or ""
  if #parts + #remarks == 0 then
    return "{}"
  elseif fits(parts, room) and fits(remarks, room) then
    return "{ " .. concat(parts, ", ") .. separate .. concat(remarks, " ") .. " }"
  end
  local margin = "\n" .. rep("  ", indent)
  local lines = { "{" }
  for _, part in next, parts do
    lines[#lines + 1] = "  " .. part .. ","
  end
  for _, remark in next, remarks do
    lines[#lines + 1] = "  " .. remark
  end
  lines[#lines + 1] = "}"
  return concat(lines, margin)
end

--- What an object says of itself, if it says something.
local function own_text(value)
  if metatables.of(value) == nil or freeze.is_frozen(value) then
    return nil
  end
  local told, text = pcall(tostring, value)
  if told and not find(text, "^[%w_.]+: 0x%x+$") and not find(text, "]]", 1, true) then
    return sub(pretty.quote(cut(text, 200)), 2, -2) -- escaped, for it may be meant for a terminal
  end
end

---@param p pretty.Printer
---@param lead integer  what stands before it on its line
local function table_text(p, value, indent, depth, lead)
  if rawequal(value, json.null) then
    return "json.null"
  elseif p.above[value] then
    return note(p, "cycle, " .. depth - p.above[value] .. " up", "nil")
  elseif depth >= p.depth and next(value) ~= nil then
    return p.short and "{ … }" or "{ --[[deeper than " .. p.depth .. "]] }"
  end
  p.above[value] = depth
  local fields, maker = contents.of(value)
  local parts, remarks = parts_of(p, fields, indent + 1, depth + 1)
  p.above[value] = nil
  local comma = depth > 0 and 1 or 0
  local room = (p.open and depth == 0) and 0 or p.width - 2 * indent - lead - comma
  local text = braced(parts, remarks, indent, room)
  if maker then
    return maker .. "(" .. text .. ")"
  end
  local own = own_text(value)
  return own and note(p, own) .. " " .. text or text
end

function render(p, value, indent, depth, lead)
  local scalar = SCALARS[type(value)]
  if not scalar then
    return table_text(p, value, indent, depth, lead)
  end
  local text = scalar(p, value)
  p.left = p.left - #text - 2
  return text
end

--- The value as a literal: short tables on one line, others with an entry per line.
---@param value any
---@param options? pretty.Options
---@return string
---@nodiscard
function pretty.value(value, options)
  local o = options or {}
  local p = {
    width = o.width or 80,
    depth = o.depth or 8,
    left = o.bytes or 32768,
    text = o.text or 2048,
    open = o.open or false,
    short = false,
    above = {},
  }
  return render(p, value, 0, 0, 0)
end

--- The value on one line of at most `room` characters, for the inside of a sentence.
---@param value any
---@param room? integer  (default 60)
---@return string
---@nodiscard
function pretty.brief(value, room)
  room = room or 60
  local p = { width = huge, depth = 3, left = room, text = room, short = true, above = {} }
  local text = render(p, value, 0, 0, 0)
  if (utf8_len(text) or #text) <= room then
    return text
  end
  return cut(text, (utf8_offset(text, room) or room) - 1) .. "…"
end

return pretty
