"""`function.lua`: something to call; a handler is the function a consumer names."""

from __future__ import annotations

from moonq.registry.kind import Kind
from moonq.registry.script import Runnable
from moonq.sandbox import syntax


class Function(Runnable):
    """`function.lua`: something to call; a handler is the function a consumer names."""


KIND = Kind(
    "function.lua",
    Function,
    compiles=syntax.check,
    aliases={"function": "A Lua function"},
)
