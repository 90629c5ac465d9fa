--- A database as a test arranges it and looks into it: whatever is refused fails the test.
local lent = require("host.walls.lent")
local lock = require("host.walls.lock")
local refusal = require("host.test.refusal")
local sql = require("sql")

local rawget, setmetatable = rawget, setmetatable

local database_under_test = {}

---@class testing.Database  a database of the project, as a test looks at it
local Database = {}
local NAME = "test.sql"
local meta = lock.metatable({ __index = Database, __name = NAME }, NAME)

--- The rows that a statement answers.
---@param text string
---@param params? sql.Params
---@return sql.Row[]
---@nodiscard
function Database:query(text, params)
  return (refusal.check(sql.query(rawget(self, "id"), text, params)))
end

--- The only row that a statement answers.
---@param text string
---@param params? sql.Params
---@return sql.Row
---@nodiscard
function Database:one(text, params)
  local rows = self:query(text, params)
  if #rows ~= 1 then
    refusal.raise(("test.sql: one row expected, got %d"):format(#rows))
  end
  return rows[1]
end

--- Runs a statement that changes something.
---@param text string
---@param params? sql.Params
---@return sql.Done
function Database:execute(text, params)
  return (refusal.check(sql.execute(rawget(self, "id"), text, params)))
end

---@param name string  a full id
---@return testing.Database
---@nodiscard
function database_under_test.open(name)
  return setmetatable({ id = refusal.check(lent.test_sql(name)) }, meta)
end

return database_under_test
