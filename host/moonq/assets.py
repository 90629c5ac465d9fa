"""Finds the two Lua trees: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from moonq.errors import NotFound

PACKAGE = Path(__file__).resolve().parent


@cache
def _tree(name: str) -> Path:
    inside = PACKAGE / f"_{name}"
    if inside.is_dir():
        return inside
    # In a checkout the package lies two floors below the trees: host/moonq and lua, stdlib.
    beside = PACKAGE.parent.parent / name
    if beside.is_dir():
        return beside
    raise NotFound(
        f"moonq's own Lua files ({name}) are neither in {inside} nor in {beside}",
        hint="install moonq again",
    )


def _read(tree: str, name: str) -> bytes:
    parts = name.split(".")
    path = _tree(tree).joinpath(*parts).with_suffix(".lua")
    if not all(part.isidentifier() for part in parts) or not path.is_file():
        raise NotFound(f"moonq has no {tree} module {name!r}")
    return path.read_bytes()


def lua_source(name: str) -> bytes:
    """Return the text of a module of the trusted half, such as ``walls.limits``.

    Raises:
        NotFound: There is no such module.
    """
    return _read("lua", name)


def stdlib_source(name: str) -> bytes:
    """Return the text of a module that scripts may require, such as ``json``.

    Raises:
        NotFound: There is no such module.
    """
    return _read("stdlib", name)


@cache
def stdlib_modules() -> frozenset[str]:
    """Return the names of all modules that scripts may declare."""
    return frozenset(path.stem for path in _tree("stdlib").glob("*.lua"))


def lua_modules() -> list[str]:
    """Return the names of all modules of the trusted half."""
    tree = _tree("lua")
    parts = (path.relative_to(tree).with_suffix("").parts for path in tree.rglob("*.lua"))
    return sorted(".".join(part) for part in parts)


def host_modules(test: Path) -> list[str]:
    """Return what a test of moonq's own may require beside them: ``host.x.y`` is
    lua/x/y.

    Only a file among the tests of the checkout that this moonq runs from is one; an installed
    moonq has no such place.
    """
    tests = PACKAGE.parent.parent / "tests"
    if not test.is_relative_to(tests) or (PACKAGE / "_lua").is_dir():
        return []
    return [f"host.{name}" for name in lua_modules()]
