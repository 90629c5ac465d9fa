"""The trusted half, compiled once per process: a state then only loads the chunks it needs."""

from __future__ import annotations

import os
import re
from functools import cache

from moonq.assets import lua_source, stdlib_source
from moonq.errors import NotFound
from moonq.sandbox.syntax import compiled

#: `trace.lua` knows trusted code by this name; a script's chunk cannot have it.
TRUSTED = "=[moonq {}]"
#: Without line numbers a state is less than half as large; to see
#: them while working on the trusted half, set the variable.
STRIP = not os.environ.get("MOONQ_DEBUG_LUA")


#: A file of the trusted half that another one needs from the start; what is indented comes later.
_NEEDS = re.compile(rb'^local \w+ = require\("([\w.]+)"\)', re.MULTILINE)
#: What a state is given itself, or has from the start.
_GIVEN = {"host.json.native", "host.raw", "host.waits", "host.walls.names"}


@cache
def chunk(name: str) -> bytes:
    """Return the compiled text of a trusted module: `host.x.y` is lua/x/y, a bare name stdlib/x.

    Raises:
        NotFound: There is no such module.
    """
    return _compiled(_text(name), f"{_path(name)}.lua")


@cache
def boot() -> bytes:
    """Return `boot.lua`, compiled together with all that every state needs.

    So a state is made in one crossing; see `boot.lua` for what it gets them as. To see line
    numbers, all but `boot.lua` are left to `source`.
    """
    files = _needed("host.api") if STRIP else {}
    each = (b'["%s"] = function(...)\n%s\nend,\n' % (n.encode(), t) for n, t in files.items())
    before = b"local function bundle(_ENV) return {\n%s} end\n" % b"".join(each)
    text = b"%sreturn (function(...)\n%s\nend)(bundle, ...)" % (before, _text("host.boot"))
    return _compiled(text, "lua/boot.lua")


def _needed(first: str) -> dict[str, bytes]:
    """Return the texts of *first* and of all that it needs from the start."""
    found: dict[str, bytes] = {}
    names = [first]
    for name in names:
        if name not in found and name not in _GIVEN:
            found[name] = _text(name)
            names += (one.decode() for one in _NEEDS.findall(found[name]))
    return found


def _path(name: str) -> str:
    short = name.removeprefix("host.")
    return f"stdlib/{name}" if short == name else f"lua/{short.replace('.', '/')}"


def _text(name: str) -> bytes:
    short = name.removeprefix("host.")
    return stdlib_source(name) if short == name else lua_source(short)


def _compiled(text: bytes, shown: str) -> bytes:
    found, problem = compiled(text, TRUSTED.format(shown), strip=STRIP)
    assert found is not None, problem
    return found


def source(name: bytes) -> bytes | None:
    """Answer a state that asks for a trusted chunk; nothing when there is none."""
    try:
        return chunk(name.decode("utf-8", "replace"))
    except NotFound:
        return None
