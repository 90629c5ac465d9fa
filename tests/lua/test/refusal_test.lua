local refusal = require("host.test.refusal")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

describe("refusal.check", function()
  it("passes what was not refused", function()
    eq({ refusal.check(1, nil, 3) }, { 1, nil, 3 })
    eq({ refusal.check(nil) }, {})
    eq({ refusal.check(false, nil) }, { false })
  end)

  it("raises the words of a refusal at the script's line", function()
    local _, raised = pcall(refusal.check, nil, errors.new("no such queue"))
    test.matches(raised, "^lua/test/refusal_test.lua:%d+: no such queue$")
  end)
end)

describe("refusal.raise", function()
  it("puts the place in front", function()
    local _, raised = pcall(refusal.raise, "no")
    test.matches(raised, "^lua/test/refusal_test.lua:%d+: no$")
  end)
end)
