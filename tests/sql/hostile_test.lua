local env = require("env")
local errors = require("errors")
local sql = require("sql")
local test = require("test")

local MAKE = env.get("sql:make")
local INVALID, DENIED = errors.INVALID, errors.PERMISSION_DENIED

-- What a script may not do with `execute`, the kind of the error, and words of it.
local EXECUTED = {
  sqlite = {
    { "ATTACH 'stolen.db' AS stolen", DENIED, "reach other files" },
    { "ATTACH ':memory:' AS stolen", DENIED, "reach other files" },
    { "DETACH main", DENIED, "reach other files" },
    { "VACUUM", INVALID, "VACUUM" },
    { "VACUUM INTO 'stolen.db'", INVALID, "VACUUM" },
    { "PRAGMA writable_schema = 1", DENIED, "PRAGMA writable_schema" },
    { "PRAGMA journal_mode = OFF", DENIED, "PRAGMA journal_mode" },
    { "PRAGMA query_only = 0", DENIED, "PRAGMA query_only" },
    { "PRAGMA foreign_keys = OFF", DENIED, "PRAGMA foreign_keys" },
    { "PRAGMA foreign_keys(0)", DENIED, "PRAGMA foreign_keys" },
    { "PRAGMA temp_store_directory = '/tmp'", DENIED, "PRAGMA temp_store_directory" },
    { "PRAGMA database_list", DENIED, "PRAGMA database_list" },
    { "PRAGMA mmap_size = 1000000000", DENIED, "PRAGMA mmap_size" },
    { "PRAGMA cache_size = 1000000", DENIED, "PRAGMA cache_size" },
    { "PRAGMA busy_timeout = 1000000", DENIED, "PRAGMA busy_timeout" },
    { "PRAGMA trusted_schema = 1", DENIED, "PRAGMA trusted_schema" },
    { "PRAGMA wal_checkpoint", DENIED, "PRAGMA wal_checkpoint" },
    { "PRAGMA no_such_pragma", DENIED, "PRAGMA no_such_pragma" },
    { "SELECT * FROM pragma_database_list", DENIED, "PRAGMA database_list" },
    { "SELECT load_extension('/tmp/evil.so')", DENIED, "load_extension" },
    { "SELECT fts3_tokenizer('simple', x'00')", DENIED, "fts3_tokenizer" },
    { "SELECT trim(hex(zeroblob(50000)), hex(zeroblob(50000)))", DENIED, "256 characters" },
    { "SELECT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' REGEXP '(a+)+$'", DENIED, "regexp" },
    { "UPDATE sqlite_master SET sql = 'broken'", INVALID, "sqlite_master" },
    { "SELECT zeroblob(1000000000)", INVALID, "too big" },
    { "SELECT hex(randomblob(1000000000))", INVALID, "too big" },
    { "SELECT printf('%.*c', 1000000000, 'x')", DENIED, "printf" },
    { "SELECT replace(hex(zeroblob(50000)), '0', hex(zeroblob(50000)))", INVALID, "too big" },
    {
      "SELECT '" .. ("a"):rep(2000) .. "' LIKE '" .. ("%a"):rep(2000) .. "'",
      INVALID,
      "too complex",
    },
    { "SELECT " .. ("("):rep(5000) .. "1" .. (")"):rep(5000), INVALID, "" },
    { "SELECT 1; DELETE FROM orders", INVALID, "one statement" },
  },
  postgres = {
    { "COPY orders TO PROGRAM 'cat >/tmp/stolen'", DENIED, "COPY" },
    { "COPY orders FROM PROGRAM 'id'", DENIED, "COPY" },
    { "COPY orders TO '/tmp/stolen'", DENIED, "COPY" },
    { "COPY orders FROM '/etc/passwd'", DENIED, "COPY" },
    { "COPY orders TO STDOUT", INVALID, "COPY is not for statements" },
    { "COPY orders FROM STDIN", INVALID, "COPY is not for statements" },
    { "SELECT pg_read_file('/etc/passwd')", DENIED, "pg_read_file" },
    { "SELECT pg_ls_dir('.')", DENIED, "pg_ls_dir" },
    { "SELECT lo_import('/etc/passwd')", DENIED, "lo_import" },
    { "CREATE EXTENSION file_fdw", DENIED, "file_fdw" },
    { "ALTER SYSTEM SET shared_buffers = '1GB'", INVALID, "transaction" },
    { "CREATE ROLE evil SUPERUSER", DENIED, "" },
    { "SET ROLE root_", DENIED, "root_" },
    { "SELECT 1 AS a; DELETE FROM orders", INVALID, "multiple commands" },
    { "SELECT repeat('x', 30000000)", INVALID, "more than 102400 bytes" },
    { "SELECT $1", INVALID, "parameter" },
    { "VACUUM", INVALID, "VACUUM" },
    { "DO $$ BEGIN COMMIT; END $$", INVALID, "transaction" },
  },
  maria = {
    { "SELECT * FROM orders INTO OUTFILE '/tmp/stolen'", DENIED, "FILE" },
    { "SELECT 1 INTO DUMPFILE '/tmp/stolen'", DENIED, "FILE" },
    { "LOAD DATA INFILE '/etc/passwd' INTO TABLE log", DENIED, "" },
    { "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE log", DENIED, "local infile" },
    { "SET GLOBAL general_log = 1", DENIED, "" },
    { "INSTALL SONAME 'ha_archive'", DENIED, "" },
    { "SELECT 1 AS a; DELETE FROM orders", INVALID, "" },
    { "SELECT repeat('x', 10000000)", INVALID, "more than 102400 bytes" },
  },
}

