local json = require("json")
local modules = require("host.walls.modules")
local suite = require("host.test.suite").main
local test = require("test")
local tester = require("host.test.tester")

local describe, it, eq = test.describe, test.it, test.eq

-- These run inside the very suite that they ask: nothing here may declare or plan anything.
describe("tester.cases", function()
  it("lists the tests of this file, with their lines", function()
    local cases = json.decode(tester.cases())
    eq(cases[1].path, { "tester.cases" })
    eq(cases[1].name, "lists the tests of this file, with their lines")
    eq({ cases[1].skip, cases[1].only, cases[1].todo }, { false, false, false })
    eq(#cases, #suite:cases())
  end)
end)

describe("tester.load", function()
  local function load(source)
    local id = "tester:script"
    modules.define({ id = id, chunk = "@x.lua", source = source, modules = {}, imports = {} })
    return tester.load(id)
  end

  it("answers nothing when the file has run", function()
    test.is_nil(load("local _ = 1"))
  end)

  it("answers the problem as JSON", function()
    local problem = json.decode(load("\nlocal x = nothing.here"))
    eq({ problem.status, problem.source, problem.line }, { "error", "x.lua", 2 })
    eq(problem.message, "attempt to index a nil value (global 'nothing')")
  end)

  it("writes out bytes that JSON cannot carry", function()
    local problem = json.decode(load("error('\\xFF', 0)"))
    eq(problem.message, "\\xFF")
  end)
end)

describe("tester.load_entry", function()
  it("answers the problem of an entry without a function", function()
    local id = "tester:entry"
    modules.define({ id = id, chunk = "@e.lua", source = "return 7", modules = {}, imports = {} })
    local problem = json.decode(tester.load_entry(id, "", "name"))
    eq(problem.message, "the file returns no function but a number")
  end)
end)
