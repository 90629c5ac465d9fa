"""The registry: a project's YAML, checked, with positions.

It knows no kind of entry and no driver: it is handed the table of kinds. To load a project, ask
`moonq.kinds`. `loading` lists the steps, `project` is what the host works with.
"""

from moonq.registry.loading import Loaded, inspect
from moonq.registry.project import Entry, Project

__all__ = ["Entry", "Loaded", "Project", "inspect"]
