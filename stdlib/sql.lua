--- SQL databases: SQLite, PostgreSQL, MariaDB and MySQL, as `sql.database` entries name them.
---
---     local sql = require("sql")
---     local rows, err = sql.query("app:shop", "SELECT id FROM orders WHERE state = :state", {
---       state = "new",
---     })
---     local done, err = sql.execute("app:shop", "DELETE FROM orders WHERE id = :id", { id = 7 })
---     local ok, err = sql.transaction("app:shop", function(tx)
---       local done, err = tx:execute("INSERT INTO payments (order_id) VALUES (:id)", { id = 7 })
---       if err then
---         return nil, err -- rolls back
---       end
---       return done.last_id
---     end)
---
--- What to know:
--- * Parameters are `:name`, never parts of the text. NULL is given as `sql.null`, bytes that are
---   no text as `sql.blob(bytes)`, a list is an array of PostgreSQL.
--- * A column that is NULL is absent from its row. Integers, floats and bytes arrive exactly,
---   booleans where the database has them; numeric, uuid, json, dates and all else as text: `1.10`,
---   `2026-01-02`, `2026-01-02T03:04:05` and, with a zone, `2026-01-02T03:04:05Z`.
--- * `query` only reads: the connection refuses anything else. `execute` does the rest.
local bare_names = require("host.walls.bare_names")
local check = require("check")
local errors = require("errors")
local json = require("json")
local lent = require("host.walls.lent")
local lock = require("host.walls.lock")
local sql_values = require("host.run.sql_values")

local error, pcall, rawget, select, setmetatable = error, pcall, rawget, select, setmetatable
local format = string.format
local begin, begin_reading, nest = lent.sql_begin, lent.sql_begin_reading, lent.sql_nest
local run_query, run_execute = lent.sql_query, lent.sql_execute
local finish = lent.sql_end

local sql = {}

---@alias sql.Value string|number|boolean|sql.Blob|table  `sql.null` for NULL, a list for an array
---@alias sql.Params table<string, sql.Value>  what stands for `:name` in a statement
---@alias sql.Row table<string, any>  values by the names of their columns

---@class sql.Done  what a statement did
---@field affected integer  how many rows it changed
---@field last_id? integer  what SQLite or MariaDB called the inserted row; elsewhere use RETURNING
---@field rows sql.Row[]    what it returned (RETURNING)

