--- The globals a script sees: one allow list, a fresh copy per script.
---
--- The script's `_G` is a read-only view once its file has run: what a handler assigns by
--- accident is an error that names it, not a leak into the next message. While the file itself
--- runs, it may define globals and extend its own copies of the libraries.
local errors = require("errors")
local freeze = require("host.walls.freeze")
local limits = require("host.walls.limits")
local message = require("host.run.message")
local metatables = require("host.walls.metatables")
local protect = require("host.walls.protect")
local raw = require("host.raw")
local strings = require("host.stock.strings")
local tables = require("host.stock.tables")
local times = require("host.stock.times")
local trace = require("host.walls.trace")

local assert, error, ipairs, load, next, pairs, select =
  assert, error, ipairs, load, next, pairs, select
local tonumber, tostring, type = tonumber, tostring, type
local rawequal, rawget, rawlen = rawequal, rawget, rawlen
local backings = freeze.backings
local collectgarbage, concat, min = collectgarbage, table.concat, math.min
local math, utf8 = math, utf8

local world = {}

local MAX_SOURCE = 256 * 1024
local LOG_INFO = 2

local function copy(library)
  local result = {}
  for name, value in next, library do
    result[name] = value
  end
  return result
end

local function bad_argument(index, name, expected, value)
  error(
    ("bad argument #%d to '%s' (%s expected, got %s)"):format(index, name, expected, type(value)),
    3
  )
end

local function checked_rawget(target, key)
  if target == nil then
    bad_argument(1, "rawget", "table", target)
  end
  local backing = backings[target]
  if backing then
    return (rawget(backing, key))
  end
  return (rawget(target, key))
end

local function count_garbage(option)
  if option ~= nil and option ~= "count" then
    error('collectgarbage: only "count" is available in the sandbox', 2)
  end
  return collectgarbage("count")
end

local function printer(log_name)
  return function(...)
    local words = {}
    for index = 1, min(select("#", ...), 100) do
      words[index] = tostring((select(index, ...)))
    end
    limits.check_memory()
    raw.log(message.number(), LOG_INFO, log_name, concat(words, "\t"):sub(1, 8192), "")
  end
end

-- A chunk that a script loads cannot be named like trusted code, so it shows in every trace.
local function loaded_name(name)
  if type(name) ~= "string" then
    return "=(load)"
  end
  local shown = name:sub(1, 60):gsub("^[=@]", "")
  local is_ours = shown == "?" or shown:find("^%[moonq")
  return is_ours and "=(load)" or "=" .. shown
end

local function loader(env)
  return function(chunk, name, mode, own_env)
    if type(chunk) ~= "string" then
      bad_argument(1, "load", "string", chunk)
    elseif #chunk > MAX_SOURCE then
      return nil, "source is larger than 256 KiB"
    elseif mode ~= nil and mode ~= "t" and mode ~= "bt" then
      return nil, "only text can be loaded (mode is '" .. tostring(mode) .. "')"
    end
    trace.learn(chunk)
    return load(chunk, loaded_name(name), "t", own_env == nil and env or own_env)
  end
end

local function base_functions(env, log_name)
  return {
    _G = env,
    _VERSION = _VERSION,
    assert = assert,
    error = error,
    ipairs = ipairs,
    next = next,
    pairs = pairs,
    select = select,
    tonumber = tonumber,
    tostring = tostring,
    type = type,
    rawequal = rawequal,
    rawlen = rawlen,
    rawget = checked_rawget,
    rawset = metatables.rawset,
    pcall = protect.pcall,
    xpcall = protect.xpcall,
    getmetatable = metatables.getmetatable,
    setmetatable = metatables.setmetatable,
    collectgarbage = count_garbage,
    load = loader(env),
    print = printer(log_name),
  }
end

local function libraries()
  return {
    string = strings.new(),
    table = tables.new(),
    math = copy(math),
    utf8 = copy(utf8),
    coroutine = protect.new_coroutine_library(),
    os = times.new(),
    debug = { traceback = trace.traceback },
    errors = copy(errors),
  }
end

local function refuse_global(_, key)
  error(
    ("assignment to global '%s' inside a handler: write `local %s`"):format(
      tostring(key),
      tostring(key)
    ),
    3
  )
end

---@class world.Script
---@field id string          such as "app:process_order"
---@field require function

--- The globals of one script, and a function that seals them once its file has run.
---@param script world.Script
---@return table env
---@return fun() seal
function world.new(script)
  local backing = {}
  local env, seal_env = freeze.table(backing, "_G", { complain = refuse_global })
  local seals = { seal_env }
  for name, value in next, base_functions(env, script.id) do
    backing[name] = value
  end
  for name, library in next, libraries() do
    backing[name], seals[#seals + 1] = freeze.table(library, name)
  end
  backing.require = script.require
  return env, function()
    for index = 1, #seals do
      seals[index]()
    end
  end
end

--- Gives strings their methods: a hidden copy of the bounded library, under a locked metatable.
--- The stock metatable is kept, because it holds the arithmetic of numeric strings.
function world.seal_strings()
  local meta = debug.getmetatable("")
  meta.__index = strings.new()
  meta.__metatable = false
end

return world
