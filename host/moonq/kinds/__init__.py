"""The kinds of entries, one file each: its model, its service, and what a reload does with it.

    from moonq import kinds
    project = kinds.load(Path("shop"))          # raises ProjectInvalid with every finding

To add a kind, add a file with its `KIND`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from moonq import registry
from moonq.errors import ProjectInvalid
from moonq.kinds import driver
from moonq.registry import Loaded, Project
from moonq.registry.kind import Kind
from moonq.registry.overrides import NOTHING, Said
from moonq.text.findings import Finding

#: In which kinds finish when a project is loaded, and references are shown; others come last.
_ORDER = (
    "queue",
    "consumer",
    "function",
    "library",
    "module",
    "policy",
    "store",
    "variable",
    "data",
)
_FILES = sorted(
    (found.name for found in iter_modules(__path__) if found.name != "driver"),
    key=lambda file: _ORDER.index(file) if file in _ORDER else len(_ORDER),
)
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (*driver.KINDS, *(import_module(f"{__name__}.{file}").KIND for file in _FILES))
}


def load(
    path: Path,
    *,
    env: Mapping[str, str] = os.environ,
    profile: str = "",
    said: Said = NOTHING,
) -> Project:
    """Return the project at *path*, a folder or a single YAML file, with *profile* laid over it.

    What a command has *said* is laid over both.

    Raises:
        ProjectInvalid: Carries everything that is wrong.
    """
    project, findings = inspect(path, env=env, profile=profile, said=said)
    if project is None:
        raise ProjectInvalid(findings)
    return project


def inspect(
    path: Path,
    *,
    env: Mapping[str, str] = os.environ,
    profile: str = "",
    said: Said = NOTHING,
) -> tuple[Project | None, list[Finding]]:
    """Return the project at *path*, or None if it has errors, with all findings and warnings."""
    loaded = read(path, env=env, profile=profile, said=said)
    return loaded.project, loaded.findings


def read(
    path: Path,
    *,
    env: Mapping[str, str] = os.environ,
    profile: str = "",
    said: Said = NOTHING,
) -> Loaded:
    """Return the project at *path* with its findings and its entries, faulty ones included."""
    return registry.inspect(path, KINDS, env, profile, said)
