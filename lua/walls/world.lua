--- The globals a script sees: one allow list, a fresh copy per script.
---
--- The script's `_G` is a read-only view once its file has run: what a handler assigns by
--- accident is an error that names it, not a leak into the next message. While the file itself
--- runs, it may define globals and extend its own copies of the libraries.
local arguments = require("host.walls.arguments")
local blame = require("host.walls.blame")
local errors = require("errors")
local freeze = require("host.walls.freeze")
local limits = require("host.walls.limits")
local loading = require("host.walls.loading")
local message = require("host.run.message")
local metatables = require("host.walls.metatables")
local protect = require("host.walls.protect")
local raw = require("host.raw")
local strings = require("host.stock.strings")
local tables = require("host.stock.tables")
local times = require("host.stock.times")
local trace = require("host.walls.trace")
local upvalues = require("host.walls.upvalues")

local assert, error, ipairs, next, pairs, select = assert, error, ipairs, next, pairs, select
local tonumber, tostring, type = tonumber, tostring, type
local rawequal, rawget, rawlen = rawequal, rawget, rawlen
local backings = freeze.backings
local collectgarbage, concat, min = collectgarbage, table.concat, math.min
local mistyped = arguments.mistyped
local math, utf8 = math, utf8

local world = {}

local LOG_INFO = 2

local function copy(library)
  local result = {}
  for name, value in next, library do
    result[name] = value
  end
  return result
end

local function check_table(name, value)
  if type(value) ~= "table" then
    mistyped(1, name, "table", value)
  end
end

-- What is in a frozen table is what stands behind it.
local function checked_next(target, key)
  check_table("next", target)
  return next(backings[target] or target, key)
end

local function checked_rawget(target, key)
  check_table("rawget", target)
  return (rawget(backings[target] or target, key))
end

--- What the collector answers where it is told what to do; it does as the host says.
local COLLECTOR = {
  collect = 0,
  generational = "incremental",
  incremental = "incremental",
  isrunning = true,
  restart = 0,
  setpause = 200,
  setstepmul = 100,
  step = true,
  stop = 0,
}

local function count_garbage(option)
  option = option == nil and "collect" or arguments.text(1, "collectgarbage", option)
  if option == "count" then
    return collectgarbage("count")
  elseif COLLECTOR[option] == nil then
    arguments.refuse(1, "collectgarbage", "invalid option '" .. option .. "'")
  end
  return COLLECTOR[option]
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

-- There are no files: libraries that might want some find this one in their first lines.
local function open_nothing(name)
  return nil, arguments.text(1, "open", name) .. ": a script reaches no files", 2
end

local function base_functions(env, log_name, on_loaded)
  return {
    _G = env,
    _VERSION = _VERSION,
    assert = assert,
    error = error,
    ipairs = ipairs,
    next = checked_next,
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
    load = loading.new(env, on_loaded),
    print = printer(log_name),
  }
end

local function libraries(own_upvalues)
  own_upvalues.traceback = trace.traceback
  return {
    string = strings.new(),
    table = tables.new(),
    math = copy(math),
    utf8 = copy(utf8),
    coroutine = protect.new_coroutine_library(),
    os = times.new(),
    io = { open = open_nothing },
    debug = own_upvalues,
    errors = copy(errors),
  }
end

local function refuse_global(_, key)
  local name = tostring(key)
  error(("assignment to global '%s' inside a handler: write `local %s`"):format(name, name), 3)
end

---@class world.Script
---@field id string          such as "app:process_order"
---@field chunk? string      name of its file's chunk
---@field source? string     its Lua text
---@field require function
---@field assigns? boolean   whether it may assign its own globals once its file has run

--- The globals of one script, and a function that seals them once its file has run.
---@param script world.Script
---@return table env
---@return fun() seal
function world.new(script)
  local backing = {}
  local options = { complain = refuse_global, keeps_known = script.assigns }
  local env, seal_env = freeze.table(backing, "_G", options)
  local seals = { seal_env }
  local own_upvalues, on_loaded = upvalues.new(script.chunk, script.source)
  for name, value in next, base_functions(env, script.id, on_loaded) do
    backing[name] = value
  end
  for name, library in next, libraries(own_upvalues) do
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

blame.hide()

return world
