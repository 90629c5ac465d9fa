local locals = require("host.test.locals")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

describe("locals.capture", function()
  it("has the values of the innermost script frame", function()
    local total, order = "25.0", { id = 1 }
    local values = locals.described(locals.capture())
    eq({ values.total, values.order }, { '"25.0"', "{ id = 1 }" })
    test.ok(total and order)
  end)

  it("has what the frame uses from around it, and its own first", function()
    local name, around = "outer", 7
    local function inner()
      local name = "inner" -- luacheck: ignore
      return locals.described(locals.capture()), name, around
    end
    local values = inner()
    eq({ values.name, values.around }, { '"inner"', "7" })
    test.ok(name)
  end)

  it("leaves out functions and modules", function()
    local helper, module = print, require("json")
    local values = locals.described(locals.capture())
    eq({ values.helper, values.module, values.test }, {})
    test.ok(helper and module)
  end)

  it("is bounded", function()
    local long = ("x"):rep(10000)
    test.lt(#locals.described(locals.capture()).long, 250)
    eq(#long, 10000)
  end)
end)
