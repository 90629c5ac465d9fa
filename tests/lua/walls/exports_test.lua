local exports = require("host.walls.exports")
local modules = require("host.walls.modules")
local test = require("test")

local describe, it, each, eq, fails = test.describe, test.it, test.each, test.eq, test.fails

local count = 0

local function define(source)
  count = count + 1
  local id = "exports:script" .. count
  modules.define({ id = id, chunk = "@x.lua", source = source, modules = {}, imports = {} })
  return id
end

describe("exports.find", function()
  it("finds the function that the file returns", function()
    eq(exports.find(define("return function() return 7 end"), "")(), 7)
  end)

  it("finds the function that the entry names", function()
    eq(exports.find(define("return { run = function() return 7 end }"), "run")(), 7)
  end)

  it("takes a function for the one that is meant, whatever the entry calls it", function()
    eq(exports.find(define("return function() return 7 end"), "run")(), 7)
  end)

  it("finds without a name the field `handler`, or the only function", function()
    local several = "return { a = print, handler = function() return 7 end }"
    eq(exports.find(define(several), "")(), 7)
    eq(exports.find(define("return { run = function() return 7 end, limit = 3 }"), "")(), 7)
  end)

  each(
    {
      { source = "\nlocal _ = 1", method = "", says = "x.lua:2: the file returns nothing; end it" },
      { source = "local _ = 1", method = "run", says = "x.lua:1: the file returns nothing" },
      { source = "return true", method = "", says = "the file returns no function but a boolean" },
      { source = "return 7", method = "", says = "the file returns no function but a number" },
      { source = "return 7", method = "run", says = "the file returns no function but a number" },
      { source = "return { a = 1 }", method = "", says = "no function but { a = 1 }" },
      {
        source = "return { b = print, a = print }",
        method = "",
        says = "the file returns several functions: name one of 'a', 'b' under `method`",
      },
      {
        source = "return { a = 1 }",
        method = "run",
        says = "the file returns no function 'run'; it returns { a = 1 }",
      },
    },
    "says what {source} returns instead of a function",
    function(row)
      fails(row.says, exports.find, define(row.source), row.method)
    end
  )
end)
