--- Parameters and results of SQL as they cross; `databases/wire.py` is the other end.
---
---     sql_values.pack({ id = 7 })   --> "\2idi\7\0\0\0\0\0\0\0"
---     sql_values.unpack(answer)     --> { affected = 0, rows = { { id = 7 } } }
local json = require("json")
local lock = require("host.walls.lock")

local next, rawequal, rawget, rawlen, setmetatable = next, rawequal, rawget, rawlen, setmetatable
local tostring, type = tostring, type
local byte, find, pack, sub, unpack =
  string.byte, string.find, string.pack, string.sub, string.unpack
local concat, format, math_type = table.concat, string.format, math.type
local null = json.null

local sql_values = {}

---@class sql.Blob  bytes as a parameter, see `sql.blob`
local NAME = "sql.blob"
local Blob = lock.metatable({ __name = NAME }, NAME)

--- As deep as arrays of PostgreSQL.
local DEEPEST = 6
local LONGEST_LIST = 10000

---@param bytes string
---@return sql.Blob
function sql_values.blob(bytes)
  return setmetatable({ bytes = bytes }, Blob)
end

local function cannot(path, value)
  return nil, format("%s: a %s is no value of SQL", path, type(value))
end

local write

local function write_list(list, out, path, depth)
  local count = rawlen(list)
  if depth > DEEPEST or count > LONGEST_LIST then
    return nil,
      format("%s: a list of at most %d values expected, %d deep", path, LONGEST_LIST, DEEPEST)
  end
  for key in next, list do
    if math_type(key) ~= "integer" or key < 1 or key > count then
      local hint = "; give it as text: json.encode(value)"
      return nil,
        format("%s: a list expected, and it has the key '%s'%s", path, tostring(key), hint)
    end
  end
  out[#out + 1] = pack("<c1I4", "l", count)
  for place = 1, count do
    local ok, fault = write(rawget(list, place), out, format("%s[%d]", path, place), depth + 1)
    if not ok then
      return nil, fault
    end
  end
  return true
end

function write(value, out, path, depth)
  local kind = math_type(value) or type(value)
  if kind == "integer" then
    out[#out + 1] = pack("<c1i8", "i", value)
  elseif kind == "float" then
    out[#out + 1] = pack("<c1d", "d", value)
  elseif kind == "string" then
    out[#out + 1] = pack("<c1s4", "s", value)
  elseif kind == "boolean" then
    out[#out + 1] = value and "t" or "f"
  elseif rawequal(value, null) then
    out[#out + 1] = "n"
  elseif kind ~= "table" then
    return cannot(path, value)
  elseif lock.is_of(value, Blob) then
    out[#out + 1] = pack("<c1s4", "b", rawget(value, "bytes"))
  else
    return write_list(value, out, path, depth)
  end
  return true
end

--- Parameters as Python takes them; or nil and what is wrong with them.
---@param params? table<string, any>
---@return string|nil packed
---@return string|nil fault
function sql_values.pack(params)
  local out = {}
  for name, value in next, params or {} do
    if type(name) ~= "string" or not find(name, "^[%a_][%w_]*$") or #name > 255 then
      return nil,
        format("params: names such as 'id' expected, got '%s'", sub(tostring(name), 1, 80))
    end
    out[#out + 1] = pack("s1", name)
    local ok, fault = write(value, out, ":" .. name, 0)
    if not ok then
      return nil, fault
    end
  end
  return concat(out)
end

local read

local READ = {
  [byte("n")] = function(_, at, in_list)
    return in_list and null or nil, at
  end,
  [byte("t")] = function(_, at)
    return true, at
  end,
  [byte("f")] = function(_, at)
    return false, at
  end,
  [byte("i")] = function(text, at)
    return unpack("<i8", text, at)
  end,
  [byte("d")] = function(text, at)
    return unpack("<d", text, at)
  end,
  [byte("s")] = function(text, at)
    return unpack("<s4", text, at)
  end,
  [byte("l")] = function(text, at)
    local count
    count, at = unpack("<I4", text, at)
    local list = json.array()
    for place = 1, count do
      list[place], at = read(text, at, true)
    end
    return list, at
  end,
}

function read(text, at, in_list)
  return READ[byte(text, at)](text, at + 1, in_list)
end

--- What a statement led to.
---@param text string
---@return sql.Done
function sql_values.unpack(text)
  local affected, last_id, columns, count, at
  affected, at = read(text, 1)
  last_id, at = read(text, at)
  columns, at = read(text, at)
  count, at = unpack("<I4", text, at)
  local rows = json.array()
  for number = 1, count do
    local row = {}
    for column = 1, #columns do
      local read_value = READ[byte(text, at)]
      row[columns[column]], at = read_value(text, at + 1)
    end
    rows[number] = row
  end
  return { affected = affected, last_id = last_id, rows = rows }
end

return sql_values
