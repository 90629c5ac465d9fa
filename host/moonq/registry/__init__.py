"""The registry: a project's YAML, checked, with positions.

    from moonq.registry import load
    project = load(Path("shop"))          # raises ProjectInvalid with every finding

`loading` lists the steps. `kinds` is the table of entry kinds, `project` what the host works with.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moonq.registry.loading import inspect, load
    from moonq.registry.project import Entry, Project

__all__ = ["Entry", "Project", "inspect", "load"]


def __getattr__(name: str) -> Any:
    # Late, so that a driver's model can be read before the table of kinds, which reads it.
    if name in __all__:
        part = "loading" if name in {"inspect", "load"} else "project"
        return getattr(import_module(f"moonq.registry.{part}"), name)
    raise AttributeError(name)
