-- What a script sees: no io, no package, of os only what tells the time.
std = {
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
max_line_length = 100
exclude_files = { ".moonq" }
