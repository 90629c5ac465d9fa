"""The trusted half, compiled once per process: a state then only loads the chunks it needs."""

from __future__ import annotations

import os
from functools import cache

from moonq.assets import lua_source, stdlib_source
from moonq.errors import NotFound
from moonq.sandbox.syntax import compiled

#: `trace.lua` knows trusted code by this name; a script's chunk cannot have it.
TRUSTED = "=[moonq {}]"
#: Without line numbers a state is less than half as large; to see
#: them while working on the trusted half, set the variable.
STRIP = not os.environ.get("MOONQ_DEBUG_LUA")


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
    found, problem = compiled(source, TRUSTED.format(shown), strip=STRIP)
    assert found is not None, problem
    return found


def source(name: bytes) -> bytes | None:
    """Answer a state that asks for a trusted chunk; nothing when there is none."""
    try:
        return chunk(name.decode("utf-8", "replace"))
    except NotFound:
        return None
