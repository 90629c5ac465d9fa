local test = require("test")
local world = require("host.walls.world")

local describe, it, each, eq, fails = test.describe, test.it, test.each, test.eq, test.fails

--- The globals of a new script.
local function new()
  return world.new({ id = "app:script", chunk = "@script.lua", require = require })
end

local function names_of(library)
  local names = {}
  for name in pairs(library) do
    names[#names + 1] = name
  end
  table.sort(names)
  return table.concat(names, " ")
end

describe("the globals of a script", function()
  it("are these and no others", function()
    local env = new()
    local functions, libraries = {}, {}
    for name, value in pairs(env) do
      local list = type(value) == "table" and libraries or functions
      list[name] = true
    end
    eq(
      names_of(functions),
      "_VERSION assert collectgarbage error getmetatable ipairs load next pairs pcall print "
        .. "rawequal rawget rawlen rawset require select setmetatable tonumber tostring type xpcall"
    )
    eq(names_of(libraries), "_G coroutine debug errors io math os string table utf8")
  end)

  each(
    {
      { library = "os", names = "clock date difftime time" },
      { library = "debug", names = "getupvalue setupvalue traceback upvaluejoin" },
      { library = "io", names = "open" },
      {
        library = "coroutine",
        names = "close create isyieldable resume running status wrap yield",
      },
      {
        library = "string",
        names = "byte char find format gmatch gsub len lower match pack packsize rep reverse sub "
          .. "unpack upper",
      },
      { library = "table", names = "concat insert move pack remove sort unpack" },
    },
    "have of {library} only what is safe",
    function(row)
      eq(names_of(new()[row.library]), row.names)
    end
  )

  it("are fresh for every script", function()
    local one, other = new(), new()
    one.string.shout = string.upper
    test.is_nil(other.string.shout)
    test.is_not(one.string, other.string)
  end)

  it("can grow while the file runs, and not afterwards", function()
    local env, seal = new()
    env.helper = 1
    eq(env.helper, 1)
    seal()
    fails("assignment to global 'counter' inside a handler: write `local counter`", function()
      env.counter = 1
    end)
    fails("cannot set 'shout': 'string' is read-only", function()
      env.string.shout = print
    end)
  end)
end)

describe("the rest of the base functions", function()
  it("count garbage, and answer all else as if it were done", function()
    local env = new()
    test.gt(env.collectgarbage("count"), 0)
    eq(
      { env.collectgarbage(), env.collectgarbage("step"), env.collectgarbage("stop") },
      { 0, true, 0 }
    )
    eq(env.collectgarbage("isrunning"), true)
    fails("invalid option 'sweep'", env.collectgarbage, "sweep")
  end)

  it("format dates, without the C library's darker corners", function()
    local env = new()
    eq(env.os.date("!%Y", 0), "1970")
    fails("bad argument #1 to 'date'", env.os.date, "%Ey")
    fails("bad argument #1 to 'date'", env.os.date, ("%Y"):rep(50))
    fails("string expected, got table", env.os.date, {})
  end)

  it("open no files", function()
    local env = new()
    eq({ env.io.open("orders.txt") }, { nil, "orders.txt: a script reaches no files", 2 })
    fails("bad argument #1 to 'open' (string expected, got nil)", env.io.open)
  end)

  it("print into the log", function()
    new().print("order", 7, nil)
    local log = test.logged("info", "order\t7\tnil")
    eq(log.entry, "app:script")
  end)

  it("keep their hands off frozen tables", function()
    local env, seal = new()
    eq(env.rawset(env, "counter", 1), env)
    eq(env.counter, 1)
    seal()
    fails("read-only", env.rawset, env, "counter", 2)
    fails("read-only", env.rawset, env.string, "x", 1)
    eq(env.rawget(env.string, "upper"), env.string.upper)
    fails("bad argument #1 to 'rawget' (table expected, got nil)", env.rawget, nil, 1)
    fails("bad argument #1 to 'rawget' (table expected, got number)", env.rawget, 1)
  end)

  it("show with next what is in the globals and the libraries, as with pairs", function()
    local env, seal = new()
    seal()
    for _, library in ipairs({ env, env.string, env.math }) do
      local seen, key, value = {}, env.next(library)
      while key ~= nil do
        seen[key] = value
        key, value = env.next(library, key)
      end
      local listed = {}
      for name, item in env.pairs(library) do
        listed[name] = item
      end
      eq(seen, listed)
    end
    eq({ env.next({ "x" }) }, { 1, "x" })
    fails("bad argument #1 to 'next' (table expected, got number)", env.next, 5)
  end)
end)
