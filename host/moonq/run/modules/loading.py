"""Runs the file of a module, and looks whether what it lends can be lent."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from moonq import log
from moonq.errors import MoonqError
from moonq.run.modules.shapes import asks_by_name

_log = log.get("moonq.modules")
Function = Callable[..., Any]


class Unloadable(MoonqError):
    """The file of a module raised, or does not have what its entry lends."""

    kind = "INVALID"


def of_source(entry: str, path: Path, text: bytes, root: Path) -> ModuleType:
    """Run *text*, that of *path*, as a new module; one that runs already stays as it is.

    Raises:
        Unloadable: It raised.
    """
    module, before = ModuleType(entry), sys.modules.get(entry)
    module.__file__ = str(path)
    # Data classes and annotations look their module up by its name; nothing can import this one.
    sys.modules[entry] = module
    _let_import(path.parent, root)
    try:
        code = compile(text, str(path), "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 - the file of the project, which is trusted
    except BaseException as problem:  # noqa: BLE001 - whatever it does, the host goes on
        if before is not None:
            sys.modules[entry] = before
        raise _failed(entry, path.name, problem) from None
    return module


def of_import(entry: str, dotted: str, root: Path) -> ModuleType:
    """Import *dotted* as everybody does: another entry that names it shares it.

    Raises:
        Unloadable: It raised, or there is none.
    """
    _let_import(root)
    try:
        return importlib.import_module(dotted)
    except BaseException as problem:  # noqa: BLE001 - whatever it does, the host goes on
        raise _failed(entry, dotted, problem) from None


def functions(entry: str, module: ModuleType, names: Iterable[str]) -> dict[str, Function]:
    """Return the functions that *module* lends.

    Raises:
        Unloadable: One is missing, or nothing that can be lent.
    """
    found = {name: getattr(module, name, None) for name in names}
    for name, value in found.items():
        if problem := refusal(value):
            raise Unloadable(f"{entry}: `{name}` {problem}{_place(value)}")
    return {name: value for name, value in found.items() if value is not None}


def refusal(value: object) -> str:
    """Return why *value* cannot be lent, behind its name; nothing where it can."""
    if value is None:
        return "is not there"
    if inspect.isgeneratorfunction(value) or inspect.isasyncgenfunction(value):
        return "is a generator, and only values cross to Lua; return a list"
    if inspect.isclass(value):
        return "is a class, and no object crosses to Lua; lend a function"
    if not callable(value):
        return f"is no function but of type {type(value).__name__}"
    if name := asks_by_name(value):
        return f"wants `{name}` by its name, and Lua gives arguments by their places"
    return ""


def _place(value: object) -> str:
    code = getattr(value, "__code__", None)
    return f" ({Path(code.co_filename).name}:{code.co_firstlineno})" if code else ""


def _let_import(*folders: Path) -> None:
    # Behind all the rest: a file of the project must not stand in for an installed package.
    for folder in map(str, (one.resolve() for one in folders)):
        if folder not in sys.path:
            sys.path.append(folder)


def _failed(entry: str, what: str, problem: BaseException) -> Unloadable:
    _log.error("%s: %s does not load", entry, what, exc_info=problem)
    words = f"{type(problem).__name__}: {problem}".strip().rstrip(":")
    return Unloadable(f"{entry}: {what} does not load: {words}", hint="the log has the traceback")
