"""Makes a finding of what went wrong in a function that a person called by hand.

error[H403]: app:publish failed: UNKNOWN
   ┌─ publish.lua:5
 5 │     error("nothing to publish")
   │     ^ nothing to publish
   = note: publish.lua:5: in function <publish.lua:3>
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moonq.host import Fault
    from moonq.registry import Project
    from moonq.text.findings import Finding

MOST_FRAMES = 10


def as_finding(project: Project, function: str, fault: Fault) -> Finding:
    """Return *fault* of *function* with the frame of the file where it arose."""
    from moonq.registry.lua import runtime

    texts = [entry.script for entry in project.entries.values() if entry.script]
    headline = f"{function} failed: {fault.kind}"
    message = _placed(fault)
    found = runtime.finding(message, texts, code="H403", headline=headline)
    if not found.spans:
        found = replace(found, message=f"{headline}: {fault.message}")
    return replace(found, notes=tuple(fault.traceback.splitlines()[:MOST_FRAMES]))


def _placed(fault: Fault) -> str:
    """The message behind its place, which an error object leaves to the stack."""
    from moonq.registry.lua.runtime import innermost

    chunk, line = innermost(fault.traceback)
    place = f"{chunk}:{line}"
    return (
        fault.message
        if not chunk or fault.message.startswith(place)
        else f"{place}: {fault.message}"
    )
