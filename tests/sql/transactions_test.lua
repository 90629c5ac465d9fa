local errors = require("errors")
local funcs = require("funcs")
local sql = require("sql")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails

local db

local function add(tx, customer)
  return tx:execute("INSERT INTO orders (customer) VALUES (:c)", { c = customer })
end

local function customers()
  local names = {}
  for _, row in ipairs(db:query("SELECT customer FROM orders ORDER BY customer")) do
    names[#names + 1] = row.customer
  end
  return table.concat(names, " ")
end

test.before_each(function()
  db = test.sql("shop")
  db:execute("DELETE FROM log")
  db:execute("DELETE FROM orders")
end)

describe("sql.transaction", function()
  it("commits what its function did, and answers what it returned", function()
    local first, second = sql.transaction("shop", function(tx)
      add(tx, "ada")
      add(tx, "eve")
      return tx:query("SELECT count(*) AS n FROM orders")[1].n, "more"
    end)
    eq({ first, second }, { 2, "more" })
    eq(customers(), "ada eve")
  end)

  it("answers true where its function returns nothing", function()
    eq({ sql.transaction("shop", function() end) }, { true })
  end)

  it("rolls back where its function returns an error", function()
    local value, err = sql.transaction("shop", function(tx)
      add(tx, "ada")
      return nil, errors.new({ kind = errors.CONFLICT, message = "no" })
    end)
    test.is_nil(value)
    eq(err:message(), "no")
    eq(customers(), "")
  end)

  it("rolls back where its function returns false", function()
    eq(
      sql.transaction("shop", function(tx)
        add(tx, "ada")
        return false
      end),
      false
    )
    eq(customers(), "")
  end)

  it("rolls back where its function raises, and raises the same", function()
    local err = errors.new("boom")
    local raised = test.throws(function()
      sql.transaction("shop", function(tx)
        add(tx, "ada")
        error(err)
      end)
    end)
    test.is(raised, err)
    eq(customers(), "")
  end)

  it("rolls back where a statement failed, though its function went on", function()
    local value, err = sql.transaction("shop", function(tx)
      add(tx, "ada")
      local _, failure = add(tx, "ada")
      eq(failure:kind(), errors.ALREADY_EXISTS)
      return "done"
    end)
    test.is_nil(value)
    eq(err:kind(), errors.ALREADY_EXISTS)
    test.contains(err:message(), "so nothing was committed")
    eq(customers(), "")
  end)

  it("runs no further statement behind one that failed", function()
    sql.transaction("shop", function(tx)
      add(tx, "ada")
      add(tx, "ada")
      local _, err = add(tx, "eve")
      test.contains(err:message(), "what may fail belongs into tx:transaction(fn)")
    end)
    eq(customers(), "")
  end)

  it("has parts that fail for themselves", function()
    sql.transaction("shop", function(tx)
      add(tx, "ada")
      local value, err = tx:transaction(function(part)
        add(part, "bob")
        return nil, select(2, add(part, "ada"))
      end)
      test.is_nil(value)
      eq(err:kind(), errors.ALREADY_EXISTS)
      eq(
        tx:transaction(function(part)
          add(part, "eve")
          return part:transaction(function(deepest)
            add(deepest, "zoe")
            return 7
          end)
        end),
        7
      )
    end)
    eq(customers(), "ada eve zoe")
  end)

  it("takes its parts back with it", function()
    sql.transaction("shop", function(tx)
      tx:transaction(function(part)
        add(part, "ada")
      end)
      return false
    end)
    eq(customers(), "")
  end)

  it("is over when its function is", function()
    local kept
    sql.transaction("shop", function(tx)
      kept = tx
    end)
    local value, err = kept:query("SELECT 1 AS n")
    test.is_nil(value)
    eq(err:kind(), errors.INVALID)
    test.contains(err:message(), "the transaction is over")
    test.contains(select(2, kept:transaction(print)):message(), "the transaction is over")
  end)

  it("lets nobody use it while a part of it is open", function()
    sql.transaction("shop", function(tx)
      tx:transaction(function()
        test.contains(
          select(2, add(tx, "ada")):message(),
          "use the one that its function was given"
        )
      end)
    end)
    eq(customers(), "")
  end)

  it("holds the only connection of its call to that database", function()
    sql.transaction("shop", function(tx)
      add(tx, "ada")
      for _, call in ipairs({
        function()
          return sql.query("shop", "SELECT 1 AS n")
        end,
        function()
          return sql.execute("shop", "DELETE FROM log")
        end,
        function()
          return sql.transaction("shop", print)
        end,
      }) do
        local value, err = call()
        test.is_nil(value)
        test.contains(err:message(), "a transaction of sql:shop is open here")
      end
    end)
    eq(customers(), "ada")
  end)

  it("keeps what is called inside of it from waiting for it", function()
    for _, options in ipairs({ {}, { read_only = true } }) do
      local _, err = sql.transaction("shop", function()
        return funcs.call("sql:take_order", { customer = "ada" })
      end, options)
      test.contains(tostring(err), "a transaction of sql:shop is open in a call above")
      eq({ err:kind(), err:retryable() }, { errors.INVALID, false })
    end
    eq(customers(), "")
    test.eq(test.call("sql:take_order", { customer = "ada" }), 1)
  end)

  it("is rolled back where nobody comes back to it", function()
    local lost = coroutine.wrap(function()
      sql.transaction("shop", function(tx)
        add(tx, "ada")
        coroutine.yield()
      end)
    end)
    lost()
    -- The transaction of a coroutine that sleeps for ever is open until the end of the call.
    test.contains(select(2, sql.query("shop", "SELECT 1 AS n")):message(), "is open here")
  end)

  it("reads only where it is told to", function()
    local value, err = sql.transaction("shop", function(tx)
      eq(#tx:query("SELECT customer FROM orders"), 0)
      return nil, select(2, add(tx, "ada"))
    end, { read_only = true })
    test.is_nil(value)
    eq(err:kind(), errors.INVALID)
    eq(customers(), "")
  end)

  for _, isolation in ipairs({ "read_committed", "repeatable_read", "serializable" }) do
    it("has the isolation " .. isolation, function()
      test.no_error(sql.transaction("shop", function(tx)
        add(tx, "ada")
      end, { isolation = isolation }))
      eq(customers(), "ada")
    end)
  end

  it("refuses a mistake at the line of its caller", function()
    fails("sql.transaction: fn: function expected, got nil", sql.transaction, "shop")
    fails("unknown option 'readonly'", sql.transaction, "shop", print, { readonly = true })
    fails("option 'isolation': one of", sql.transaction, "shop", print, { isolation = "snapshot" })
    sql.transaction("shop", function(tx)
      fails(
        "tx:query() is called with a colon, on what sql.transaction hands over",
        tx.query,
        "SELECT 1"
      )
    end)
  end)

  it("is a handler's way to do both or nothing", function()
    eq(test.call("take_order", { customer = "ada", total = 1.5 }), 1)
    eq(db:one("SELECT line FROM log").line, "took ada")
    local result, err = test.call("take_order", { customer = "ada" })
    test.is_nil(result)
    eq(err:kind(), errors.ALREADY_EXISTS)
    eq(#db:query("SELECT line FROM log"), 1)
  end)
end)

describe("test.sql", function()
  it("begins empty, with the tables of the schema", function()
    eq(#db:query("SELECT id FROM orders"), 0)
    fails("one row expected, got 0", db.one, db, "SELECT id FROM orders")
  end)

  it("fails the test where the database refuses something", function()
    fails("nowhere", db.query, db, "SELECT 1 FROM nowhere")
  end)

  it("knows no database that is not declared", function()
    fails("shoop", test.sql, "sql:shoop")
  end)
end)
