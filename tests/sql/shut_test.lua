local sql = require("sql")
local test = require("test")

test.describe("a database that a test has not opened", function()
  test.it("is shut, and says what to write", function()
    local rows, err = sql.query("shop", "SELECT 1 AS n")
    test.is_nil(rows)
    test.contains(err:message(), 'test.sql("sql:shop")')
  end)

  test.it("can be stubbed as every module", function()
    test.stub("sql", "query", function()
      return { { n = 7 } }
    end)
    test.eq(sql.query("shop", "SELECT 1 AS n")[1].n, 7)
  end)
end)
