"""Libraries that come as extras: clients of brokers, and what Lua modules need beyond Python.

They are imported where they are first used, and what is missing says how to install it.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from moonq.errors import Unsupported

#: What Lua modules need that does not come with moonq, by the extra of the same name.
BEHIND = {"http": "httpx2", "regex": "re2", "sql": "sqlalchemy"}


def is_missing(module: str) -> bool:
    """Say whether a Lua module needs a library that is not installed; nothing is imported."""
    library = BEHIND.get(module)
    return library is not None and find_spec(library) is None


def pip(extra: str) -> str:
    """Return the command that installs an extra."""
    return f'pip install "moonq[{extra}]"'


def client(extra: str, module: str, what: str = "") -> ModuleType:
    """Return the *module* that `moonq[extra]` installs.

    *what* is missing otherwise, such as ``the library behind the module `http```; by default it is
    the client of a driver.

    Raises:
        Unsupported: It is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        # What is missing may be a part of an installed library: that is not mended by the extra.
        if (missing.name or "").partition(".")[0] != module.partition(".")[0]:
            raise
        raise Unsupported(
            f"{what or f'the client for queue.driver.{extra}'} is not installed:"
            f" no module {module!r}",
            hint=f"install it: {pip(extra)}",
        ) from None
