local test = require("test")
local world = require("host.walls.world")

local describe, it, each, eq, fails = test.describe, test.it, test.each, test.eq, test.fails

--- The globals of a new script.
local function new()
  return world.new({ id = "app:script", require = require })
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
    eq(names_of(libraries), "_G coroutine debug errors math os string table utf8")
  end)

  each(
    {
      { library = "os", names = "clock date difftime time" },
      { library = "debug", names = "traceback" },
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

describe("load", function()
  it("runs text in the script's own world", function()
    local env = new()
    env.secret = 7
    eq(env.load("return secret")(), 7)
    eq(env.load("return x", "chunk", "t", { x = 3 })(), 3)
  end)

  it("refuses what is no text", function()
    local env = new()
    fails("bad argument #1 to 'load' (string expected, got function)", env.load, print)
    eq({ env.load("return 1", "x", "b") }, { nil, "only text can be loaded (mode is 'b')" })
    test.contains(select(2, env.load("\27Lua")), "attempt to load a binary chunk")
    eq({ env.load((" "):rep(256 * 1024 + 1)) }, { nil, "source is larger than 256 KiB" })
  end)

  it("lets no chunk pass for the host's", function()
    local env = new()
    for _, name in ipairs({ "=[moonq lua/walls/world.lua]", "=?", "@[moonq x]" }) do
      local _, problem = pcall(env.load("error('here')", name))
      test.matches(problem, "^%(load%):1: here")
    end
  end)
end)

describe("the rest of the base functions", function()
  it("count garbage and do nothing else with it", function()
    local env = new()
    test.is_number(env.collectgarbage("count"))
    fails('only "count" is available', env.collectgarbage, "stop")
  end)

  it("format dates, without the C library's darker corners", function()
    local env = new()
    eq(env.os.date("!%Y", 0), "1970")
    fails("bad argument #1 to 'date'", env.os.date, "%Ey")
    fails("bad argument #1 to 'date'", env.os.date, ("%Y"):rep(50))
    fails("string expected, got table", env.os.date, {})
  end)

  it("print into the log", function()
    new().print("order", 7, nil)
    local log = test.logged("info", "order\t7\tnil")
    eq(log.entry, "app:script")
  end)

  it("keep their hands off frozen tables", function()
    local env, seal = new()
    seal()
    fails("read-only", env.rawset, env.string, "x", 1)
    eq(env.rawget(env.string, "upper"), env.string.upper)
    fails("bad argument #1 to 'rawget' (table expected, got nil)", env.rawget, nil, 1)
  end)
end)
