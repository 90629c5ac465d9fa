"""The names by which scripts of a project require its libraries and Python modules."""

from __future__ import annotations

from moonq import assets
from moonq.registry.project import Entry, Project
from moonq.registry.script import IMPORTS, Script


def importable(project: Project) -> list[Entry]:
    """Return every entry that a script may import."""
    return [entry for entry in project.entries.values() if IMPORTS.accepts(entry.kind)]


def libraries(project: Project, own: Entry | None) -> dict[str, str]:
    """Return what can be imported by each name that means only this one: id, name, alias.

    For the entry *own* a name is one of its own imports, or of its own namespace, before another's.
    """
    meant: dict[str, set[str]] = {}
    mine: dict[str, str] = {}
    for library in importable(project):
        meant.setdefault(library.id, set()).add(library.id)
        if own is None:
            meant.setdefault(library.name, set()).add(library.id)
        elif library.namespace == own.namespace:
            mine[library.name] = library.id
    if own is not None:
        mine |= own.fields(Script).imports
    for entry in project.entries.values():
        if isinstance(entry.config, Script):
            for alias, target in entry.config.imports.items():
                meant.setdefault(alias, set()).add(target)
    known = assets.stdlib_modules()
    found = {name: ids.pop() for name, ids in meant.items() if len(ids) == 1}
    return {name: id_ for name, id_ in (found | mine).items() if name not in known}
