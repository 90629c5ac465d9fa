-- expect: denied: rows without end, and one value that is too large
local sql = require("sql")

local QUERIES = {
  "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t",
  "SELECT zeroblob(100000000) AS x",
  "SELECT group_concat(hex(zeroblob(1000))) AS x FROM (WITH RECURSIVE t(n) AS"
    .. " (SELECT 1 UNION ALL SELECT n + 1 FROM t LIMIT 100000) SELECT n FROM t)",
}

return function()
  for _, query in ipairs(QUERIES) do
    local rows = sql.query("app:db", query)
    if rows then
      error("it was answered", 0)
    end
  end
  error("denied", 0)
end
