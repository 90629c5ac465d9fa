--- Taking URLs apart, putting them together, and what stands in their queries (RFC 3986).
---
---     local url = require("url")
---     url.parse("https://example.com:8443/a?b=1")
---     --> { scheme = "https", host = "example.com", port = 8443, path = "/a", query = "b=1" }
---     url.build({ scheme = "https", host = "example.com", query = { page = 2 } })
---     --> "https://example.com?page=2"
---     url.join("https://example.com/a/b", "../c")   --> "https://example.com/c"
---     url.encode("a b/ü")                           --> "a%20b%2F%C3%BC"
---     url.query({ tag = { "x", "y" }, page = 2 })   --> "page=2&tag=x&tag=y"
---     url.parse_query("tag=x&tag=y&page=2")         --> { tag = { "x", "y" }, page = "2" }
local check = require("check")
local errors = require("errors")
local json = require("json")
local lent = require("host.walls.lent")
local percent = require("host.run.percent")

local error, ipairs, next, rawequal = error, ipairs, next, rawequal
local tostring, type = tostring, type
local char, find, format = string.char, string.find, string.format
local gmatch, gsub, match = string.gmatch, string.gsub, string.match
local concat, math_type, tonumber = table.concat, math.type, tonumber
local parse, build, join = lent.url_parse, lent.url_build, lent.url_join

local encoded = percent.encoded

local url = {}

--- What a URL is made of; what is not there is nil.
---@class (exact) url.Parts
---@field scheme? string     in lower case
---@field user? string       decoded, as is the password
---@field password? string  decoded
---@field host? string       in lower case; an IPv6 address without its brackets
---@field port? integer  1 to 65535; absent where the scheme says it
---@field path? string       as it is written, perhaps ""
---@field query? string|table<string, url.Value|url.Value[]>   as it is written, or to be written
---@field fragment? string  as it is written, without the `#`

---@alias url.Value string|number|boolean  what a query may hold

local PARTS = {
  scheme = { type = "string" },
  user = { type = "string" },
  password = { type = "string" },
  host = { type = "string" },
  port = { type = "integer", min = 1, max = 65535 },
  path = { type = "string" },
  query = { type = "string|table" },
  fragment = { type = "string" },
}

local function invalid(text, ...)
  return nil, errors.new({ kind = errors.INVALID, message = format(text, ...), retryable = false })
end

local function unescaped(two)
  return char(tonumber(two, 16))
end

--- A text as one part of a path or a query: all but letters, digits, `-`, `.`, `_`, `~` is escaped.
---@param text string
---@return string
---@nodiscard
function url.encode(text)
  check.argument("url.encode", "text", text, "string")
  return encoded(text)
end

--- The text that `url.encode` was given; `+` stays `+`.
---@param text string
---@return string|nil text
---@return errors.Error|nil err   INVALID for a `%` without two hexadecimal digits
---@nodiscard
function url.decode(text)
  check.argument("url.decode", "text", text, "string")
  local bad = find(gsub(text, "%%%x%x", "   "), "%", 1, true)
  if bad then
    return invalid("url.decode: the %% at byte %d is not followed by two hexadecimal digits", bad)
  end
  return (gsub(text, "%%(%x%x)", unescaped)), nil
end

--- One value as text; nil for what has none.
local function text_of(value)
  local kind = type(value)
  if kind == "number" then
    return math_type(value) == "float" and value % 1 == 0 and format("%.0f", value)
      or tostring(value)
  elseif kind == "string" or kind == "boolean" then
    return tostring(value)
  end
  return nil
end

--- Adds `name=value`, or as many as the list has; returns what is wrong with one.
local function add(parts, name, value)
  local list = { value }
  if type(value) == "table" and not rawequal(value, json.null) then
    list = value
    if #list == 0 and next(list) ~= nil then
      return format("%s: a value or a list expected, got a table with names", name)
    end
  end
  for place, one in ipairs(list) do
    local text = text_of(one)
    if not text then
      local where = list == value and format("%s[%d]", name, place) or name
      return format("%s: string, number or boolean expected, got %s", where, type(one))
    end
    parts[#parts + 1] = encoded(name) .. "=" .. encoded(text)
  end
end

local function query_of(where, values, level)
  local parts = {}
  for name in next, values do
    if type(name) ~= "string" then
      error(format("%s: names are texts, got %s", where, type(name)), level)
    end
  end
  for _, name in ipairs(check.names(values)) do
    local fault = add(parts, name, values[name])
    if fault then
      error(format("%s: %s", where, fault), level)
    end
  end
  return concat(parts, "&")
end

--- A query of names and values; a list stands for its name again and again. Names come sorted.
---@param values table<string, url.Value|url.Value[]>
---@return string
---@nodiscard
function url.query(values)
  check.argument("url.query", "values", values, "table")
  return query_of("url.query", values, 3)
end

--- The names and values of a query or of a form; what comes again and again is a list.
---@param text string   with or without `?` in front
---@return table<string, string|string[]>|nil values
---@return errors.Error|nil err   INVALID for a `%` without two hexadecimal digits
---@nodiscard
function url.parse_query(text)
  check.argument("url.parse_query", "text", text, "string")
  local values = {}
  for pair in gmatch(gsub(text, "^%?", ""), "[^&]+") do
    local name, value = match(gsub(pair, "%+", " "), "^([^=]*)=?(.*)$")
    local plain_name, err = url.decode(name)
    local plain, err_of_value = url.decode(value)
    if not plain_name or not plain then
      return nil, errors.wrap(err or err_of_value, "url.parse_query")
    end
    local before = values[plain_name]
    if type(before) == "table" then
      before[#before + 1] = plain
    else
      values[plain_name] = before and { before, plain } or plain
    end
  end
  return values, nil
end

--- The parts of a URL.
---@param text string
---@return url.Parts|nil parts
---@return errors.Error|nil err   INVALID
---@nodiscard
function url.parse(text)
  check.argument("url.parse", "text", text, "string")
  local found, err = parse(text)
  if not found then
    return nil, err
  end
  return json.decode(found)
end

--- The URL that these parts make; what must be escaped in them is, and what would be read as other
--- parts is refused.
---@param parts url.Parts
---@return string|nil text
---@return errors.Error|nil err   INVALID where they make none
---@nodiscard
function url.build(parts)
  local given = check.options("url.build", parts, PARTS)
  if type(given.query) == "table" then
    given.query = query_of("url.build: query", given.query, 3)
  end
  local text, err = json.encode(given)
  if not text then
    return nil, err
  end
  return build(text)
end

--- Where a link leads that stands on a page.
---@param base string
---@param reference string
---@return string|nil text
---@return errors.Error|nil err   INVALID
---@nodiscard
function url.join(base, reference)
  check.argument("url.join", "base", base, "string")
  check.argument("url.join", "reference", reference, "string")
  return join(base, reference)
end

return url
