--- Calls functions with values, both by number: the body is a list of calls, `{ f, a, b, c }` each.
---
--- What a call answers joins the values, so that later calls get it. It fails only when something
--- of the host comes to light.
--- `NAMES`, every module that there is, stands before this file.
local modules = {}
for _, name in ipairs(NAMES) do -- luacheck: ignore NAMES
  modules[#modules + 1] = require(name)
end
local queue, store, json = require("queue"), require("store"), require("json")

local function functions_of(libraries)
  local names, by_name = {}, {}
  for place, library in ipairs(libraries) do
    for name, value in pairs(library) do
      if type(value) == "function" then
        names[#names + 1] = place .. name
        by_name[place .. name] = value
      end
    end
  end
  table.sort(names) -- so that a number means the same in every state
  local list = {}
  for index, name in ipairs(names) do
    list[index] = by_name[name]
  end
  return list
end

local libraries = { _G, string, table, math, utf8, coroutine, os, debug, table.unpack(modules) }
local functions = functions_of(libraries)

local function odd_object()
  return setmetatable({ 1, 2, n = 3 }, {
    __index = function(_, key)
      return key
    end,
    __newindex = rawset,
    __call = function(_, ...)
      return ...
    end,
    __tostring = function()
      return "odd"
    end,
    __len = function()
      return 4
    end,
    __eq = rawequal,
    __lt = function()
      return true
    end,
    __concat = function()
      return "joined"
    end,
    __pairs = next,
    __close = print,
    __name = "odd\0name",
    __metatable = "error",
  })
end

--- A function with upvalues of its own: `debug.setupvalue` would spoil what this file shares.
local function raising(raise, make)
  return function()
    raise(make())
  end
end

local function fresh_values()
  local values = { 0, 1, -1, 2, 7, 64, 1000, 1e15, 0.5, -0.0, 0 / 0, 1 / 0, -1 / 0 }
  for _, value in ipairs({
    math.maxinteger,
    math.mininteger,
    true,
    false,
    "",
    "a",
    "%a+",
    "(.-)%1*$",
    "12",
    "0x1p4",
    "\0\xff\xfe",
    "app:values",
    "k",
    "-1h",
    "return ...",
    ("x"):rep(5000),
    { 1, 2, 3 },
    { "a", b = 1 },
    { __index = {}, __close = print },
    {},
    odd_object(),
    print,
    error,
    pcall,
    coroutine.yield,
    function(...)
      return ...
    end,
    raising(error, odd_object),
    coroutine.create(coroutine.yield),
    coroutine.wrap(error),
    errors.new("x"),
    queue.message(),
    store.open("app:values"),
    json.null,
    _G,
    string,
  }) do
    values[#values + 1] = value
  end
  values[#values + 1] = setmetatable({}, { __index = values, __newindex = values })
  return values
end

local function look_at(value)
  assert(type(value) ~= "userdata", "a live object")
  local meta = getmetatable(value)
  assert(type(meta) ~= "userdata", "the metatable of a live object")
  if type(value) == "string" and #value < 1000 then
    assert(not value:find("Traceback") and not value:find("moonq/"), value)
  end
end

local function keep(values, ok, ...)
  for index = 1, math.min(select("#", ...), 3) do
    local value = select(index, ...)
    look_at(value)
    values[#values + 1] = value
  end
  return ok
end

local function pick(list, number)
  return list[(number or 0) % (#list + 1)] -- at 0 there is nil
end

return function(calls)
  local values = fresh_values()
  for _, call in ipairs(calls) do
    local f = pick(functions, call[1])
    local a, b, c = pick(values, call[2]), pick(values, call[3]), pick(values, call[4])
    if #call % 2 == 0 then
      keep(values, pcall(f, a, b, c))
    else
      keep(values, coroutine.resume(coroutine.create(f or print), a, b, c))
    end
  end
end
