--- Looks for damage: what it sees must be the same before and after a script ran in its state.
local json, errors, store = require("json"), require("errors"), require("store")

local values = store.open("app:values")

--- Names and types of everything in a library.
local function shape(library)
  local names = {}
  for name, value in pairs(library) do
    names[#names + 1] = tostring(name) .. ":" .. type(value)
  end
  table.sort(names)
  return table.concat(names, " ")
end

local function shapes()
  local found = { shape(_G) }
  for _, name in ipairs({ "string", "table", "math", "utf8", "coroutine", "os", "debug" }) do
    found[#found + 1] = shape(_G[name])
  end
  found[#found + 1] = shape(json) .. shape(errors) .. shape({ json.null })
  return table.concat(found, "\n")
end

local BEFORE = shapes()

local function raises(f, ...)
  local ok, err = pcall(f, ...)
  return not ok and err
end

local function check_strings()
  assert(("ab"):rep(3, "-") == "ab-ab-ab")
  assert(("order=12"):match("(%a+)=(%d+)") == "order")
  assert(("a b"):gsub("%a", { a = "x" }) == "x b")
  assert(("%5.2f|%q"):format(1.5, "x") == ' 1.50|"x"')
  assert(("abc"):upper():lower():reverse():sub(1, 2):byte() == 99)
  assert(getmetatable("") == false)
  assert("10" + 5 == 15 and #"" == 0)
end

local function check_tables()
  local list = { 3, 1, 2 }
  table.sort(list)
  table.insert(list, 4)
  assert(table.concat(list, ",") == "1,2,3,4")
  assert(table.remove(list, 1) == 1 and select("#", table.unpack(list)) == 3)
  assert(next({}) == nil and rawlen({ 1 }) == 1 and rawget({ a = 1 }, "a") == 1)
end

local function check_metatables()
  local class = {}
  class.__index = class
  function class.__add(a, b)
    return a.n + b.n
  end
  local object = setmetatable({ n = 2 }, class)
  assert(object + object == 4 and getmetatable(object) == class)
  assert(getmetatable({}) == nil and tostring({}):find("^table: "))
end

local function check_coroutines()
  local co = coroutine.wrap(function(a)
    local b = coroutine.yield(a + 1)
    error("from " .. b, 0)
  end)
  assert(co(1) == 2)
  local ok, err = pcall(co, "inside")
  assert(not ok and err == "from inside")
  assert(not coroutine.isyieldable())
end

local function check_errors()
  assert(raises(error, "x", 0) == "x")
  local ok, said = xpcall(error, function(problem)
    return problem .. "!"
  end, "y", 0)
  assert(not ok and said == "y!")
  local err = errors.new({ kind = "CONFLICT", message = "taken" })
  assert(err:kind() == "CONFLICT" and tostring(err) == "taken")
end

local function check_host()
  assert(json.encode({ a = { 1, json.null } }) == '{"a":[1,null]}')
  assert(json.decode('{"a":[1,2]}').a[2] == 2 and json.encode({}) == "{}")
  assert(json.encode(json.null) == "null" and next(json.null) == nil)
  assert(values:get("nothing") == nil)
  assert(raises(function()
    _G.canary_was_here = true
  end):find("canary_was_here"))
  assert(load("return 1 + 1")() == 2 and load("\27Lua") == nil)
end

return function()
  assert(shapes() == BEFORE, "a library looks different")
  assert(_G.MARKER == nil and ("").MARKER == nil, "a marker was left")
  check_strings()
  check_tables()
  check_metatables()
  check_coroutines()
  check_errors()
  check_host()
end