---@class (exact) sql.TransactionOptions  how a transaction is made
---@field read_only? boolean    it may only read, and asks for no more (default false)
---@field isolation? "read_committed"|"repeatable_read"|"serializable"  (default: the database's)

local OPTIONS = {
  read_only = { type = "boolean", default = false },
  isolation = {
    type = "string",
    default = "",
    one_of = { "", "read_committed", "repeatable_read", "serializable" },
  },
}

--- NULL as a parameter; the same value as `json.null`.
---@type any
sql.null = json.null

--- Bytes as a parameter, which need be no text.
---@param bytes string
---@return sql.Blob
---@nodiscard
function sql.blob(bytes)
  check.argument("sql.blob", "bytes", bytes, "string")
  return sql_values.blob(bytes)
end

local function invalid(where, fault)
  return nil,
    errors.new({ kind = errors.INVALID, message = where .. ": " .. fault, retryable = false })
end

--- Runs a statement in transaction `number`, or alone (0).
local function run(where, lent_run, db, number, text, params)
  check.argument(where, "text", text, "string", 3)
  check.argument(where, "params", params, "table|nil", 3)
  local packed, fault = sql_values.pack(params)
  if not packed then
    return invalid(where, fault)
  end
  local answer, err = lent_run(db, number, text, packed)
  if not answer then
    return nil, err
  end
  return sql_values.unpack(answer)
end

--- The rows that a statement answers; it may only read.
---@param db moonq.DatabaseId            the id of a `sql.database` entry
---@param text string          one statement, with parameters such as `:id`
---@param params? sql.Params
---@return sql.Row[]|nil rows
---@return errors.Error|nil err  INVALID, PERMISSION_DENIED, TIMEOUT, UNAVAILABLE, CONFLICT
---@nodiscard
function sql.query(db, text, params)
  check.argument("sql.query", "db", db, "string")
  local done, err = run("sql.query", run_query, db, 0, text, params)
  return done and done.rows, err
end

--- Runs a statement in a transaction of its own.
---@param db moonq.DatabaseId            the id of a `sql.database` entry
---@param text string          one statement, with parameters such as `:id`
---@param params? sql.Params
---@return sql.Done|nil done
---@return errors.Error|nil err  also ALREADY_EXISTS (a unique key), CONFLICT (another rule)
function sql.execute(db, text, params)
  check.argument("sql.execute", "db", db, "string")
  return run("sql.execute", run_execute, db, 0, text, params)
end

---@class sql.Transaction  statements that are done all or not at all
local methods = {}
-- Also the answer of `getmetatable`, so that scripts cannot reach the real one.
local NAME = "sql.transaction"
local Transaction = lock.metatable({ __index = methods, __name = NAME }, NAME)

local function number_of(self, method)
  local number = lock.is_of(self, Transaction) and rawget(self, "number")
  if not number then
    error(format("tx:%s() is called with a colon, on what sql.transaction hands over", method), 3)
  end
  return number, rawget(self, "db")
end

--- The rows that a statement answers, within the transaction.
---@param text string
---@param params? sql.Params
---@return sql.Row[]|nil rows
---@return errors.Error|nil err
---@nodiscard
function methods:query(text, params)
  local number, db = number_of(self, "query")
  local done, err = run("tx:query", run_query, db, number, text, params)
  return done and done.rows, err
end

--- Runs a statement within the transaction.
---@param text string
---@param params? sql.Params
---@return sql.Done|nil done
---@return errors.Error|nil err
function methods:execute(text, params)
  local number, db = number_of(self, "execute")
  return run("tx:execute", run_execute, db, number, text, params)
end

--- Ends a transaction as its function did.
local function ended(number, returned, ...)
  local first, second = ...
  if not returned then
    finish(number, false)
    error(first, 0)
  end
  if first == false or (first == nil and second ~= nil) then
    finish(number, false)
    return ...
  end
  local _, err = finish(number, true)
  if err then
    return nil, err
  end
  if select("#", ...) == 0 or first == nil then
    return true
  end
  return ...
end

local function within(number, db, fn)
  return ended(number, pcall(fn, setmetatable({ number = number, db = db }, Transaction)))
end

--- Runs a function in a part of the transaction that can fail for itself (a savepoint).
---@generic T
---@param fn fun(tx: sql.Transaction): T?, any  as that of `sql.transaction`
---@return T|true|nil result
---@return errors.Error|nil err
function methods:transaction(fn)
  local outer, db = number_of(self, "transaction")
  check.argument("tx:transaction", "fn", fn, "function")
  local number, err = nest(outer)
  if not number then
    return nil, err
  end
  return within(number, db, fn)
end

--- Runs a function in a transaction, which holds one connection, and commits what it did.
---
--- All of it is rolled back when the function returns `false` or `nil, err`, when it raises, when
--- one of its statements has failed, and when the handler is stopped. What it returns is answered,
--- true if that is nothing. It is not for keeping: once the function is over, `tx` is.
---@generic T
---@param db moonq.DatabaseId   the id of a `sql.database` entry
---@param fn fun(tx: sql.Transaction): T?, any
---@param options? sql.TransactionOptions
---@return T|true|nil result
---@return errors.Error|nil err
function sql.transaction(db, fn, options)
  check.argument("sql.transaction", "db", db, "string")
  check.argument("sql.transaction", "fn", fn, "function")
  local o = check.options("sql.transaction", options, OPTIONS)
  local number, err = (o.read_only and begin_reading or begin)(db, o.isolation)
  if not number then
    return nil, err
  end
  return within(number, db, fn)
end

bare_names.takes(sql, {
  query = bare_names.first,
  execute = bare_names.first,
  transaction = bare_names.first,
})

return sql
