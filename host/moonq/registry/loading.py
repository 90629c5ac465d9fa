"""Loads a project: finds its files, checks all of it, and only then answers.

The steps, each of which finds as much as it can: read (YAML to nodes), entries (kinds and fields),
references, cycles, finishing (what other entries decide), scripts (Lua text and its requires).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from moonq.registry import cycles, discovery, hidden, profiles, references
from moonq.registry import settings as process
from moonq.registry.draft import Draft, Drafts
from moonq.registry.drafts import Reader
from moonq.registry.kind import Kinds
from moonq.registry.lua import scripts
from moonq.registry.origins import origins
from moonq.registry.overrides import NOTHING, Said
from moonq.registry.problems import Problems
from moonq.registry.profiles import Choice
from moonq.registry.project import Entry, Project, Reference
from moonq.registry.settings import Settings
from moonq.registry.yaml import reading
from moonq.registry.yaml.nodes import Map
from moonq.registry.yaml.values import Values
from moonq.text.findings import Finding, Source, by_place, error, has_errors


class Loaded(NamedTuple):
    """A project, if it has no errors, and what was found on the way there."""

    root: Path | None
    """The folder of the project; None where there is none."""
    project: Project | None
    findings: list[Finding]
    known: Project | None
    """The same, also where its Lua has errors: its entries are what their YAML says."""
    drafts: Drafts
    profiles: tuple[str, ...]
    """All that `moonq.yaml` has."""


def inspect(
    path: Path,
    kinds: Kinds,
    env: Mapping[str, str],
    profile: str = "",
    said: Said = NOTHING,
) -> Loaded:
    """Return the project at *path*, a folder or a single YAML file, whose entries are of *kinds*.

    With it come all findings, warnings included, and whatever is known of its entries. The
    *profile* is laid over it before anything is checked, and over both what a command has *said*.
    """
    loading = _Loading(Path(path), kinds, env, profile, said)
    project = loading.project()
    names = loading.choice.names
    return Loaded(loading.root, project, loading.findings, loading.known, loading.drafts, names)


@dataclass
class _Loading:
    path: Path
    kinds: Kinds
    env: Mapping[str, str]
    profile: str
    said: Said
    findings: list[Finding] = field(default_factory=list)
    choice: Choice = field(default_factory=Choice.none)
    drafts: Drafts = field(default_factory=Drafts)
    root: Path | None = None
    known: Project | None = None
    filled: set[hidden.Pair] = field(default_factory=set)

    def project(self) -> Project | None:
        try:
            files, root = _files(self.path)
        except (OSError, ValueError) as problem:
            self._nothing(str(getattr(problem, "strerror", None) or problem).lower())
            return None
        if root is None:
            self._nothing("there is no such file or folder")
            return None
        self.root = root
        settings = self._settings(root)
        drafts = self.drafts = self._drafts(files, root)
        drafts.settings = settings
        self.findings += references.resolve(drafts, self.kinds)
        self.findings += cycles.find(drafts, self.kinds)
        for kind in self.kinds.values():
            mine = [draft for draft in drafts.values() if draft.kind == kind.name]
            self.findings += kind.finish(mine, drafts)
        is_sound = not has_errors(self.findings)
        self.findings += scripts.read(drafts, self.kinds, root)
        self.findings = [hidden.hide(one, self.filled) for one in self.findings]
        self.findings = by_place(_without_echoes(self.findings))
        self.known = self._made(root, settings, drafts) if is_sound else None
        return None if has_errors(self.findings) else self.known

    def _nothing(self, why: str) -> None:
        help_ = "run `moonq new shop` to make a project, or name the folder of yours"
        self.findings.append(error("R200", f"no entries below '{self.path}': {why}", help=help_))

    def _settings(self, root: Path) -> Settings:
        path = root / process.FILE
        source, data = Source(process.FILE, ""), b""
        if path.is_file():
            source, data = discovery.open_file(path, root, self.findings)
        node, problems = reading.read(source, data)
        self.findings += problems
        if node is not None and not isinstance(node, Map):
            message = f"{process.FILE} must be a map of settings"
            self.findings.append(error("R207", message, source.at(node)))
        elif node or not problems:
            whole = node or Map(1, 1, 1)
            choice = profiles.Reader(source, whole, self.findings).choose(self.profile)
            self.choice = choice.saying(self.said, self.findings)
            return self._checked(source, self.choice.settings)
        return Settings()

    def _checked(self, source: Source, node: Map) -> Settings:
        values = Values(source, self.env, self.findings).of(node)
        try:
            return Settings.model_validate(values)
        except ValidationError as problem:
            self.findings += Problems(source, node, Settings, process.FILE).of(problem)
        return Settings()

    def _drafts(self, files: list[Path], root: Path) -> Drafts:
        reader = Reader(self.kinds, self.env, self.findings, self.choice, self.said, self.filled)
        found: list[Draft] = []
        is_ours = False
        for path in files:
            asked = self.path.is_file()
            document = discovery.document(path, root, self.findings, asked=asked)
            if document:
                is_ours = True
                found += reader.read(document.source, document.namespace, document.entries)
        drafts = reader.by_id(found)
        drafts.root = root
        if self.path.is_dir():  # a single file has not all of the project's entries
            self.findings += self.choice.unknown(drafts)
        self.findings += profiles.unsaid(self.said, drafts)
        if not is_ours and not has_errors(self.findings):
            self._nothing("no YAML file there has `namespace` and `entries`")
        return drafts

    def _made(self, root: Path, settings: Settings, drafts: Drafts) -> Project:
        rank = {name: number for number, name in enumerate(self.kinds)}
        entries = {draft.id: _entry(draft, drafts, rank) for draft in drafts.values()}
        implied = {id_: one.id for id_, one in drafts.implied.items() if id_ not in drafts}
        is_file = self.path.is_file()
        name = settings.name or (self.path.stem if is_file else self.path.resolve().name)
        choice = self.choice
        return Project(
            root,
            name,
            settings,
            entries,
            implied,
            self.path,
            choice.name,
            choice.names,
            origins(choice.settings, process.FILE, choice.name),
            self.said,
        )


def _files(path: Path) -> tuple[list[Path], Path | None]:
    if path.is_file():
        return [path], path.parent
    return (list(discovery.yaml_files(path)), path) if path.is_dir() else ([], None)


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


def _entry(draft: Draft, drafts: Drafts, rank: Mapping[str, int]) -> Entry:
    """The entry of *draft*; what its own fields name comes in the order of kinds."""
    assert draft.config is not None
    own = [edge for edge in draft.edges if edge.path[0] != "lifecycle"]
    own.sort(key=lambda edge: rank[drafts.kind_of(edge.target)])
    named = {edge.target for edge in own}
    needed = dict.fromkeys(edge.needs for edge in draft.edges if edge.needs)
    besides = (Reference("depends_on", one) for one in needed if one not in named)
    return Entry(
        draft.id,
        draft.namespace,
        draft.config,
        draft.source.file,
        draft.node,
        tuple(needed),
        (*(Reference(edge.field, edge.target) for edge in own), *besides),
        draft.script,
    )