-- What `query` refuses: it only reads.
local QUERIED = {
  sqlite = {
    "PRAGMA user_version = 7",
    "ANALYZE",
    "REINDEX",
    "CREATE VIRTUAL TABLE v USING fts5(a)",
  },
  postgres = {
    "SELECT nextval('orders_id_seq')",
    "DO $$ BEGIN DELETE FROM orders; END $$",
    "WITH gone AS (DELETE FROM orders RETURNING id) SELECT id FROM gone",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SET TRANSACTION READ WRITE",
    "SELECT id FROM orders FOR UPDATE",
    "TRUNCATE orders",
    "COMMENT ON TABLE orders IS 'mine'",
    "GRANT ALL ON orders TO PUBLIC",
  },
  maria = {
    "SET SESSION TRANSACTION READ WRITE",
    "SET STATEMENT tx_read_only = 0 FOR DROP TABLE log",
    "/*!SET STATEMENT tx_read_only = 0 FOR CREATE TABLE z*/ SELECT 1 AS a",
    "/*M!100000 CREATE TABLE z*/ SELECT 1 AS a",
    "EXECUTE IMMEDIATE 'DROP TABLE log'",
    "IF 1 THEN DROP TABLE log; END IF",
    "TRUNCATE log",
    "CALL sys.ps_truncate_all_tables(0)",
    "ALTER TABLE log ADD COLUMN more INTEGER",
    "ANALYZE UPDATE log SET line = 'x'",
  },
}

local db

test.before_each(function()
  db = test.sql("shop")
  db:execute("DELETE FROM log")
  db:execute("DELETE FROM orders")
  db:execute("INSERT INTO log (line) VALUES ('kept')")
end)

local function is_unharmed()
  test.eq(db:one("SELECT line FROM log").line, "kept")
  test.eq(sql.execute("shop", "INSERT INTO orders (customer) VALUES ('ada')").affected, 1)
end

test.describe("a hostile statement on " .. MAKE, function()
  for _, case in ipairs(EXECUTED[MAKE]) do
    local text, kind, words = table.unpack(case)
    test.it("is refused: " .. text:sub(1, 70), function()
      local done, err = sql.execute("shop", text)
      test.is_nil(done)
      test.eq(err:kind(), kind)
      test.contains(err:message(), words)
      is_unharmed()
    end)
  end

  for _, text in ipairs(QUERIED[MAKE]) do
    test.it("writes nothing through query: " .. text:sub(1, 70), function()
      test.is_nil((sql.query("shop", text)))
      is_unharmed()
    end)

    test.it("writes nothing through a transaction that reads: " .. text:sub(1, 70), function()
      sql.transaction("shop", function(tx)
        local _ = tx:query(text)
        local _ = tx:query("DELETE FROM log")
      end, { read_only = true })
      is_unharmed()
    end)
  end
end)

test.describe("a connection", function()
  test.it("keeps nothing for the next who has it", function()
    if MAKE == "sqlite" then
      sql.execute("shop", "CREATE TEMP TABLE secret (a INTEGER)")
    elseif MAKE == "postgres" then
      sql.execute("shop", "CREATE TEMP TABLE secret (a INTEGER)")
      sql.execute("shop", "SET search_path = pg_catalog")
      sql.query("shop", "SELECT pg_advisory_lock(7)")
      test.eq(db:one("SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory'").n, 0)
    else
      sql.execute("shop", "CREATE TEMPORARY TABLE secret (a INTEGER)")
      sql.execute("shop", "SET @mine = 1, sql_mode = 'ANSI_QUOTES', autocommit = 0")
      sql.query("shop", "SELECT GET_LOCK('mine', 1)")
      test.eq(db:one("SELECT @mine AS mine, IS_FREE_LOCK('mine') AS is_free"), { is_free = 1 })
    end
    test.is_nil((sql.query("shop", "SELECT a FROM secret")))
    is_unharmed()
  end)
end)
