local errors = require("errors")
local failure = require("host.test.failure")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

local function raised(finding, message)
  return test.throws(function()
    failure.raise(finding, message)
  end)
end

describe("failure.raise", function()
  it("raises code, words and differences", function()
    local err = raised({ code = "T701", text = "expected 1, got 2", diff = { "at x", "at y" } })
    eq({ err.code, err.message, err.diff }, { "T701", "expected 1, got 2", { "at x", "at y" } })
    eq(tostring(err), "T701 expected 1, got 2\nat x\nat y")
  end)

  it("puts the author's words in front", function()
    eq(raised({ code = "T701", text = "got 2" }, "the wait").message, "the wait: got 2")
    eq(raised({ code = "T701", text = "got 2" }, false).message, "false: got 2")
  end)
end)

describe("failure.is", function()
  it("knows its own from other errors", function()
    test.is_true(failure.is(raised({ code = "T701", text = "" })))
    for _, value in ipairs({ "text", {}, errors.new("x"), 7 }) do
      test.is_false(failure.is(value))
    end
    test.is_false(failure.is(nil))
  end)
end)

describe("failure.lines", function()
  it("are texts whatever a script has written there", function()
    local err = raised({ code = "T701", text = "" })
    err.diff = { "a", 1, true }
    eq(failure.lines(err), { "a", "1", "true" })
    err.diff = "no list"
    eq(failure.lines(err), {})
  end)
end)
