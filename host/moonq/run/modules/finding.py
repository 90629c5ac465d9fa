"""Where the module of an `import:` is, found without running anything, its packages included."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path


def search_path(root: Path) -> list[str]:
    """Return where modules are looked for: what Python has, then the project's folder."""
    return [*sys.path, str(root.resolve())]


def find(dotted: str, root: Path) -> ModuleSpec | None:
    """Return how the module *dotted* would be imported, None where there is none."""
    path: Sequence[str] | None = search_path(root)
    spec = None
    parts = dotted.split(".")
    for depth in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:depth]), path)
        if spec is None:
            return _built_in(dotted)
        inside = spec.submodule_search_locations
        if inside is None and depth < len(parts):
            return None
        path = [*inside] if inside is not None else None
    return spec


def _built_in(dotted: str) -> ModuleSpec | None:
    known = dotted in sys.builtin_module_names
    return ModuleSpec(dotted, None, origin="built-in") if known else None


def file_of(spec: ModuleSpec) -> Path | None:
    """Return the Python text of a module, None where it has none."""
    path = Path(spec.origin) if spec.origin and spec.has_location else None
    return path if path is not None and path.suffix == ".py" and path.is_file() else None
