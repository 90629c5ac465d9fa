"""What a script has without `require`, and what it lacks of stock Lua."""

from __future__ import annotations

import json
from functools import cache

#: Answers the names of all globals, and with a dot those of their fields.
_ASK = b"""
local names = {}
for name, value in pairs(_G) do
  names[#names + 1] = name
  if type(value) == "table" and value ~= _G then
    for field in pairs(value) do
      names[#names + 1] = name .. "." .. field
    end
  end
end
return function()
  return names
end
"""


@cache
def names() -> frozenset[str]:
    """Return the globals of a script and, with a dot, their fields: a sandbox is asked for them."""
    from moonq.sandbox.state import LuaSource, LuaState

    state = LuaState({})
    try:
        state.define(LuaSource("moonq:names", "names.lua", _ASK))
        state.open("moonq:names")
        return frozenset(json.loads(state.call(b"[]"))[0])
    finally:
        state.close()


def fields(library: str) -> list[str]:
    """Return the names of the fields of a global."""
    start = f"{library}."
    return [name.removeprefix(start) for name in names() if name.startswith(start)]


def _counted(words: str) -> dict[str, int]:
    pairs = (word.split(":") for word in words.split())
    return {name: int(least) for name, least in pairs}


#: How many arguments a function of stock Lua wants at least: with fewer it raises.
LEAST = _counted(
    "assert:1 ipairs:1 load:1 next:1 pairs:1 rawequal:2 rawlen:1 require:1 select:1 "
    "tonumber:1 tostring:1 type:1 xpcall:2 "
    "coroutine.close:1 coroutine.create:1 coroutine.resume:1 coroutine.status:1 coroutine.wrap:1 "
    "math.abs:1 math.acos:1 math.asin:1 math.atan:1 math.ceil:1 math.cos:1 math.deg:1 math.exp:1 "
    "math.floor:1 math.fmod:2 math.log:1 math.max:1 math.min:1 math.modf:1 math.rad:1 math.sin:1 "
    "math.sqrt:1 math.tan:1 math.tointeger:1 math.type:1 math.ult:2 os.difftime:1 "
    "string.byte:1 string.find:2 string.format:1 string.gmatch:2 string.gsub:3 string.len:1 "
    "string.lower:1 string.match:2 string.pack:1 string.packsize:1 string.rep:2 string.reverse:1 "
    "string.sub:2 string.unpack:2 string.upper:1 table.concat:1 table.insert:2 table.move:4 "
    "table.remove:1 table.sort:1 table.unpack:1 utf8.codepoint:1 utf8.codes:1 utf8.len:1 "
    "utf8.offset:2"
)

_LOG = 'write log lines: `require("logger")`'
_ENV = 'read variables with `require("env")`, from an `env.variable` entry'
#: What other Luas have and the sandbox has not -> what to do instead.
MISSING = {
    "io": "a script reaches no files: keep values in a `store`, and write lines with `logger`",
    "io.write": _LOG,
    "io.stdout": _LOG,
    "io.stderr": _LOG,
    "os.execute": "a script starts no programs",
    "io.popen": "a script starts no programs",
    "os.exit": "a script ends with its function: `return`, or `error(…)`",
    "os.getenv": _ENV,
    "os.setlocale": "",
    "os.remove": "a script reaches no files: keep values in a `store`",
    "os.rename": "a script reaches no files: keep values in a `store`",
    "os.tmpname": "a script reaches no files: keep values in a `store`",
    "package": "a script loads what its entry lists in `modules` and `imports`",
    "dofile": "make the file a `library.lua`, list it in `imports` and `require` it",
    "loadfile": "make the file a `library.lua`, list it in `imports` and `require` it",
    "warn": _LOG,
    "arg": "a script has no command line: what it works on comes with its call",
    "string.dump": "compiled code cannot travel: name a function by its id",
    "loadstring": "Lua 5.4 writes `load`",
    "unpack": "Lua 5.4 writes `table.unpack`",
    "setfenv": "Lua 5.4 gives `load` its globals as the fourth argument",
    "getfenv": "Lua 5.4 has `_ENV`",
    "module": "return a table at the end of the file",
    "newproxy": "use a table with a metatable",
    "gcinfo": 'write `collectgarbage("count")`',
    "jit": "",
    "ffi": "",
    "bit": "Lua 5.4 has the operators `&`, `|`, `~`, `<<` and `>>`",
    "bit32": "Lua 5.4 has the operators `&`, `|`, `~`, `<<` and `>>`",
    "math.pow": "Lua writes `x ^ y`",
    "math.log10": "write `math.log(x, 10)`",
    "math.cosh": "",
    "math.sinh": "",
    "math.tanh": "",
    "math.frexp": "",
    "math.ldexp": "write `x * 2.0 ^ n`",
    "math.mod": "write `math.fmod` or `%`",
    "string.gfind": "write `string.gmatch`",
    "table.getn": "write `#t`",
    "table.setn": "",
    "table.maxn": "",
    "table.foreach": "write `for k, v in pairs(t) do`",
    "table.foreachi": "write `for i, v in ipairs(t) do`",
    "debug": "of `debug` there are `traceback`, `getupvalue`, `setupvalue` and `upvaluejoin`",
}


def instead_of(*names: str) -> str | None:
    """Return what stands in for what the sandbox lacks of stock Lua; None if it is no such name.

    Of *names* the first that is one counts: `io.write` before `io`.
    """
    return next((MISSING[name] for name in names if name in MISSING), None)
