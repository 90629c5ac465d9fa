--- The project's entries, to read.
---
---     local registry = require("registry")
---     registry.get("app.queue:tasks").kind               --> "queue.queue"
---     registry.find({ kind = "queue.consumer" })[1].id   --> "app.queue:task_consumer"
---
--- An entry is `{ id, kind, namespace, name, meta }`, and `data` where it is a `registry.entry`.
--- Other fields stay with the host: there are secrets among them.
local check = require("check")
local errors = require("errors")
local json = require("json")
local lent = require("host.walls.lent")
local bare_names = require("host.walls.bare_names")

local get, find = lent.registry_get, lent.registry_find

local registry = {}

---@class registry.Entry  an entry of the project, as its YAML has it
---@field id string  "app.queue:tasks"
---@field kind string  "queue.queue"
---@field namespace string  "app.queue"
---@field name string  "tasks"
---@field meta table<string, any>  as the entry has it
---@field data? any  all other fields

---@class (exact) registry.Criteria  what entries are found by: all of it holds
---@field kind? string                "queue.queue"
---@field namespace? string           "app.queue"
---@field name? string                "tasks"
---@field meta? table<string, any>    each of these must be equal in the entry's `meta`

local CRITERIA = {
  kind = { type = "string" },
  namespace = { type = "string" },
  name = { type = "string" },
  meta = { type = "table" },
}

--- One entry. What `${env:NAME}` fills in is given as it is written: read variables with `env`.
---@param id moonq.EntryId   the id of an entry, "namespace:name", or a name of the own namespace
---@return registry.Entry|nil entry
---@return errors.Error|nil err   NOT_FOUND
---@nodiscard
function registry.get(id)
  check.argument("registry.get", "id", id, "string")
  local text, err = get(id)
  if not text then
    return nil, err
  end
  return json.decode(text)
end

--- All entries that fit, of those that policies let the script read; all of them without criteria.
---@param criteria? registry.Criteria
---@return registry.Entry[]|nil entries
---@return errors.Error|nil err   INVALID
---@nodiscard
function registry.find(criteria)
  local wanted = check.options("registry.find", criteria, CRITERIA)
  local encoded, fault = json.encode(wanted, { name = "criteria" })
  if not encoded then
    return nil, errors.wrap(fault, "registry.find")
  end
  local text, err = find(encoded)
  if not text then
    return nil, err
  end
  return json.decode(text)
end

bare_names.takes(registry, { get = bare_names.first })

return registry
