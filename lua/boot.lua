--- The only file that Python loads: it builds the walls, then answers with the functions
--- that Python may call.
---
--- Arguments: `source(name) -> chunk` (precompiled text of a trusted file); the path of the native
--- half of JSON, or nil; what hides the names of `__gc` and `__mode` (the arguments of
--- `names.hide`); then the functions that Python lends, each as `name, function, waits`: whether it
--- may take long.
---
--- Order matters. Python's callables become plain functions before anything else runs, every
--- trusted file takes its own locals of the real library, and only then are the real globals
--- emptied: from there on no code can find lupa, Python or an unwrapped function.
local python, debug, package = _G.python, debug, package
local assert, pairs, error, load, type = assert, pairs, error, load, type

-- First of all, since whatever is weak must be made under the names that count.
local function hide_names(require, hide, gc, mode, lend, is_back)
  local as_function = python.as_function
  local names = require("host.walls.names")
  names.hide(as_function(hide), gc, mode, as_function(lend), as_function(is_back))
  return names.are_hidden
end

-- lupa's own objects answer nothing: only their finalizer stays, which gives memory back.
local function disarm_python_objects()
  local meta = debug.getregistry().POBJECT
  meta.__index, meta.__newindex, meta.__tostring, meta.__name = nil, nil, nil, nil
  meta.__metatable = false
end

-- The globals of trusted code: a copy, so that it outlives the emptying of the real ones.
local function trusted_globals()
  local env = {}
  for name, value in pairs(_G) do
    env[name] = value
  end
  env.python, env.package, env.io, env.dofile, env.loadfile, env._G = nil, nil, nil, nil, nil, env
  return env
end

-- Where Lua looks for the name of a C function that was called without one, as by `pcall`: only in
-- the registry, which no script sees.
local LIBRARIES = { "coroutine", "math", "os", "string", "table", "utf8" }

local function keep_names(loaded, real)
  local base = {}
  for name, value in pairs(real) do
    base[name] = type(value) == "function" and value or nil
  end
  loaded._G = base
  for _, name in pairs(LIBRARIES) do
    loaded[name] = real[name]
  end
end

local function empty(real)
  for name in pairs(package.loaded) do
    package.loaded[name] = nil
  end
  for name in pairs(package.preload) do
    package.preload[name] = nil
  end
  for index in pairs(package.searchers) do
    package.searchers[index] = nil
  end
  keep_names(package.loaded, real)
  for name in pairs(real) do
    real[name] = nil
  end
  -- lupa looks this key up before every call; `false` is neither missing nor a traceback.
  real.debug = false
end

-- `require` of trusted code: "host.x" is lua/x.lua, a bare name is stdlib/x.lua.
local function requirer(env, source)
  local loaded = {}
  return function(name)
    local module = loaded[name]
    if module == nil then
      -- What is loaded late, perhaps to describe a failure, must fit below the hard limit.
      local limits = loaded["host.walls.limits"]
      if limits then
        limits.check_memory()
      end
      local chunk = source(name)
      if not chunk then
        error("no trusted module '" .. name .. "'", 2)
      end
      module = load(chunk, name, "b", env)(name)
      loaded[name] = module == nil and true or module
    end
    return module
  end,
    loaded
end

-- What stands in for `json/native.lua` where the host has a library. Nothing else ever loads one:
-- `package` is gone before a script can run.
local function native_json(path)
  return path
    and {
      decode = assert(package.loadlib(path, "moonq_json_decode")),
      encode = assert(package.loadlib(path, "moonq_json_encode")),
      main = coroutine.running(),
    }
end

local function raw_lent(_, _, _, _, _, _, _, ...)
  local as_function = python.as_function
  local functions, waits, list = {}, {}, { ... }
  for index = 1, #list, 3 do
    local name = list[index]
    functions[name], waits[name] = as_function(list[index + 1]), list[index + 2]
  end
  return functions, waits
end

local source = python.as_function((...))
local env = trusted_globals()
local require, loaded = requirer(env, source)
env.require = require
local are_hidden = hide_names(require, select(3, ...))
loaded["host.json.native"] = native_json((select(2, ...)))
loaded["host.raw"], loaded["host.waits"] = raw_lent(...)

disarm_python_objects()
local api = require("host.api")
empty(_G)
return are_hidden,
  api.find_address,
  api.define,
  api.open,
  api.deliver,
  api.progress,
  api.call,
  api.collect,
  api.empty,
  api.limit_memory,
  api.last_trace,
  api.set_policy,
  api.decide,
  api.use_permanent_hook,
  api.unhook,
  api.more
