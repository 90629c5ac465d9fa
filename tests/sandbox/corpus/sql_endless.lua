-- expect: contained-time: a query that never ends
local sql = require("sql")
local QUERY =
  "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) AS n FROM t"

return function()
  while true do
    pcall(sql.query, "app:db", QUERY)
  end
end
