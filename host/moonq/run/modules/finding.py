"""Where the module of an `import:` is, found without running anything, its packages included."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path


def find(dotted: str, root: Path) -> ModuleSpec | None:
    """Return how the module *dotted* would be imported, None where there is none.

    It is looked for where Python looks, then in the folder of the project.
    """
    loaded = sys.modules.get(dotted)
    if loaded is not None and loaded.__spec__ is not None:
        return loaded.__spec__
    parts = dotted.split(".")
    path: Sequence[str] | None = None
    spec = None
    for depth in range(1, len(parts) + 1):
        name = ".".join(parts[:depth])
        spec = _spec(name, path)
        if spec is None and depth == 1:
            spec = PathFinder.find_spec(name, [str(root.resolve())])
        if spec is None:
            return None
        inside = spec.submodule_search_locations
        path = [*inside] if inside is not None else []
    return spec


def _spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """Ask every finder: packages that are installed to be worked on have their own."""
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path)
        if spec is not None:
            return spec
    return None


def file_of(spec: ModuleSpec) -> Path | None:
    """Return the Python text of a module, None where it has none."""
    path = Path(spec.origin) if spec.origin and spec.has_location else None
    return path if path is not None and path.suffix == ".py" and path.is_file() else None
