"""The entries of a project as plain data, and how they hang together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from moonq.operations import python_modules
from moonq.registry.hidden import is_filled, written
from moonq.registry.project import Entry, Project
from moonq.registry.yaml.nodes import Map, Node
from moonq.run.functions import PYTHON
from moonq.text.secrets import masked

#: Fields of drivers that may hold a password are not shown, whatever their value.
SECRET = (
    *("url", "password", "secret", "token", "access_key", "secret_key"),
    *("bearer", "authorization", "cookie", "credential", "api_key", "api-key"),
)
#: That no part of it is secret is seen to when the entry is read.
OPEN = ("base_url",)
REDACTED = "[redacted]"
_WILD = re.compile(r"[*?\[]")


def find(
    project: Project, pattern: str | None, kind: str | None, meta: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the entries that fit: *pattern* and *kind* know `*`, *meta* compares as text.

    Raises:
        NotFound: No entry has the name that *pattern* is when nothing in it stands for others.
    """
    named = [one for one in project.entries.values() if pattern is None or _fits(one, pattern)]
    if pattern and not named and not _WILD.search(pattern):
        project.resolve(pattern)
    return [
        _brief(entry)
        for entry in named
        if (kind is None or fnmatchcase(entry.kind, kind))
        and all(str(entry.meta.get(key)) == value for key, value in meta.items())
    ]


def _fits(entry: Entry, pattern: str) -> bool:
    return fnmatchcase(entry.id, pattern) or fnmatchcase(entry.name, pattern)


def _brief(entry: Entry) -> dict[str, Any]:
    file, line, _ = entry.place("name")
    found: dict[str, Any] = {"id": entry.id, "kind": entry.kind, "file": file, "line": line}
    if entry.meta:
        found["meta"] = dict(entry.shown_meta)
    return found


def show(project: Project, name: str) -> dict[str, Any]:
    """Return one entry with every field, defaults filled in."""
    entry = project.resolve(name)
    fields = entry.config.model_dump(mode="json", by_alias=True, exclude={"name", "kind", "meta"})
    found = _brief(entry)
    found["fields"] = _redacted(fields, entry.node)
    found["origins"] = {
        ".".join(path): one._asdict() for path, one in entry.origins(project.profile).items()
    }
    found["depends_on"] = list(entry.depends_on)
    if entry.source_name:
        found["source"] = entry.source_name
    found["used_by"] = [user for user, _ in _users(project, entry.id)]
    if entry.kind == PYTHON:
        found["annotations"] = python_modules.of_entry(entry, project.root)
    return found


def _redacted(fields: Mapping[str, Any], node: Node | None) -> dict[str, Any]:
    below = node.get if isinstance(node, Map) else lambda _: None
    return {key: _shown(key, value, below(key)) for key, value in fields.items()}


def _shown(key: str, value: Any, node: Node | None) -> Any:
    if isinstance(value, Mapping) and isinstance(node, Map | None):
        return _redacted(value, node)
    if is_filled(node):
        return written(node, value)
    if _is_secret(key) and value:
        return REDACTED
    if isinstance(value, list):
        return [_shown("", one, None) for one in value]
    return masked(value) if isinstance(value, str) else value


def _is_secret(key: str) -> bool:
    return key not in OPEN and any(part in key.lower() for part in SECRET)


class Sending(NamedTuple):
    """What a script does to another entry, which no field of its own entry says."""

    source: str
    field: str
    """`publishes` or `calls`."""
    target: str
    """Empty where it is only known when the script runs."""
    file: str
    line: int


def graph(project: Project, name: str | None, sent: Iterable[Sending] = ()) -> dict[str, Any]:
    """Return entries and the references between them: all, or those around one.

    What scripts have *sent* is there beside the references; where it goes to is `unknown` of some.
    """
    sent = tuple(sent)
    edges = [
        {"from": entry.id, "field": field, "to": target}
        for entry in project.entries.values()
        for field, target in entry.references
    ]
    edges += [
        {"from": one.source, "field": one.field, "to": one.target} for one in sent if one.target
    ]
    names = set(project.entries)
    if name is not None:
        middle = project.resolve(name).id
        names = _around(middle, edges)
        edges = [edge for edge in edges if edge["from"] in names and edge["to"] in names]
    known = [entry for entry in project.entries.values() if entry.id in names]
    nodes: list[dict[str, Any]] = [{"id": entry.id, "kind": entry.kind} for entry in known]
    for other in sorted({edge["to"] for edge in edges} - project.entries.keys()):
        owner = project.entries[project.implied[other]]
        nodes.append({"id": other, "kind": owner.kind, "implicit": True})
    unknown = [
        {"from": one.source, "field": one.field, "file": one.file, "line": one.line}
        for one in sent
        if not one.target and one.source in names
    ]
    return {"nodes": nodes, "edges": edges, "unknown": unknown}


def _users(project: Project, target: str) -> list[tuple[str, str]]:
    return [
        (entry.id, field)
        for entry in project.entries.values()
        for field, used in entry.references
        if used == target
    ]


def _around(middle: str, edges: list[dict[str, str]]) -> set[str]:
    """What *middle* needs, however far, and who needs it, however far."""
    return _reach(middle, edges, "from", "to") | _reach(middle, edges, "to", "from")


def _reach(start: str, edges: list[dict[str, str]], here: str, there: str) -> set[str]:
    found, waiting = {start}, [start]
    while waiting:
        current = waiting.pop()
        for edge in edges:
            if edge[here] == current and edge[there] not in found:
                found.add(edge[there])
                waiting.append(edge[there])
    return found
