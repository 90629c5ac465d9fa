--- Builds the walls, then answers with the functions that Python may call.
---
--- Arguments: what Lua made of the files that every state needs, a function from their globals to
--- a table of them (`chunks.py`); the module `host.walls.names`, which has hidden what is to be
--- hidden (`hide.lua`); `source(name) -> chunk`, the precompiled text of any other trusted file;
--- `lend(name) -> function, waits`, what Python lends, and whether it may take long; the path of
--- the native half of JSON, or nil.
---
--- Order matters. Python's callables become plain functions before anything else runs, every
--- trusted file takes its own locals of the real library, and only then are the real globals
--- emptied: from there on no code can find lupa, Python or an unwrapped function.
local python, debug, package = _G.python, debug, package
local assert, error, load, pairs = assert, error, load, pairs
local setmetatable, type = setmetatable, type
local as_function = python.as_function
local bundle, names, source, lend, native = ...

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

-- What is loaded late, perhaps to describe a failure, must fit below the hard limit.
local function check_memory(loaded)
  local limits = loaded["host.walls.limits"]
  if limits then
    limits.check_memory()
  end
end

-- `require` of trusted code: "host.x" is lua/x.lua, a bare name is stdlib/x.lua.
local function requirer(env, loaded)
  local files = bundle(env)
  return function(name)
    local module = loaded[name]
    if module == nil then
      check_memory(loaded)
      local file = files[name]
      if not file then
        local chunk = source(name) or error("no trusted module '" .. name .. "'", 2)
        file = load(chunk, name, "b", env)
      end
      files[name] = nil
      module = file(name)
      loaded[name] = module == nil and true or module
    end
    return module
  end
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

-- The functions that Python lends, and which of them may take long: made when they are first asked
-- for, since most states need only a few.
local function raw_lent(loaded)
  local waits = {}
  return setmetatable({}, {
    __index = function(raw, name)
      check_memory(loaded)
      local call, may_wait = lend(name)
      if call then
        raw[name], waits[name] = as_function(call), may_wait
      end
      return call and raw[name]
    end,
  }),
    waits
end

collectgarbage("stop") -- nothing of this is garbage
source, lend = as_function(source), as_function(lend)
local env, loaded = trusted_globals(), { ["host.walls.names"] = names }
env.require = requirer(env, loaded)
loaded["host.json.native"] = native_json(native)
loaded["host.raw"], loaded["host.waits"] = raw_lent(loaded)

disarm_python_objects()
local api = env.require("host.api")
collectgarbage("restart")
empty(_G)
return names.are_hidden,
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
