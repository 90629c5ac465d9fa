"""The text of a suite, and what it may require."""

from __future__ import annotations

from collections.abc import Mapping

from moonq import assets
from moonq.registry import Entry, Project
from moonq.registry.script import Script
from moonq.run.functions import chunk
from moonq.sandbox.state import LuaSource
from moonq.testing.sources import SuiteSource


def script_of(source: SuiteSource, entry: Entry | None, known: Mapping[str, str]) -> LuaSource:
    """Return the text of a suite and what it may require.

    A plain file sees every module and every library of its project, by the names they have there.
    """
    if entry is not None:
        return chunk(entry)
    data = source.path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    modules = sorted(assets.stdlib_modules()) + assets.host_modules(source.path)
    return LuaSource(source.id, source.id, data, tuple(modules), known)


def libraries(project: Project) -> dict[str, str]:
    """Return every library by each name that means only this one: id, name, alias of imports."""
    meant: dict[str, set[str]] = {}
    for library in project.of_kind("library.lua"):
        for name in (library.id, library.name):
            meant.setdefault(name, set()).add(library.id)
    for entry in project.entries.values():
        if isinstance(entry.config, Script):
            for alias, target in entry.config.imports.items():
                meant.setdefault(alias, set()).add(target)
    known = assets.stdlib_modules()
    return {name: ids.pop() for name, ids in meant.items() if len(ids) == 1 and name not in known}
