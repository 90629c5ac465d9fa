"""`function.lua`: something to call; a handler is the function a consumer names."""

from __future__ import annotations

from moonq.registry.kind import Kind
from moonq.registry.script import Callable


class Function(Callable):
    """`function.lua`: something to call; a handler is the function a consumer names."""


KIND = Kind(
    "function.lua",
    Function,
    aliases={"function": "A Lua function"},
)
