"""Finds what has tests: `*_test.lua` files, and function entries with `meta.type: test`.

A file belongs to the project of the nearest `moonq.yaml` above it; without one, to the outermost
folder with an `_index.yaml`; else to the folder the search began in, as a project without entries.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from moonq.errors import NoTestMatched, NotFound, ProjectInvalid
from moonq.kinds import inspect
from moonq.registry import Entry, Project
from moonq.registry.discovery import SKIPPED
from moonq.registry.overrides import NOTHING, Said
from moonq.registry.settings import FILE as SETTINGS
from moonq.registry.settings import Settings

SUFFIX = "_test.lua"
INDEX = "_index.yaml"
_PLACE = re.compile(r"(.+\.lua):(\d+)")


@dataclass(frozen=True, slots=True)
class SuiteSource:
    """One file or entry with tests."""

    root: Path
    """The folder of its project."""
    path: Path
    entry: str = ""
    """The entry's id; empty for a plain file."""
    lines: tuple[int, ...] = ()
    """Lines whose tests are wanted; empty for all."""

    @property
    def id(self) -> str:
        """What the project knows it by: the entry, or the path of the file below the project."""
        below = self.path.is_relative_to(self.root)
        path = self.path.relative_to(self.root) if below else self.path
        return self.entry or path.as_posix()

    @property
    def shown(self) -> str:
        """How people name it: the entry, or the file as seen from here."""
        return self.entry or shown_path(self.path)


def shown_path(path: Path) -> str:
    """Return *path* as seen from the working folder, where it lies below it."""
    here = Path.cwd()
    full = path.resolve()
    return full.relative_to(here).as_posix() if full.is_relative_to(here) else full.as_posix()


class Projects:
    """Loads each project once, with *profile* and what was *said* laid over it."""

    def __init__(self, profile: str = "", said: Said = NOTHING) -> None:
        self.profile = profile
        self.said = said
        self._known: dict[Path, Project] = {}

    def at(self, root: Path) -> Project:
        """Return the project in the folder *root*; without any YAML, an empty one.

        Raises:
            ProjectInvalid: Carries everything that is wrong.
        """
        if root not in self._known:
            project, findings = inspect(root, profile=self.profile, said=self.said)
            if project is None and [finding.code for finding in findings] == ["R200"]:
                project = Project(root, root.resolve().name, Settings(), {})
            if project is None:
                raise ProjectInvalid(findings, hint=_where(root))
            self._known[root] = project
        return self._known[root]


def _where(root: Path) -> str:
    """Say which folder was taken for the project, where nothing but an index told so."""
    if root == Path.cwd() or (root / SETTINGS).is_file():
        return ""
    return (
        f"{shown_path(root)} was taken for the project; if another folder is, put a {SETTINGS} "
        "there, or name it: `moonq test -C FOLDER`"
    )


class Search:
    """Finds what *targets* name: folders, files, `FILE:LINE`, ids of entries."""

    def __init__(self, projects: Projects, project: Path | None) -> None:
        self._projects = projects
        self._project = project
        """The folder that was asked for by name; None lets each file find its own."""
        self._found: dict[tuple[Path, str], SuiteSource] = {}

    def find(self, targets: Sequence[str]) -> list[SuiteSource]:
        """Return every file and entry, each once, in the order of the targets.

        Raises:
            NoTestMatched: A target is neither a path nor an entry.
            ProjectInvalid: A project has errors.
        """
        for target in targets or [str(self._project or Path())]:
            self._target(target)
        return list(self._found.values())

    def _target(self, target: str) -> None:
        place = _PLACE.fullmatch(target)
        path = Path(target)
        if path.is_dir():
            self._folder(path.resolve())
        elif path.is_file():
            self._add(self._source(path.resolve()))
        elif place and Path(place[1]).is_file():
            source = self._source(Path(place[1]).resolve())
            self._add(replace(source, lines=(int(place[2]),)))
        else:
            self._entry(target)

    def _folder(self, folder: Path) -> None:
        files: list[Path] = []
        roots: set[Path] = set()
        for here, names in _walk(folder):
            tests = [here / name for name in names if name.endswith(SUFFIX)]
            files += tests
            if tests or INDEX in names or SETTINGS in names:
                roots.add(self._root(here, folder))
        entries = [(root, entry) for root in sorted(roots) for entry in self._entries(root)]
        within = [(root, one) for root, one in entries if (root / one.file).is_relative_to(folder)]
        taken = {(root / one.source_name).resolve() for root, one in within}
        for path in files:
            if path not in taken:
                self._add(SuiteSource(self._root(path.parent, folder), path))
        for root, one in within:
            self._add(_of_entry(root, one))

    def _source(self, path: Path) -> SuiteSource:
        """The source of one file: the entry whose text it is, or the file by itself."""
        here = Path.cwd()
        root = self._root(path.parent, here if path.is_relative_to(here) else path.parent)
        for entry in self._entries(root):
            if (root / entry.source_name).resolve() == path:
                return _of_entry(root, entry)
        return SuiteSource(root, path)

    def _entry(self, name: str) -> None:
        root = self._root(Path.cwd(), Path.cwd())
        try:
            entry = self._projects.at(root).resolve(name)
        except NotFound as problem:
            hint = problem.hint if ":" in name else "name a folder, a file, FILE:LINE or an entry"
            raise NoTestMatched(f"no test matches {name!r}", hint=hint) from None
        if entry.meta.get("type") != "test" or entry.kind != "function.lua":
            raise NoTestMatched(
                f"{entry.id} is no test", hint="give it `meta: {type: test}`, or name its test"
            )
        self._add(_of_entry(root, entry))

    def _add(self, source: SuiteSource) -> None:
        key = (source.path, source.entry)
        known = self._found.get(key)
        if known and known.lines and source.lines:
            source = replace(source, lines=known.lines + source.lines)
        elif known:
            source = replace(source, lines=())
        self._found[key] = source

    def _entries(self, root: Path) -> list[Entry]:
        functions = self._projects.at(root).of_kind("function.lua")
        return sorted(
            (entry for entry in functions if entry.meta.get("type") == "test"),
            key=_order,
        )

    def _root(self, folder: Path, top: Path) -> Path:
        if self._project is None:
            return project_root(folder, top)
        asked = self._project.resolve()
        return next((one for one in _chain(folder, asked) if (one / SETTINGS).is_file()), asked)


def project_root(folder: Path, top: Path) -> Path:
    """Return the folder of the project that *folder*, which lies at or below *top*, belongs to."""
    here = Path.cwd()
    top = here if top.is_relative_to(here) else top
    chain = _chain(folder, top)
    for one in chain:
        if (one / SETTINGS).is_file():
            return one
    return next((one for one in reversed(chain) if (one / INDEX).is_file()), top)


def _chain(folder: Path, top: Path) -> list[Path]:
    """Return *folder* and those around it, up to *top*."""
    return [one for one in (folder, *folder.parents) if one.is_relative_to(top)]


def _order(entry: Entry) -> tuple[str, float]:
    order = entry.meta.get("order")
    return str(entry.meta.get("suite", "")), order if isinstance(order, int | float) else 0.0


def _of_entry(root: Path, entry: Entry) -> SuiteSource:
    return SuiteSource(root, (root / entry.source_name).resolve(), entry.id)


def _walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != "." and name not in SKIPPED)
        yield Path(here), sorted(names)
