"""The native half of JSON, `json.c`: found, proved to be of this moonq, and given Lua's functions.

    native.path()    # b'/…/moonq/sandbox/native/json.native', or None: JSON stays in Lua

The library is loaded once per process. Every state then finds it by `package.loadlib` before any
script is there (`boot.lua`): Lua itself makes the functions, and nothing is pushed from outside
onto a stack that might not have the room. Lua's C API is found as the watchdog finds it, for the
wheel exports it, but not to libraries that are loaded later.
"""

from __future__ import annotations

import ctypes
import hashlib
import itertools
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

from moonq import log
from moonq.errors import Invalid, Unavailable

_log = log.get("moonq.sandbox")
#: Chooses the codec: `native` must be there, `lua` is used even so; unset takes what there is.
CHOICE = "MOONQ_JSON_CODEC"
SOURCE = Path(__file__).with_name("json.c")
#: Without the suffix of a library, or Python would take it for a module of its own.
LIBRARY = SOURCE.with_suffix(".native")
_HINT = f"install a C compiler and then moonq again, or unset {CHOICE}"
# Reads and writes once, as a state does.
_TRY = b"""
local path, text = ...
local main, marks = coroutine.running(), {}
local decode = assert(package.loadlib(path, "moonq_json_decode"))
local encode = assert(package.loadlib(path, "moonq_json_encode"))
return encode(decode(text, {}, nil, marks, "[]", main), marks, main) == text
"""
_TEXT = rb'[{"\u0001":[1,-2.5,[]]},1e-20,true,"moonq"]'


class Codec(NamedTuple):
    """Which half reads and writes JSON."""

    library: Path | None
    why: str
    """Why it is Lua."""

    @property
    def name(self) -> str:
        """`native` or `lua`, as `MOONQ_JSON_CODEC` has them."""
        return "lua" if self.library is None else "native"


@cache
def codec() -> Codec:
    """Return the codec of this process.

    Raises:
        Unavailable: The native one is demanded and not there.
        Invalid: `MOONQ_JSON_CODEC` is something else.
    """
    choice = os.environ.get(CHOICE, "")
    if choice not in {"", "native", "lua"}:
        raise Invalid(f"{CHOICE} is {choice!r}", hint=f"set {CHOICE} to native or lua, or unset it")
    if choice == "lua":
        return Codec(None, f"{CHOICE} says so")
    why = problem(LIBRARY)
    if choice and why:
        raise Unavailable(f"{CHOICE} is 'native', and {LIBRARY.name} {why}", hint=_HINT)
    if why and LIBRARY.exists():
        _log.warning("JSON is read and written in Lua: %s %s", LIBRARY, why)
    return Codec(None if why else LIBRARY, why)


def path() -> bytes | None:
    """Return what states are to load, or None."""
    library = codec().library
    return None if library is None else os.fsencode(library)


def problem(library: Path) -> str:
    """Make *library* ready for states, unless something speaks against it: then say what."""
    if not library.exists():
        return "was not built"
    try:
        opened = ctypes.CDLL(str(library))
        made_of = ctypes.c_char.in_dll(opened, "moonq_json_source")
        if ctypes.string_at(ctypes.addressof(made_of)) != _digest():
            return "was built from another json.c"
        _bind(opened)
    except (AttributeError, OSError) as failure:
        return f"does not load: {failure}"
    return _tried(library)


def _digest() -> bytes:
    return hashlib.sha256(SOURCE.read_bytes()).hexdigest().encode()


def _bind(library: ctypes.CDLL) -> None:
    """Hand over the functions of Lua's C API that it names."""
    import lupa.lua54

    lua = ctypes.PyDLL(lupa.lua54.__file__)
    needs = ctypes.pointer(ctypes.c_char_p.in_dll(library, "moonq_json_needs"))
    names = itertools.takewhile(bool, (needs[place] for place in itertools.count()))
    addresses = [ctypes.cast(lua[name.decode()], ctypes.c_void_p) for name in names]
    library.moonq_json_bind((ctypes.c_void_p * len(addresses))(*addresses))


def _tried(library: Path) -> str:
    from lupa.lua54 import LuaError, LuaRuntime

    runtime = LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
    try:
        is_right = runtime.execute(_TRY, os.fsencode(library), _TEXT)
    except LuaError as failure:
        return f"does not load in Lua: {failure}"
    return "" if is_right else "does not read and write what it should"
