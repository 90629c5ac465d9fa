"""The globals that scripts have beside Lua's own, for editors."""

from __future__ import annotations

#: What EmmyLua knows of its own and scripts do not have. LuaLS is told in `.luarc.json` to leave
#: out `os`, `io` and `debug`; EmmyLua cannot be told, but calling what is nil is a warning. The
#: sandbox has an `io.open` that opens nothing, for libraries that try: it is of no use to anybody.
_ABSENT = {
    "oslib": "execute exit getenv remove rename setlocale tmpname",
    "iolib": "close flush input lines open output popen read stderr stdin stdout tmpfile type"
    " write",
    "debuglib": "debug gethook getinfo getlocal getmetatable getregistry getuservalue"
    " sethook setlocal setmetatable setuservalue upvalueid",
}
_PRESENT = """\
---@meta _

--- What a consumer calls with each message, see `moonq guide handlers`.
---@alias moonq.Handler fun(body: any): any, errors.Error|string|nil

--- Makes and tells apart errors; no `require` is needed.
errors = require("errors")

--- Of Lua's `os` a script has what tells the time.
---@class moonq.os
os = {}

--- Seconds of processor time.
---@return number
---@nodiscard
function os.clock() end

--- A moment in words, or as a table with `*t` as its format.
---@param format? string
---@param time? integer
---@return string|table
---@nodiscard
function os.date(format, time) end

--- The seconds from one moment to another.
---@param later integer
---@param earlier? integer
---@return number
---@nodiscard
function os.difftime(later, earlier) end

--- The seconds since the epoch: now, or at the moment that the fields of a table tell.
---@param fields? table
---@return integer
---@nodiscard
function os.time(fields) end

--- Of Lua's `debug` a script has the traceback, and the upvalues of its own functions.
---@class moonq.debug
debug = {}

--- Where the script is, one line for each function.
---@param message? any
---@param level? integer
---@return string
---@nodiscard
function debug.traceback(message, level) end

--- The name and the value of an upvalue; nil where there is none.
---@param fn function
---@param index integer
---@return string|nil name
---@return any value
---@nodiscard
function debug.getupvalue(fn, index) end

--- Gives an upvalue another value; answers its name, or nil where there is none.
---@param fn function
---@param index integer
---@param value any
---@return string|nil name
function debug.setupvalue(fn, index, value) end

--- Lets an upvalue of one function be that of another one.
---@param fn function
---@param index integer
---@param other function
---@param other_index integer
function debug.upvaluejoin(fn, index, other, other_index) end
"""


def global_names() -> str:
    """Return the file that declares them."""
    absent = (
        "\n".join([f"---@class {name}", *(f"---@field {one} nil" for one in fields.split())])
        for name, fields in _ABSENT.items()
    )
    return "\n\n".join([_PRESENT.rstrip(), *absent, ""])
