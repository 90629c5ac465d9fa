"""`library.lua`: text that functions import."""

from __future__ import annotations

from typing import ClassVar

from moonq.registry.kind import Kind
from moonq.registry.script import Script
from moonq.sandbox import syntax


class Library(Script):
    """`library.lua`: text that functions import."""

    example: ClassVar[str] = """\
name: prices
kind: library.lua
source: file://prices.lua
modules: [json]
"""


KIND = Kind(
    "library.lua",
    Library,
    compiles=syntax.check,
    aliases={"library": "A Lua library"},
    circle_help="move what `{0}` and `{1}` share into another library.lua",
)
