local modules = require("host.walls.modules")
local test = require("test")

local describe, it, each, eq, fails = test.describe, test.it, test.each, test.eq, test.fails

local count = 0

--- What a script's file returns.
local function run(source, imports)
  count = count + 1
  local id = "upvalues:script" .. count
  local chunk = "@upvalues" .. count .. ".lua"
  modules.define({ id = id, chunk = chunk, source = source, modules = {}, imports = imports or {} })
  return modules.value(id), id
end

describe("the upvalues of a script's own functions", function()
  it("can be read and set", function()
    eq(
      run([[
      local secret = 7
      local function f() return secret end
      local name, value = debug.getupvalue(f, 1)
      return { name, value, debug.setupvalue(f, 1, 8), f(), debug.getupvalue(f, 9) == nil }
    ]]),
      { "secret", 7, "secret", 8, true }
    )
  end)

  it("give a loaded chunk other globals", function()
    eq(
      run([[
      local function setfenv(f, env)
        debug.upvaluejoin(f, 1, function() return env end, 1)
        return f
      end
      local chunk = load("x = 1 return _VERSION, math")
      local env = {}
      local version, library = setfenv(chunk, env)()
      return { version == nil, library == nil, env.x, x == nil }
    ]]),
      { true, true, 1, true }
    )
  end)
end)

describe("the upvalues of other functions", function()
  local _, library = run([[
    local store = "what the script may not have"
    local function f() return store end
    return { f = f, chunk = load("return 1", "@upvalues1.lua") }
  ]])

  it("are not there", function()
    eq(
      run(
        [[
      local library = require("library")
      for _, f in ipairs({ library.f, library.chunk, print, pcall, string.find, require }) do
        assert(debug.getupvalue(f, 1) == nil)
        assert(debug.setupvalue(f, 1, 7) == nil)
      end
      return library.f()
    ]],
        { library = library }
      ),
      "what the script may not have"
    )
  end)

  it("are not there where one YAML file holds both texts", function()
    local chunk = "@inline.yaml"
    local function define(id, line, source, imports)
      source = ("\n"):rep(line - 1) .. source
      modules.define({ id = id, chunk = chunk, source = source, modules = {}, imports = imports })
    end
    define("upvalues:above", 5, "local kept = 7\nreturn function() return kept end", {})
    define(
      "upvalues:below",
      9,
      [[
      local above, own = require("above"), 8
      local function f() return own end
      local name, value = debug.getupvalue(f, 1)
      local hidden = debug.getupvalue(above, 1) == nil
      return { hidden, debug.setupvalue(above, 1, 9), above(), name, value }
    ]],
      { above = "upvalues:above" }
    )
    eq(modules.value("upvalues:below"), { true, nil, 7, "own", 8 })
  end)

  each(
    { { "library.f, 1, own, 1" }, { "own, 1, library.f, 1" }, { "own, 1, library.chunk, 1" } },
    "are joined with none: {1}",
    function(row)
      fails(
        "(a function of this file expected)",
        run,
        ([[
          local library = require("library")
          local x
          local function own() return x end
          debug.upvaluejoin(%s)
        ]]):format(row[1]),
        { library = library }
      )
    end
  )

  each(
    {
      { "getupvalue()", "bad argument #1 to 'getupvalue' (function expected, got nil)" },
      { "setupvalue(f, {})", "bad argument #2 to 'setupvalue' (number expected, got table)" },
      { "upvaluejoin(f, 1, f, 7)", "bad argument #4 to 'upvaluejoin' (invalid upvalue index)" },
      { "upvaluejoin(f, 1, 2, 1)", "bad argument #3 to 'upvaluejoin' (function expected" },
    },
    "complain of debug.{1}",
    function(row)
      fails(row[2], run, "local x local function f() return x end debug." .. row[1])
    end
  )
end)
