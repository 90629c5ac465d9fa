"""What scripts require beside the standard library: the project's libraries and Python modules.

An editor knows one file for each name, while `imports` belong to an entry: a name that means one
thing here and another thing there is known without its type.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath

from moonq.operations import python_modules
from moonq.registry.project import Entry, Project
from moonq.registry.script import IMPORTS, Script
from moonq.registry.sources import FILE

_PART = re.compile(r"[^./\\]+")


def imports(project: Project) -> Iterator[tuple[str, str]]:
    """Yield each name by which something is imported, and the file that types it."""
    for alias, ids in sorted(meanings(project).items()):
        entries = [project.entries[id_] for id_ in ids]
        text = _of_one(project, entries[0], alias) if len(entries) == 1 else ""
        yield alias, text or _unknown(alias, entries)


def meanings(project: Project) -> dict[str, list[str]]:
    """Return what each alias stands for; test files require by the entries' own names."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for entry in project.entries.values():
        if isinstance(entry.config, Script):
            for alias, id_ in entry.config.imports.items():
                found[alias][id_] = None
        if IMPORTS.accepts(entry.kind):
            found[entry.name][entry.id] = None
    return {alias: [*ids] for alias, ids in found.items()}


def _of_one(project: Project, entry: Entry, alias: str) -> str:
    if entry.kind == "module.python":
        text = python_modules.of_entry(entry, project.root, called="module")
        return f"---@meta {alias}\n{text}" if text else ""
    if not isinstance(entry.config, Script):
        return ""
    dotted = _dotted(entry) if entry.config.source.startswith(FILE) else ""
    if dotted:
        # The annotation is for EmmyLua, which does not follow `require` from a library.
        return (
            f"---@meta {alias}\n--- {entry.id}\n"
            f'---@module "{dotted}"\nlocal module = require("{dotted}")\nreturn module\n'
        )
    return f"---@meta {alias}\n{entry.source_text.decode('utf-8', 'replace')}"


def _dotted(entry: Entry) -> str:
    """The path of a library as `require` writes it; empty where dots in names forbid that."""
    path = PurePosixPath(entry.source_name)
    parts = [*path.parent.parts, path.stem]
    is_plain = path.suffix == ".lua" and all(map(_PART.fullmatch, parts))
    return ".".join(parts) if is_plain else ""


def _unknown(alias: str, entries: list[Entry]) -> str:
    ids = ", ".join(entry.id for entry in entries)
    return f"---@meta {alias}\n--- {ids}\n---@type any\nlocal module\nreturn module\n"
