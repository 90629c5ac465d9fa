"""What this system holds the processes of `isolation: process` to, tried with one of them.

isolation  app:resize: no capabilities · no new privileges · address space · …
  not here: no network (Operation not permitted)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moonq.cli.streams import echo
from moonq.errors import Unavailable
from moonq.registry.project import Project


def look(project: Project) -> dict[str, Any] | None:
    """Return it as plain data; None where nothing of *project* is in a process of its own."""
    entries = [
        one.id
        for one in project.entries.values()
        if getattr(one.config, "isolation", None) == "process"
    ]
    if not entries:
        return None
    from moonq.sandbox.process import walls
    from moonq.sandbox.process.children import CHILDREN

    try:
        lacks = CHILDREN.lacks()
    except Unavailable as problem:
        return {"entries": entries, "problem": problem.message}
    missing = dict(one.partition(": ")[::2] for one in lacks)
    return {
        "entries": entries,
        "walls": [name for name in walls.NAMES if name not in missing],
        "lacks": missing,
    }


def show(found: Mapping[str, Any] | None) -> None:
    """Print it for people."""
    if found is None:
        return
    told = found.get("problem") or " · ".join(found["walls"])
    echo(f"isolation  {', '.join(found['entries'])}: {told}")
    for name, why in found.get("lacks", {}).items():
        echo(f"  not here: {name} ({why})")
