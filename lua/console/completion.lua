--- What could stand where the caret is: looks at live values and runs none of their code.
---
---     completion.of("queue.pu")  --> [{"name":"publish","type":"function"},…]
local fields = require("host.walls.fields")
local json = require("json")

local ipairs, next, pcall, rawget, type = ipairs, next, pcall, rawget, type
local gmatch, match, sub = string.gmatch, string.match, string.sub
local sort = table.sort

local completion = {}

local MOST = 1000

local globals, known_modules, imports, require_here

--- Says where to look.
---@param session table                    the session's globals
---@param names table<string, boolean>     modules
---@param aliases table<string, string>    imports
---@param load_module fun(name: string): any
function completion.open(session, names, aliases, load_module)
  globals, known_modules, imports, require_here = session, names, aliases, load_module
end

local function global(name)
  local found = rawget(globals, name)
  if found == nil and (name == "mq" or known_modules[name]) then
    -- A module of the standard library: its file is the host's, not a script's.
    local ok, module = pcall(require_here, name)
    return ok and module or nil
  end
  return found
end

local function owner_of(path)
  local value
  for name in gmatch(path, "[%a_][%w_]*") do
    if value == nil then
      value = global(name)
    else
      value = fields.get(value, name)
    end
    if value == nil then
      return nil
    end
  end
  return value
end

local function collect(found, seen, names, prefix, of)
  for key, value in next, names do
    if type(key) == "string" and not seen[key] and sub(key, 1, #prefix) == prefix then
      seen[key] = true
      found[#found + 1] = { name = key, type = of or type(value) }
    end
  end
end

local function sorted(found)
  sort(found, function(a, b)
    return a.name < b.name
  end)
  local list = json.array()
  for index, one in ipairs(found) do
    if index > MOST then
      break
    end
    list[index] = one
  end
  return (json.encode(list))
end

--- Everything that continues a path; after `:` only functions.
---@param path string  such as `queue.pu`, `_.` or `lo`
---@return string json  a list of `{ name, type }`
function completion.of(path)
  local found, seen = {}, {}
  local owner, mark, prefix = match(path, "^(.-)([.:])([%w_]*)$")
  if not owner then
    collect(found, seen, globals, path)
    collect(found, seen, known_modules, path, "module")
    collect(found, seen, imports, path, "library")
    collect(found, seen, { mq = true }, path, "module")
    return sorted(found)
  end
  local value = owner_of(owner)
  for _ = 1, fields.DEEPEST do
    local own, more = nil, nil
    if value ~= nil then
      own, more = fields.of(value)
    end
    if own then
      collect(found, seen, own, prefix)
    end
    value = more
  end
  if mark == ":" then
    local functions = {}
    for _, one in ipairs(found) do
      functions[#functions + 1] = one.type == "function" and one or nil
    end
    found = functions
  end
  return sorted(found)
end

return completion
