"""`function.lua`: something to call; a handler is the function a consumer names."""

from __future__ import annotations

from typing import ClassVar

from moonq.registry.kind import Kind
from moonq.registry.script import Runnable
from moonq.sandbox import syntax


class Function(Runnable):
    """`function.lua`: something to call; a handler is the function a consumer names."""

    example: ClassVar[str] = """\
name: process_order
kind: function.lua
source: file://process_order.lua
modules: [logger, queue]
imports: {prices: prices}
limits: {timeout: 5s, memory: 32M}
"""


KIND = Kind(
    "function.lua",
    Function,
    compiles=syntax.check,
    aliases={"function": "A Lua function"},
)
