--- JSON, strictly as RFC 8259 has it, both ways.
---
---     local json = require("json")
---     json.decode('{"id": 7, "tags": []}').id   --> 7
---     json.encode({ id = 7, price = 1.0 })      --> {"id":7,"price":1.0}
---     json.decode('{"id": }')    --> nil, json: line 1, column 8: a value expected, got '}'
---     json.encode({ items = { print } })        --> nil, value.items[1] is a function, …
---
--- What to know:
--- * `null` is `json.null`, so that lists keep their length and objects their keys. `json.null` is
---   true in an `if`. In the body that a handler gets, a field that is null is absent instead.
--- * Integers of 64 bits and floats keep their type: 1 and 1.0 stay different. A longer integer
---   becomes a float; a number too large for a float is an error.
--- * An empty table is the object `{}`. A decoded list stays one when it becomes empty, though not
---   its copies, and `json.array()` makes one.
--- * Of a name that is there twice, the last one counts.
--- * Objects are written in no particular order; the option `sorted` gives a stable one.
--- * Metatables are not looked at: what counts is what is really in the table.
local check = require("check")
local errors = require("errors")
local json_reader = require("host.json.reader")
local json_values = require("host.json.values")
local lazy = require("host.walls.lazy")

local error, rawequal, type = error, rawequal, type
local careful, json_writer = lazy("host.json.careful"), lazy("host.json.writer")
local lent = lazy("host.walls.lent")
local read = json_reader.read

local json = {}

--- JSON's null, a value of its own: a list keeps its length, an object its names.
---@type any
json.null = json_values.null

--- Makes a table a list even while it is empty.
---
---     json.encode({ tags = json.array() }) --> {"tags":[]}
---@generic T
---@param list? T[]
---@return T[]
---@nodiscard
function json.array(list)
  check.argument("json.array", "list", list, "table|nil")
  list = list or {}
  if rawequal(list, json_values.null) then
    error("json.array: list: json.null cannot become a list", 2)
  end
  json_values.EMPTY[list] = "[]"
  return list
end

--- Reads a JSON text.
---
--- What is no text is answered as it is, so a handler may decode a body that is decoded already.
---@param text any
---@return any value               `json.null` for null; nil only beside an error
---@return errors.Error|nil err    INVALID, with line and column in message and details
---@nodiscard
function json.decode(text)
  if type(text) ~= "string" then
    return text, nil
  end
  return read(text)
end

---@class (exact) json.EncodeOptions  how a value is written
---@field pretty? boolean             on many lines, indented by two blanks, and sorted
---@field sorted? boolean             objects in the order of their names
---@field cycles? "error"|"null"      what a table inside itself becomes (default "error")
---@field name? string                how paths in errors begin (default "value")

local OPTIONS = {
  pretty = { type = "boolean", default = false },
  sorted = { type = "boolean", default = false },
  cycles = { type = "string", default = "error", one_of = { "error", "null" } },
  name = { type = "string", default = "value" },
}

local SCHEMA = { name = "schema", sorted = true }
local DEFAULTS = check.options("json.encode", nil, OPTIONS)

--- Writes a value as JSON.
---@param value any                      tables, strings, numbers, booleans and `json.null`
---@param options? json.EncodeOptions
---@return string|nil text
---@return errors.Error|nil err          INVALID; begins with the path: `value.items[3].callback is`
---@nodiscard
function json.encode(value, options)
  local o = DEFAULTS
  if options ~= nil then
    o = check.options("json.encode", options, OPTIONS)
  end
  if not (o.pretty or o.sorted or o.cycles == "null") then
    local text = json_writer.write(value)
    if text then
      return text, nil
    end
  end
  return careful.write(value, o)
end

--- Looks at a value by a JSON Schema (draft 2020-12, or the one that its `$schema` names).
---
---     json.validate({ required = { "id" } }, {}) --> nil, "id" is a required property
---
--- References lead to parts of the schema itself, which may not contain itself. Patterns are those
--- of Rust's regex, whose time is linear. A schema has at most 256 KiB, 10 000 parts and 40
--- patterns, a value 1 MiB, and both together no more than is checked in about a second. It needs
--- `moonq[schema]`.
---@param schema table|string     a string is the schema as a JSON text
---@param value any               what JSON can carry
---@return true|nil ok
---@return errors.Error|nil err   INVALID; its message names the places in the value, at most three
---@nodiscard
function json.validate(schema, value)
  check.argument("json.validate", "schema", schema, "table|string")
  local wanted, given, err = schema, nil, nil
  if type(schema) == "table" then
    wanted, err = json.encode(schema, SCHEMA)
  end
  if wanted then
    given, err = json.encode(value)
  end
  if not given then
    return nil, errors.wrap(err, "json.validate")
  end
  local problem
  problem, err = lent.json_validate(wanted, given)
  if not problem then
    return nil, errors.wrap(err, "json.validate")
  elseif problem ~= "" then
    return nil, errors.new({ kind = errors.INVALID, message = problem, retryable = false })
  end
  return true, nil
end

return json
