"""The files that an editor reads of a project: which there are, which are stale; writes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from moonq import __version__, assets, kinds, private
from moonq.editor import ids, selene, settings
from moonq.editor.imports import imports
from moonq.editor.jsonc import NotJson
from moonq.editor.sandbox import global_names
from moonq.editor.stubs import stub
from moonq.operations.annotations import OBJECTS
from moonq.registry.project import Project

TYPES = Path(settings.TYPES)
SCHEMAS = Path(".moonq/schema")
#: The folders in which every file is ours.
FOLDERS = (TYPES, SCHEMAS)
REGISTRY = TYPES / "registry.lua"


@dataclass(frozen=True)
class Plan:
    """What is to lie in the folder of a project."""

    root: Path
    files: Mapping[Path, str]
    """By their paths below the folder."""
    notes: tuple[str, ...] = ()
    """What a person has to do."""
    whole: bool = field(default=True)
    """Whether these are all files, so that others in our folders are left from before."""

    @classmethod
    def of(cls, project: Project, *, for_selene: bool = False) -> Plan:
        """Return the plan for *project*, with the settings of selene where they are wanted."""
        files = {**_of_ids(project), **_of_moonq(), **_schemas(project)}
        of_editors, notes = _settings(project.root, for_selene=for_selene)
        return cls(project.root, {**files, **of_editors}, notes)

    def stale(self) -> list[Path]:
        """Return the files that are not as they should be, and those that should not be there."""
        wrong = [path for path, text in self.files.items() if _read(self.root / path) != text]
        return sorted([*wrong, *self._left()])

    def write(self) -> list[Path]:
        """Make it so; return what has changed.

        Raises:
            OSError: A file cannot be written.
        """
        changed = self.stale()
        for path in changed:
            target = self.root / path
            if path not in self.files:
                target.unlink(missing_ok=True)
                continue
            if path.parts[0] == TYPES.parts[0]:
                private.folder(target.parent)  # in `.moonq` there are also the host's own files
            target.write_text(self.files[path], encoding="utf-8")
        return changed

    def _left(self) -> Iterator[Path]:
        """Files in our folders that are of no use any more."""
        for folder in FOLDERS if self.whole else ():
            for path in (self.root / folder).rglob("*"):
                known = path.relative_to(self.root)
                if known not in self.files and (path.is_file() or path.is_symlink()):
                    yield known


def known_at(path: Path) -> Project | None:
    """Return the project at *path* without a profile, so that types do not depend on who asks.

    Errors in Lua do not count, for they are what an editor is to help with; with others, None.
    """
    return kinds.read(path).known


def refresh(project: Project) -> None:
    """Write what lies below `.moonq` where it is stale, and say nothing.

    Whoever runs a project need not have a disk to write on, or an editor.
    """
    if project.profile:
        known = known_at(project.path or project.root)
        if known is not None:
            refresh(known)
        return
    if project.path is not None and project.path.is_file():
        return  # one file of a project has not all of its entries
    with suppress(OSError):
        quick = Plan(project.root, _of_ids(project), whole=False)
        schemas = (project.root / SCHEMAS / name for name in _SCHEMAS)
        # The rest follows from the ids and from this moonq, and both are said in there.
        if quick.stale() or not all(path.is_file() for path in schemas):
            files = {**quick.files, **_of_moonq(), **_schemas(project)}
            Plan(project.root, files).write()


def _of_ids(project: Project) -> dict[Path, str]:
    of_imports = {TYPES / "imports" / f"{name}.lua": text for name, text in imports(project)}
    stamp = f"---@meta _\n-- moonq {__version__}\n"
    return {REGISTRY: f"{stamp}\n{ids.registry(project)}", **of_imports}


def _of_moonq() -> dict[Path, str]:
    modules = TYPES / "modules"
    files = {modules / "_globals.lua": global_names()}
    for name in sorted(assets.stdlib_modules()):
        beside = [assets.lua_source(file).decode() for module, file in OBJECTS if module == name]
        text = stub(name, assets.stdlib_source(name).decode(), *beside)
        files[modules / f"{name}.lua"] = text
    return files


def _schemas(project: Project) -> dict[Path, str]:
    return {
        SCHEMAS / name: json.dumps(made(project), indent=1) + "\n"
        for name, made in _SCHEMAS.items()
    }


def _index(project: Project) -> object:
    from moonq.editor import schema

    return schema.index(project)


def _moonq_yaml(project: Project) -> object:
    from moonq.editor import schema

    return schema.settings(project)


_SCHEMAS: Mapping[str, Callable[[Project], object]] = {
    "index.schema.json": _index,
    "moonq.schema.json": _moonq_yaml,
}


def _settings(root: Path, *, for_selene: bool) -> tuple[dict[Path, str], tuple[str, ...]]:
    """The settings of editors, with what is missing; and what a person has to add."""
    files: dict[Path, str] = {}
    notes = []
    for name in settings.FILES:
        try:
            files[Path(name)] = settings.merged(name, _text(root / name))
        except NotJson as problem:
            needs = f'; it needs "workspace.library": ["{TYPES}"]' * (name == settings.LUARC)
            notes.append(f"{name} is left alone: {problem}{needs}")
    if for_selene:
        for name, text in selene.FILES.items():
            if (root / name).exists() and _read(root / name) != text:
                notes.append(f"{name} is left alone: it is yours")
            else:
                files[Path(name)] = text
    return files, tuple(notes)


def _text(path: Path) -> str:
    """The text of a file that a person may have written, which may be absent.

    Raises:
        NotJson: It cannot be read as text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise NotJson("it is not UTF-8") from None
    except OSError as problem:
        raise NotJson((problem.strerror or "it cannot be read").lower()) from None


def _read(path: Path) -> str | None:
    """The text of a file; None where there is none, or no text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
