local modules = require("host.walls.modules")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

local count = 0

--- Makes a script known under an id of its own and answers the id.
local function define(source, fields)
  count = count + 1
  local script = { modules = {}, imports = {}, source = source }
  script.id = "test:script" .. count
  script.chunk = "@script" .. count .. ".lua"
  for key, value in pairs(fields or {}) do
    script[key] = value
  end
  modules.define(script)
  return script.id
end

describe("modules.value", function()
  it("runs a file once and keeps what it returns", function()
    local id = define("return {}")
    test.is(modules.value(id), modules.value(id))
  end)

  it("is true for a file that returns nothing", function()
    eq(modules.value(define("local _ = 1")), true)
  end)

  it("raises what is wrong with the text", function()
    fails("script" .. count + 1 .. ".lua:2: unexpected symbol", modules.value, define("\nreturn )"))
  end)

  it("gives every script a world of its own", function()
    modules.value(define("shared = 7; string.mine = 1"))
    local id = define("return { shared = shared, mine = string.mine }")
    eq(modules.value(id), {})
  end)

  it("seals the world when the file has run", function()
    local id = define("return function() leak = 1 end")
    fails("assignment to global 'leak'", modules.value(id))
  end)
end)

describe("require", function()
  it("gives a declared module as a copy that cannot be changed", function()
    local id = define([[local json = require("json"); return json]], { modules = { json = true } })
    local given = modules.value(id)
    eq(given.encode({ 1 }), "[1]")
    fails("read-only", function()
      given.encode = nil
    end)
  end)

  it("gives an import under its alias", function()
    local bank = define("return { charge = function() return 7 end }")
    local id = define([[return require("bank").charge()]], { imports = { bank = bank } })
    eq(modules.value(id), 7)
  end)

  it("gives the libraries of stock Lua without a declaration", function()
    local id = define([[
      for name in ("math string table utf8 coroutine os io debug _G"):gmatch("%S+") do
        assert(require(name) == _G[name], name)
      end
      return require("math").pi
    ]])
    eq(modules.value(id), math.pi)
  end)

  it("prefers an import of such a name", function()
    local own = define("return { pi = 3 }")
    local id = define([[return require("math").pi]], { imports = { math = own } })
    eq(modules.value(id), 3)
  end)

  it("refuses what is not declared, and says where to declare it", function()
    local id = define([[require("queue")]])
    fails(
      ("module 'queue' is not declared for %s; add it under `modules` (or `imports`)"):format(id),
      modules.value,
      id
    )
  end)

  it("knows no files and no names of the trusted half", function()
    for _, name in ipairs({ "host.raw", "package", "../x" }) do
      fails("is not declared", modules.value, define(("require(%q)"):format(name)))
    end
    fails(
      "no module 'jsn'",
      modules.value,
      define([[require("jsn")]], { modules = { jsn = true } })
    )
  end)

  it("refuses a circle", function()
    local id = "test:circle"
    define([[require("me")]], { id = id, imports = { me = id } })
    fails("'test:circle' requires itself while it loads", modules.value, id)
  end)

  it("wants a text", function()
    fails(
      "bad argument #1 to 'require' (string expected, got nil)",
      modules.value,
      define("require()")
    )
  end)
end)

describe("modules.allow", function()
  it("declares one more module", function()
    local id = define([[return require("uuid").v4()]])
    modules.allow(id, "uuid")
    test.is_string(modules.value(id))
  end)
end)

describe("modules.get", function()
  it("finds a module or a library by its key", function()
    test.is_function(modules.get("json").encode)
    eq(modules.get(define("return { mine = 1 }")), { mine = 1 })
  end)
end)
