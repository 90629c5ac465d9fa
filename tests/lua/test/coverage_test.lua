local coverage = require("host.test.coverage")
local json = require("json")
local test = require("test")

local describe, it, eq = test.describe, test.it, test.eq

describe("coverage.hits", function()
  it("is nothing where nobody has started it", function()
    local hits = json.decode(coverage.hits())
    eq(hits["lua/nobody.lua"], nil)
    test.is_table(hits)
  end)
end)
