"""Compiles Lua texts without running any of them."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

from moonq.sandbox import jumps

#: Bytes of a script's text: a pure-Lua library in wide use has 276 KiB.
MAX_SOURCE = 512 * 1024
# One state for all, and lupa's states belong to one thread at a time.
_LOCK = Lock()
_COMPILE = b"""
local load, dump = load, string.dump
return function(text, name, strip)
  local chunk, problem = load(text, name, "t", {})
  return chunk and dump(chunk, strip), problem
end
"""


@cache
def _compiler() -> Any:
    from lupa.lua54 import LuaRuntime

    lua = LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
    return lua.execute(_COMPILE)


def compiled(source: bytes, name: str, *, strip: bool = False) -> tuple[bytes | None, str]:
    """Return what Lua compiles *source* to, or None and its complaint.

    A chunk's *name* begins with `@` for a file and `=` for what is shown as it is. With *strip*
    line numbers and names of variables are left out.
    """
    with _LOCK:
        chunk, problem = _compiler()(source, name.encode(), strip)
    return chunk, "" if problem is None else problem.decode("utf-8", "replace")


def check(source: bytes, name: str) -> str | None:
    """Return Lua's complaint about *source*, such as ``name:3: unexpected symbol near ')'``."""
    if len(source) > MAX_SOURCE:
        return f"{name}:1: the text has {len(source)} bytes, and {MAX_SOURCE} are allowed"
    found = jumps.excess(source)
    if found:
        return f"{name}:{found[0]}: {found[1]}"
    return compiled(source, f"@{name}")[1] or None
