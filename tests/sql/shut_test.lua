local env = require("env")
local sql = require("sql")
local test = require("test")

if env.get("sql:make") ~= "sqlite" then
  return -- these run on the databases themselves
end

test.describe("a database that a test has not opened", function()
  test.it("can be stubbed as every module", function()
    test.stub("sql", "query", function()
      return { { n = 7 } }
    end)
    test.eq(sql.query("shop", "SELECT 1 AS n")[1].n, 7)
  end)
end)
