--- YAML 1.2, both ways, as moonq reads its own files.
---
---     local yaml = require("yaml")
---     yaml.decode("name: Ann\non: [yes, 010]")         --> { name = "Ann", on = { "yes", 10 } }
---     yaml.encode({ name = "Ann", port = 8080 })       --> "name: Ann\nport: 8080\n"
---
--- Values are those of JSON: names are texts, `null` is `json.null`, `.inf` and `.nan` are refused.
--- So are tags, merge keys, names that come twice, and a second document. A text has at most
--- 256 KiB, 50 levels and 50 000 values; those that an alias stands for count anew each time.
local check = require("check")
local errors = require("errors")
local json = require("json")
local lent = require("host.walls.lent")

local read, write = lent.yaml_decode, lent.yaml_encode

local yaml = {}

--- The value of a document.
---@param text string
---@return any value              nil only beside an error
---@return errors.Error|nil err   INVALID, with line and column
---@nodiscard
function yaml.decode(text)
  check.argument("yaml.decode", "text", text, "string")
  local found, err = read(text)
  if not found then
    return nil, err
  end
  return json.decode(found)
end

--- A value as a document; names come sorted.
---@param value any               what JSON can carry
---@return string|nil text
---@return errors.Error|nil err   INVALID, with the path of what YAML has no words for
---@nodiscard
function yaml.encode(value)
  local text, err = json.encode(value)
  if not text then
    return nil, errors.wrap(err, "yaml.encode")
  end
  return write(text)
end

return yaml
