local raising = require("host.test.raising")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

describe("raising.words", function()
  it("are the error's own, or a literal", function()
    eq(raising.words("lost"), "lost")
    eq(raising.words(errors.new("lost")), "lost")
    eq(raising.words({ code = 7 }), "{ code = 7 }")
    eq(raising.words(nil), "nil")
  end)
end)

describe("raising.shown", function()
  it("has the kind in front where there is one", function()
    eq(raising.shown(errors.new({ kind = "TIMEOUT", message = "down" })), "TIMEOUT: down")
    eq(raising.shown(errors.new("down")), "down")
  end)
end)

describe("raising.attempt", function()
  it("answers results or the error", function()
    eq({ raising.attempt(select, 2, "a", "b") }, { true, { "b", n = 1 } })
    eq({ raising.attempt(error, "lost", 0) }, { false, "lost" })
  end)
end)

describe("raising.until_content", function()
  it("lets time pass between its looks, and no longer than it may", function()
    local passed = 0
    local function advance(seconds)
      passed = passed + seconds
    end
    local results = raising.until_content(function()
      return passed >= 3 and "done"
    end, 10, 1, advance)
    eq({ results[1], passed }, { "done", 3 })
    local none, finding = raising.until_content(error, 2, 1, advance)
    test.is_nil(none)
    eq({ finding.code, passed }, { "T708", 5 })
  end)
end)
