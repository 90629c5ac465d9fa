local errors = require("errors")
local problem = require("host.test.problem")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

local function raising(value)
  return function()
    error(value)
  end
end

describe("problem.attempt", function()
  it("is nil when nothing went wrong", function()
    test.is_nil(problem.attempt(function() end))
  end)

  it("keeps a text apart from its place", function()
    local found = problem.attempt(raising("lost: 7"))
    eq(found.message, "lost: 7")
    test.matches(found.source, "problem_test.lua$")
    test.matches(found.stack, ":" .. found.line .. ":")
  end)

  it("is an error of the hook that it is told of, even if an assertion says no", function()
    local found = problem.attempt(function()
      test.eq(1, 2)
    end, "before_each of 'a'")
    eq({ found.status, found.code }, { "error", "T701" })
    eq(found.hook, "before_each of 'a'")
    eq(found.message, "before_each of 'a': expected 2, got 1")
  end)

  it("says the kind of an error, and raised of what is none", function()
    eq(
      problem.attempt(raising(errors.new({ kind = "TIMEOUT", message = "down" }))).message,
      "TIMEOUT: down"
    )
    eq(problem.attempt(raising({ code = 7 })).message, "raised { code = 7 }")
    eq(problem.attempt(raising(7)).message, "raised 7")
  end)

  it("lets an object of the script speak", function()
    local class = {
      __tostring = function()
        return "card refused"
      end,
    }
    eq(problem.attempt(raising(setmetatable({ 1 }, class))).message, "card refused")
  end)

  it("is bounded however long the words", function()
    local found = problem.attempt(raising(("x"):rep(100000)))
    test.lt(#found.message, 9000)
    local long = ("y"):rep(100000)
    found = problem.attempt(function()
      test.eq("a\n" .. long, "a\nb", long)
    end)
    test.lt(#found.message, 9000)
    for _, line in ipairs(found.diff) do
      test.lt(#line, 9000)
    end
  end)
end)

describe("problem.join", function()
  local join, apart = problem.join, problem.apart

  it("is the one there is", function()
    local one = { message = "one" }
    test.is_nil(join(nil, nil))
    test.is(join(one, nil), one)
    test.is(join(nil, one), one)
  end)

  it("lets the first know all others, and changes neither", function()
    local one, two, three = { message = "1" }, { message = "2" }, { message = "3" }
    local joined = join(join(one, two), three)
    eq(joined, { message = "1", also = { two, three } })
    eq({ one, two }, { { message = "1" }, { message = "2" } })
    eq(join(one, join(two, three)), joined)
    eq(apart(joined), { one, two, three })
  end)
end)
