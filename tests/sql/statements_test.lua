local env = require("env")
local errors = require("errors")
local json = require("json")
local sql = require("sql")
local test = require("test")

local describe, it, eq, fails = test.describe, test.it, test.eq, test.fails
local MAKE = env.get("sql:make")
local INSERT =
  "INSERT INTO orders (customer, total, big, raw) VALUES (:customer, :total, :big, :raw)"

local db

--- One row with the given values, NULL for the others.
local function add(values)
  local params = { customer = sql.null, total = sql.null, big = sql.null, raw = sql.null }
  for name, value in pairs(values) do
    params[name] = value
  end
  return sql.execute("shop", INSERT, params)
end

local function refused(kind, text, value, err)
  test.is_nil(value)
  eq(err:kind(), kind)
  test.contains(err:message(), text)
  return err
end

test.before_each(function()
  db = test.sql("shop")
  db:execute("DELETE FROM log")
  db:execute("DELETE FROM orders")
end)

describe("sql.query", function()
  it("answers rows with the types of their columns", function()
    add({ customer = "ada ü", total = 1.5, big = 9223372036854775807, raw = sql.blob("\0\255'\\") })
    local rows = test.no_error(sql.query("shop", "SELECT customer, total, big, raw FROM orders"))
    eq(rows, { { customer = "ada ü", total = 1.5, big = 9223372036854775807, raw = "\0\255'\\" } })
    eq(math.type(rows[1].total), "float")
    eq(math.type(rows[1].big), "integer")
  end)

  it("leaves out what is NULL", function()
    add({ customer = "ada" })
    eq(db:one("SELECT customer, total, big, raw FROM orders"), { customer = "ada" })
  end)

  it("answers an empty list where there is nothing", function()
    eq(json.encode(sql.query("shop", "SELECT id FROM orders")), "[]")
  end)

  it("keeps the smallest integer exact", function()
    add({ big = math.mininteger })
    eq(
      db:one("SELECT big FROM orders WHERE big = :big", { big = math.mininteger }).big,
      math.mininteger
    )
  end)

  it("gives parameters as values and never as text", function()
    add({ customer = "'; DROP TABLE orders; --" })
    local found =
      db:query("SELECT id FROM orders WHERE customer = :c", { c = "'; DROP TABLE orders; --" })
    eq(#found, 1)
    eq(#db:query("SELECT id FROM orders WHERE customer = :c", { c = "' OR '1'='1" }), 0)
  end)

  it("takes one parameter in several places", function()
    eq(db:one("SELECT 1 AS n WHERE :a = 'x' AND :a <> 'y'", { a = "x" }).n, 1)
  end)

  for _, text in ipairs({
    "SELECT ':no' AS a, 1 AS b WHERE 1 = :b -- :no",
    "SELECT 'it''s :no' AS a, 1 AS b WHERE /* :no */ 1 = :b",
    "SELECT '' AS a, 1 AS b WHERE 1=:b",
  }) do
    it("sees no parameter in a literal or a comment: " .. text, function()
      eq(db:one(text, { b = 1 }).b, 1)
    end)
  end

  it("says which parameter is missing", function()
    refused(
      errors.INVALID,
      "no value for :customer; did you mean `custmer`?",
      sql.query("shop", "SELECT id FROM orders WHERE customer = :customer", { custmer = "x" })
    )
    refused(
      errors.INVALID,
      "no value for :a; for NULL give sql.null",
      sql.query("shop", "SELECT :a AS a")
    )
  end)

  it("says which parameter is too many", function()
    refused(
      errors.INVALID,
      "the statement has no :idd; did you mean `id`?",
      sql.query("shop", "SELECT id FROM orders WHERE id = :id", { id = 1, idd = 1 })
    )
  end)

  it("wants a name of its own for each column", function()
    local err = refused(
      errors.INVALID,
      "two columns are called 'id'",
      sql.query("shop", "SELECT 1 AS id, 2 AS id")
    )
    test.contains(err:message(), "AS other_id")
  end)

  it("refuses whatever changes something", function()
    add({ customer = "ada" })
    for _, text in ipairs({
      "DELETE FROM orders",
      "UPDATE orders SET total = 1",
      "INSERT INTO log (line) VALUES ('x')",
      "DROP TABLE log",
      "CREATE TABLE more (a INTEGER)",
    }) do
      refused(errors.INVALID, "run the statement with sql.execute", sql.query("shop", text))
    end
    eq(db:one("SELECT count(*) AS n FROM orders").n, 1)
  end)

  it("refuses more rows than the entry allows", function()
    local digits = {}
    for digit = 0, 9 do
      digits[#digits + 1] = ("SELECT %d AS d"):format(digit)
    end
    local ten = table.concat(digits, " UNION ALL ")
    local text = ("SELECT a.d FROM (%s) a, (%s) b, (%s) c, (%s) d"):format(ten, ten, ten, ten)
    refused(errors.INVALID, "more than 1000 rows", sql.query("shop", text))
    eq(#sql.query("shop", text .. " LIMIT 1000"), 1000)
  end)

  it("refuses more bytes than the entry allows", function()
    add({ raw = sql.blob(("x"):rep(60000)) })
    eq(#db:one("SELECT raw FROM orders").raw, 60000)
    refused(
      errors.INVALID,
      "more than 102400 bytes",
      sql.query("shop", "SELECT raw, raw AS again FROM orders")
    )
  end)

  for _, case in ipairs({
    { { params = { f = print } }, ":f: a function is no value of SQL" },
    { { params = { m = { a = 1 } } }, ":m: a list expected, and it has the key 'a'" },
    { { params = { 7 } }, "params: names such as 'id' expected, got '1'" },
    {
      { params = { s = "\xff" } },
      ":s is no UTF-8 at byte 1; mark bytes as such: sql.blob(bytes)",
    },
    { { text = "SELECT '\xff'" }, "the statement is no UTF-8 at byte 9" },
    { { text = "  -- nothing" }, "the statement is empty" },
    { { text = "SELECT 1\0" }, "the statement holds a zero byte" },
    { { text = "COMMIT" }, "COMMIT is not for statements; use sql.transaction(db, fn)" },
    { { text = "/* now */ begin" }, "BEGIN is not for statements" },
    {
      { text = "SELECT 1" .. (" "):rep(300000) },
      "the statement has 300008 bytes, more than 262144",
    },
    { { text = "SELEC 1" }, "SELEC" },
    { { text = "SELECT 1 AS a; DELETE FROM orders" }, "" },
  }) do
    local call, message = case[1], case[2]
    it("refuses a mistake: " .. message, function()
      refused(errors.INVALID, message, sql.query("shop", call.text or "SELECT 1 AS a", call.params))
    end)
  end

  it("raises where an argument is none", function()
    fails("sql.query: db: string expected, got nil", sql.query)
    fails("sql.query: text: string expected, got nil", sql.query, "shop")
    fails("sql.query: params: table or nil expected, got number", sql.query, "shop", "SELECT 1", 7)
  end)

  it("knows no database that is not declared", function()
    refused(errors.NOT_FOUND, "shoop", sql.query("sql:shoop", "SELECT 1"))
  end)
end)

describe("sql.execute", function()
  it("says how many rows it changed", function()
    add({ customer = "ada" })
    add({ customer = "eve" })
    eq(sql.execute("shop", "UPDATE orders SET total = 1").affected, 2)
    eq(sql.execute("shop", "DELETE FROM orders WHERE customer = 'ada'").affected, 1)
    eq(sql.execute("shop", "DELETE FROM orders WHERE customer = 'ada'").affected, 0)
  end)

  it("tells the id of an inserted row, or answers it with RETURNING", function()
    local done = sql.execute("shop", "INSERT INTO orders (customer) VALUES ('ada') RETURNING id")
    local id = db:one("SELECT id FROM orders").id
    eq(done.rows, { { id = id } })
    eq(done.affected, 1)
    local second = add({ customer = "eve" })
    if MAKE == "postgres" then
      test.is_nil(second.last_id)
    else
      eq(second.last_id, db:one("SELECT id FROM orders WHERE customer = 'eve'").id)
      test.is_nil(sql.execute("shop", "UPDATE orders SET total = 2").last_id)
    end
  end)

  it("tells a broken unique key from another broken rule", function()
    add({ customer = "ada" })
    local err = refused(errors.ALREADY_EXISTS, "", add({ customer = "ada" }))
    eq(err:retryable(), false)
    refused(
      errors.CONFLICT,
      "",
      sql.execute("shop", "INSERT INTO log (line) VALUES (:l)", { l = sql.null })
    )
  end)

  it("changes nothing with a statement that fails on its way", function()
    add({ customer = "1" })
    refused(
      errors.ALREADY_EXISTS,
      "",
      sql.execute("shop", "INSERT INTO orders (customer) SELECT '0' UNION ALL SELECT '1'")
    )
    eq(#db:query("SELECT id FROM orders"), 1)
  end)

  it("undoes a statement whose answer is too large", function()
    local ten = {}
    for number = 1, 11 do
      ten[number] = ("SELECT '%d' AS c"):format(number)
    end
    local many = table.concat(ten, " UNION ALL ")
    local insert = "INSERT INTO log (line) SELECT a.c FROM (%s) a, (%s) b, (%s) c RETURNING line"
    local text = insert:format(many, many, many)
    refused(errors.INVALID, "more than 1000 rows", sql.execute("shop", text))
    eq(db:one("SELECT count(*) AS n FROM log").n, 0)
  end)

  it("is refused where the entry is for reading only", function()
    test.sql("other")
    local err = refused(
      errors.PERMISSION_DENIED,
      "for reading only",
      sql.execute("other", "DELETE FROM orders")
    )
    eq(err:retryable(), false)
  end)
end)
