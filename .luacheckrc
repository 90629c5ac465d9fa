std = "lua54"
max_line_length = 100

-- What a script sees (lua/walls/world.lua): no io, no package, of os only what tells the time.
stds.script = {
  read_globals = {
    "_G", "_VERSION", "assert", "error", "getmetatable", "ipairs", "load", "next", "pairs", "pcall",
    "print", "rawequal", "rawget", "rawlen", "rawset", "require", "select", "setmetatable",
    "tonumber", "tostring", "type", "xpcall",
    "coroutine", "math", "string", "table", "utf8",
    debug = { fields = { "traceback" } },
    os = { fields = { "clock", "date", "difftime", "time" } },
    collectgarbage = {},
    errors = { other_fields = true },
  },
}

files["examples"] = { std = "script" }
files["host/moonq/scaffold"] = { std = "script" }
-- What runs inside a Redis server, which brings Lua 5.1; its parts share the table `moonq`.
stds.redis = {
  globals = { moonq = { other_fields = true } },
  read_globals = {
    redis = { fields = { "call" } },
    cjson = { fields = { "decode", "encode" } },
    cmsgpack = { fields = { "pack", "unpack" } },
  },
}
files["host/moonq/drivers/redis/scripts"] = { std = "lua51+redis" }
files["tests"] = { read_globals = { "errors" } }
-- Sound Lua that a linter of one dialect frowns at: `moonq check` must not. What a check writes for
-- editors has functions without bodies.
exclude_files = { "tests/host/checking/idioms", "**/.moonq/types/**" }
