"""The registry: a project's YAML, checked, with positions.

    from moonq.registry import load
    project = load(Path("shop"))          # raises ProjectInvalid with every finding

`loading` lists the steps. `kinds` is the table of entry kinds, `project` what the host works with.
"""

from moonq.registry.loading import inspect, load
from moonq.registry.project import Entry, Project

__all__ = ["Entry", "Project", "inspect", "load"]
