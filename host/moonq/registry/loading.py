"""Loads a project: finds its files, checks all of it, and only then answers.

The steps, each of which finds as much as it can: read (YAML to nodes), entries (kinds and fields),
references, cycles, finishing (what other entries decide), scripts (Lua text and its requires).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from moonq.errors import ProjectInvalid
from moonq.registry import cycles, discovery, drafts, references
from moonq.registry import settings as process
from moonq.registry.draft import Draft, Drafts, Edge
from moonq.registry.kind import Kinds
from moonq.registry.lua import scripts
from moonq.registry.problems import Problems
from moonq.registry.project import Entry, Project, Reference
from moonq.registry.settings import Settings
from moonq.registry.yaml import reading
from moonq.registry.yaml.nodes import Map
from moonq.registry.yaml.values import Values
from moonq.text.findings import Finding, by_place, has_errors


def load(path: Path, kinds: Kinds, *, env: Mapping[str, str] = os.environ) -> Project:
    """Return the project at *path*, a folder or a single YAML file, whose entries are of *kinds*.

    Raises:
        ProjectInvalid: Carries everything that is wrong.
    """
    project, findings = inspect(path, kinds, env=env)
    if project is None:
        raise ProjectInvalid(findings)
    return project


def inspect(
    path: Path, kinds: Kinds, *, env: Mapping[str, str] = os.environ
) -> tuple[Project | None, list[Finding]]:
    """Return the project at *path*, or None if it has errors, with all findings and warnings."""
    path = Path(path)
    try:
        files, root = _files(path)
    except (OSError, ValueError) as error:
        return None, [_nothing(path, str(getattr(error, "strerror", None) or error).lower())]
    if root is None:
        return None, [_nothing(path, "there is no such file or folder")]
    settings, findings = _settings(root, env)
    reader = drafts.Reader(kinds, env)
    by_id, count, more = _drafts(files, root, path.is_file(), reader)
    findings += more
    if not count and not has_errors(findings):
        findings.append(_nothing(path, "no YAML file there has `namespace` and `entries`"))
    findings += references.resolve(by_id, kinds)
    findings += cycles.find(by_id, kinds)
    findings += _finish(by_id, kinds)
    findings += scripts.read(by_id, root)
    findings = by_place(_without_echoes(findings))
    if has_errors(findings):
        return None, findings
    return _project(root, path, settings, by_id, kinds), findings


def _files(path: Path) -> tuple[list[Path], Path | None]:
    if path.is_file():
        return [path], path.parent
    return (list(discovery.yaml_files(path)), path) if path.is_dir() else ([], None)


def _nothing(path: Path, why: str) -> Finding:
    return Finding(
        "error",
        "R200",
        f"no entries below '{path}': {why}",
        (),
        (),
        ("run `moonq new shop` to make a project, or name the folder of yours",),
    )


def _settings(root: Path, env: Mapping[str, str]) -> tuple[Settings, list[Finding]]:
    path = root / process.FILE
    if not path.is_file():
        return Settings(), []
    source, data, findings = discovery.open_file(path, root)
    node, more = reading.read(source, data)
    findings += more
    if node is None:
        return Settings(), findings
    if not isinstance(node, Map):
        span = source.span(node.line, node.column, node.length)
        message = f"{process.FILE} must be a map of settings"
        return Settings(), [*findings, Finding("error", "R207", message, (span,))]
    values = Values(source, env)
    plain: Any = values.of(node)
    findings += values.findings
    try:
        return Settings.model_validate(plain), findings
    except ValidationError as error:
        return Settings(), findings + Problems(source, node, Settings, process.FILE).of(error)


def _drafts(
    files: Iterable[Path], root: Path, asked: bool, reader: drafts.Reader
) -> tuple[Drafts, int, list[Finding]]:
    """The entries of all *files* by id, how many files are ours, and what is wrong."""
    found: list[Draft] = []
    findings: list[Finding] = []
    count = 0
    for path in files:
        document, more = discovery.document(path, root, asked=asked)
        findings += more
        if document:
            count += 1
            found += reader.read(document.source, document.namespace, document.entries)
    findings += reader.findings
    return drafts.without_doubles(found, findings), count, findings


def _finish(by_id: Drafts, kinds: Kinds) -> list[Finding]:
    findings = []
    for kind in kinds.values():
        mine = [draft for draft in by_id.values() if draft.kind == kind.name]
        findings += kind.finish(mine, by_id)
    return findings


def _without_echoes(findings: list[Finding]) -> list[Finding]:
    """Drop what only follows from another finding at the same place."""
    grave: dict[tuple[str, int, int], int] = {}
    for finding in findings:
        grave[finding.place] = min(grave.get(finding.place, 9), _rank(finding))
    # Without a place there is nothing to be an echo of.
    return [f for f in findings if not f.spans or _rank(f) <= grave[f.place]]


def _rank(finding: Finding) -> int:
    if finding.severity != "error":
        return 2
    return 0 if finding.code.startswith("P10") or finding.code == "R213" else 1


def _project(root: Path, path: Path, settings: Settings, by_id: Drafts, kinds: Kinds) -> Project:
    rank = {name: number for number, name in enumerate(kinds)}

    def entry(draft: Draft) -> Entry:
        assert draft.config is not None
        return Entry(
            draft.id,
            draft.namespace,
            draft.config,
            draft.source.file,
            draft.node,
            tuple(dict.fromkeys(edge.needs for edge in draft.edges if edge.needs)),
            _references(draft, lambda edge: rank[by_id.kind_of(edge.target)]),
            draft.script,
        )

    entries = {draft.id: entry(draft) for draft in by_id.values()}
    implied = {id_: one.id for id_, one in by_id.implied.items() if id_ not in by_id}
    name = settings.name or (path.stem if path.is_file() else path.resolve().name)
    return Project(root, name, settings, entries, implied, path)


def _references(draft: Draft, rank: Callable[[Edge], int]) -> tuple[Reference, ...]:
    """What the entry's own fields name, by the order of kinds; then what it needs besides."""
    own = [edge for edge in draft.edges if edge.path[0] != "lifecycle"]
    found = [Reference(edge.field, edge.target) for edge in sorted(own, key=rank)]
    named = {reference.target for reference in found}
    needed = dict.fromkeys(edge.needs for edge in draft.edges if edge.needs)
    return (*found, *(Reference("depends_on", one) for one in needed if one not in named))
