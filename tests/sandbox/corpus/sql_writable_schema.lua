-- expect: denied: the schema itself is opened for writing, or the file for no limits
local sql = require("sql")

local STATEMENTS = {
  "PRAGMA writable_schema = ON",
  "PRAGMA journal_mode = OFF",
  "PRAGMA temp_store_directory = '/tmp'",
  "PRAGMA trusted_schema = ON",
  "SELECT load_extension('/tmp/x.so')",
  "SELECT writefile('/tmp/x', 'x')",
  "SELECT readfile('/etc/passwd')",
}

return function()
  for _, statement in ipairs(STATEMENTS) do
    local _, err = sql.execute("app:db", statement)
    if not err then
      error("it was done: " .. statement, 0)
    end
  end
  error("denied", 0)
end
