"""The trusted half, compiled once per process: a state then only loads the chunks it needs."""

from __future__ import annotations

import os
from functools import cache
from threading import Lock

from lupa.lua54 import LuaRuntime

from moonq.assets import lua_source, stdlib_source
from moonq.errors import NotFound

#: `trace.lua` knows trusted code by this name; a script's chunk cannot have it.
TRUSTED = "=[moonq {}]"
#: Without line numbers a state is less than half as large; whoever works on the trusted half
#: sets the variable to see them.
STRIP = not os.environ.get("MOONQ_DEBUG_LUA")
_COMPILE = b"""
local source, name, strip = ...
return string.dump(assert(load(source, name, "t")), strip)
"""
_lock = Lock()


@cache
def _compiler() -> LuaRuntime:
    return LuaRuntime(encoding=None)


@cache
def chunk(name: str) -> bytes:
    """Return the compiled text of a trusted module: `host.x.y` is lua/x/y, a bare name stdlib/x.

    Raises:
        NotFound: There is no such module.
    """
    if name.startswith("host."):
        short = name.removeprefix("host.")
        source, shown = lua_source(short), f"lua/{short.replace('.', '/')}.lua"
    else:
        source, shown = stdlib_source(name), f"stdlib/{name}.lua"
    with _lock:
        compiled = _compiler().execute(_COMPILE, source, TRUSTED.format(shown).encode(), STRIP)
    assert isinstance(compiled, bytes)
    return compiled


def source(name: bytes) -> bytes | None:
    """Answer a state that asks for a trusted chunk; nothing when there is none."""
    try:
        return chunk(name.decode("utf-8", "replace"))
    except NotFound:
        return None
