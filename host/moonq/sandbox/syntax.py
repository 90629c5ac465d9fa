"""Asks Lua whether a text is Lua, without running any of it."""

from __future__ import annotations

from functools import cache
from threading import Lock
from typing import Any

#: As much as `load` takes inside the sandbox.
MAX_SOURCE = 256 * 1024
# One state for all, and lupa's states belong to one thread at a time.
_LOCK = Lock()
_CHECK = b"""
local load = load
return function(text, name)
  local chunk, message = load(text, name, "t", {})
  return not chunk and message or nil
end
"""


@cache
def _checker() -> Any:
    from lupa.lua54 import LuaRuntime

    lua = LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
    return lua.execute(_CHECK)


def check(source: bytes, name: str) -> str | None:
    """Return Lua's complaint about *source*, such as ``name:3: unexpected symbol near ')'``."""
    if len(source) > MAX_SOURCE:
        return f"{name}:1: the text has {len(source)} bytes, and {MAX_SOURCE} are allowed"
    with _LOCK:
        message = _checker()(source, b"@" + name.encode())
    return message.decode("utf-8", "replace") if message is not None else None
