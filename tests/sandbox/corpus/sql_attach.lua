-- expect: denied: another file becomes a database
local sql = require("sql")

return function()
  local _, err = sql.execute("app:db", "ATTACH DATABASE '/tmp/stolen.db' AS stolen")
  error(err and "denied" or "it was attached", 0)
end
