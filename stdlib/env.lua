--- Variables of the environment, as far as the project names them in `env.variable` entries.
---
---     local env = require("env")
---     env.get("API_URL")             --> "https://api.example"
---     env.get("REGION", "eu")        --> "eu" when it is not set
---     env.get("HOME")                --> nil, no env.variable entry names 'HOME'
local check = require("check")
local errors = require("errors")
local json = require("json")
local lent = require("host.walls.lent")
local bare_names = require("host.walls.bare_names")

local read, read_names = lent.env, lent.env_names

local env = {}

--- The value of the variable whose entry is *id*, else of the one that is called *name*.
local function value_of(id, name, default)
  check.argument("env.get", "name", name, "string")
  local value, err = read(id)
  if err and id ~= name and errors.is(err, errors.NOT_FOUND) then
    value, err = read(name)
  end
  if err then
    return nil, err
  elseif value == nil then
    return default, nil
  end
  return value, nil
end

--- The value of a variable, by its own name or its entry's id. In the namespace of the entry its
--- bare name will do; it goes before a variable of that name.
---@param name string
---@param default? string          what to answer when it is not set
---@return string|nil value         nil without an error when it is not set
---@return errors.Error|nil err    NOT_FOUND when no entry names it, whatever the default
---@nodiscard
function env.get(name, default)
  return value_of(name, name, default)
end

--- The names that `env.get` knows and policies let the script read, sorted.
---@return string[]|nil names
---@return errors.Error|nil err
---@nodiscard
function env.names()
  local text, err = read_names()
  if not text then
    return nil, err
  end
  return json.decode(text)
end

bare_names.takes(env, {
  get = function(_, full)
    return function(name, default)
      return value_of(full(name), name, default)
    end
  end,
})

return env
