--- `require` for scripts: only what the entry declares under `modules` and `imports`.
local freeze = require("host.walls.freeze")
local limits = require("host.walls.limits")
local metatables = require("host.walls.metatables")
local bare_names = require("host.walls.bare_names")
local trace = require("host.walls.trace")
local world = require("host.walls.world")

local error, load, next, pcall, require, type = error, load, next, pcall, require, type
local getinfo, max = debug.getinfo, math.max

local modules = {}

---@class modules.Script
---@field id string
---@field namespace? string              where its bare names of entries belong; "" for none
---@field chunk string                   name of its chunk, "@path"
---@field source string                  Lua text; dropped once it has run
---@field modules table<string, boolean> stdlib modules it may require
---@field imports table<string, string>  alias -> id of a library
---@field require? function
---@field assigns? boolean               whether it may assign its own globals for good
---@field value? any                     what its file returned; true for nothing
---@field silent_end? string             the place of its last line, where it returned nothing
---@field state? "loading"|"loaded"

---@type table<string, modules.Script>
local scripts = {}

--- Told of each module before a script gets it, as that script will see it, with the table that
--- its functions are in; its key is the module's name, or the library's id. Tests put stubs there.
---@type fun(key: string, functions: table, seen: any)
function modules.on_given() end

--- Makes a script known; nothing runs yet.
---@param script modules.Script
function modules.define(script)
  scripts[script.id] = script
end

local function undeclared(script, name)
  error(
    ("module '%s' is not declared for %s; add it under `modules` (or `imports`)"):format(
      name,
      script.id
    ),
    3
  )
end

-- "test" sees the stand-ins of its host, so it is the host that decides who may have it.
local function stdlib_module(name)
  limits.check_memory()
  local ok, module = pcall(require, name)
  if not ok then
    error("no module '" .. name .. "'", 4)
  end
  return module
end

--- The globals of stock Lua that are modules there, too.
---@type table<string, boolean>
modules.BUILT_IN = {
  _G = true,
  coroutine = true,
  debug = true,
  io = true,
  math = true,
  os = true,
  string = true,
  table = true,
  utf8 = true,
}

--- A stdlib module as the files of a namespace get it.
---@param module table
---@param name string
---@param namespace string
---@return table
local function bound(module, name, namespace)
  local copy = freeze.copy(module, name)
  bare_names.bind(freeze.backing(copy), module, namespace)
  return copy
end

local function requirer(script)
  local given = {}
  return function(name)
    if type(name) ~= "string" then
      error("bad argument #1 to 'require' (string expected, got " .. type(name) .. ")", 2)
    end
    local module = given[name]
    if module ~= nil then
      return module
    end
    local import = script.imports[name]
    if import then
      module = modules.value(import)
    elseif script.modules[name] then
      module = stdlib_module(name)
      if type(module) == "table" then
        module = bound(module, name, script.namespace)
        modules.on_given(name, freeze.backing(module), module)
      end
    else
      undeclared(script, name)
    end
    given[name] = module
    return module
  end,
    given
end

local function end_of(chunk)
  local info, last = getinfo(chunk, "SL"), 1
  for line in next, info.activelines do
    last = max(last, line)
  end
  return info.short_src .. ":" .. last
end

local function run(script)
  local given
  script.require, given = requirer(script)
  local env, seal = world.new(script)
  for name in next, modules.BUILT_IN do
    if not script.modules[name] and not script.imports[name] then
      given[name] = env[name]
    end
  end
  local chunk, problem = load(script.source, script.chunk, "t", env)
  if not chunk then
    error(problem, 0)
  end
  trace.learn(script.source)
  script.source = nil
  metatables.begin_loading()
  local value = chunk()
  metatables.end_loading()
  seal()
  if value == nil then
    script.silent_end = end_of(chunk)
    return true
  end
  return value
end

--- What a script's file returns; runs it the first time.
---@param id string
---@return any
function modules.value(id)
  local script = scripts[id]
  if script.state == "loaded" then
    return script.value
  elseif script.state == "loading" then
    error("'" .. id .. "' requires itself while it loads", 3)
  end
  script.state = "loading"
  script.value = run(script)
  script.state = "loaded"
  if type(script.value) == "table" then
    modules.on_given(id, script.value, script.value)
  end
  return script.value
end

--- Where a script's file ends, if it has run and returned nothing.
---@param id string
---@return string? place  such as "orders.lua:7"
function modules.silent_end(id)
  return scripts[id].silent_end
end

--- Lets a script assign the globals that its file makes, from wherever it likes.
---@param id string
function modules.let_assign(id)
  scripts[id].assigns = true
end

--- Lets a script require one more module.
---@param id string
---@param name string
function modules.allow(id, name)
  scripts[id].modules[name] = true
end

--- A module or library by its key, as a new script would get it.
---@param key string  the module's name, or the library's id
---@return any
function modules.get(key)
  return scripts[key] and modules.value(key) or stdlib_module(key)
end

return modules
