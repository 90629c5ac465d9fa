-- expect: denied: the database is written to a file of the script's choice
local sql = require("sql")

return function()
  local _, err = sql.execute("app:db", "VACUUM INTO '/tmp/stolen.db'")
  error(err and "denied" or "it was written", 0)
end
