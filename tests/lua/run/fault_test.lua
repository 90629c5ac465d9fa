local fault = require("host.run.fault")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

describe("fault.of", function()
  it("takes kind, words and retryable from an error value", function()
    local err = errors.new({ message = "down", kind = "TIMEOUT" })
    local kind, text, retryable, stack = fault.of(err)
    eq({ kind, text, retryable }, { "TIMEOUT", "down", true })
    test.contains(stack, "fault_test.lua")
  end)

  it("calls everything else UNKNOWN", function()
    eq({ fault.of("no bank") }, { "UNKNOWN", "no bank", nil, "" })
    eq({ fault.of({ code = 7 }) }, { "UNKNOWN", "{ code = 7 }", nil, "" })
    eq({ fault.of(nil) }, { "UNKNOWN", "nil", nil, "" })
  end)
end)

describe("fault.text", function()
  it("lets an object of the script speak", function()
    local class = {
      __tostring = function(self)
        return "card " .. self.state
      end,
    }
    eq(fault.text(setmetatable({ state = "refused" }, class)), "card refused")
  end)

  it("shows an object that cannot speak", function()
    local class = {
      __tostring = function()
        error("not even this")
      end,
    }
    eq(fault.text(setmetatable({ state = "refused" }, class)), '{ state = "refused" }')
  end)

  it("is bounded", function()
    local text = fault.text(("x"):rep(10000))
    eq(#text, 8192)
    test.matches(text, "x%.%.%.$")
    eq(fault.text(("x"):rep(8192)), ("x"):rep(8192))
  end)
end)
