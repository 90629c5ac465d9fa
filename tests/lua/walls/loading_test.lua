local loading = require("host.walls.loading")
local test = require("test")

local describe, it, each, eq, fails = test.describe, test.it, test.each, test.eq, test.fails

local globals = { secret = 7, error = error }
local load = loading.new(globals, function() end)

--- A reader function that gives these pieces, one a call.
local function pieces(...)
  local list, at = { ... }, 0
  return function()
    at = at + 1
    return list[at]
  end
end

describe("load", function()
  it("runs text in the script's globals, or in others", function()
    eq(load("return secret")(), 7)
    eq(load("return x", "chunk", "t", { x = 3 })(), 3)
    eq(load(1), nil) -- a number is text, though no chunk
    fails("attempt to index a nil value", load("return x", "chunk", "t", nil))
  end)

  it("names a chunk as stock Lua does: by its text, its name or its file", function()
    for _, case in ipairs({
      { nil, '[string "error("]:1:' },
      { "rule", '[string "rule"]:1:' },
      { "=rule", "rule:1:" },
      { "@rule.lua", "rule.lua:1:" },
    }) do
      test.contains(select(2, load("error(", case[1])), case[2])
    end
  end)

  it("lets no chunk pass for the host's", function()
    for _, name in ipairs({ "=[moonq lua/walls/world.lua]", "=?", "@[moonq x]" }) do
      local _, problem = pcall(load("error('here')", name))
      test.matches(problem, "^%(load%):1: here")
    end
  end)

  it("reads a function until it answers nil or nothing", function()
    eq(load(pieces("return ", "1 +", " 2"))(), 3)
    eq(load(pieces("return ", 5, "", " garbage"))(), 5)
    test.contains(select(2, load(pieces("*"))), "(load):1: unexpected symbol")
  end)

  it("answers what a reader raises, or that it gave no text", function()
    eq({ load(function()
      error("hi", 0)
    end) }, { nil, "hi" })
    local _, problem = load(pieces({}))
    test.matches(problem, "loading_test.lua:%d+: reader function must return a string$")
  end)

  it("takes 48 KiB and no more, however they come", function()
    local text = (" "):rep(48 * 1024)
    test.is_function(load(text))
    eq({ load(text .. " ") }, { nil, "source is larger than 48 KiB" })
    eq({ load(pieces(text, " ")) }, { nil, "source is larger than 48 KiB" })
    eq({ load(function()
      return " "
    end) }, { nil, "source is larger than 48 KiB" })
  end)

  it("refuses what the compiler would not be done with", function()
    local operators = "return secret\n" .. (" and secret"):rep(2001)
    eq(
      { load(operators, "=rule") },
      { nil, "rule:2: more than 2000 'and' and 'or' in one expression" }
    )
    local branches = "if x then\n" .. ("elseif x then\n"):rep(1001) .. "end"
    test.contains(select(2, load(branches)), ":1002: more than 1000 'elseif' in one statement")
    test.is_function(load(("x = secret and secret\n"):rep(2001)))
  end)

  it("refuses bytecode", function()
    test.contains(select(2, load("\27Lua")), "attempt to load a binary chunk (mode is 't')")
    eq({ load("return 1", "x", "b") }, { nil, "attempt to load a text chunk (mode is 'b')" })
  end)

  each(
    {
      { "bad argument #1 to 'load' (function expected, got nil)" },
      { "bad argument #1 to 'load' (function expected, got table)", {} },
      { "bad argument #2 to 'load' (string expected, got table)", "x", {} },
      { "bad argument #3 to 'load' (string expected, got table)", "x", "x", {} },
    },
    "complains: {1}",
    function(row)
      fails(row[1], load, row[2], row[3], row[4])
    end
  )
end)
