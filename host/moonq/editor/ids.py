"""The ids of a project as types of Lua: an editor completes them, and knows one that is misspelt.

---@alias moonq.QueueId
---| "app:orders" # queue.queue at app:mem, dead letters in app:orders.dead
---| "orders" # app:orders
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from moonq.kinds.queue import Queue
from moonq.registry.project import Entry, Project

#: The types that annotations name, and the kinds of entries whose ids they have; a trailing dot
#: means the whole family, "" every kind.
TYPES: Mapping[str, str] = {
    "moonq.EntryId": "",
    "moonq.QueueId": "queue.queue",
    "moonq.ConsumerId": "queue.consumer",
    "moonq.DriverId": "queue.driver.",
    "moonq.FunctionId": "function.lua",
    "moonq.LibraryId": "library.lua",
    "moonq.ModuleId": "module.python",
    "moonq.StoreId": "store.",
    "moonq.DatabaseId": "sql.database",
    "moonq.HttpClientId": "http.client",
    "moonq.VariableId": "env.variable",
    "moonq.PolicyId": "security.policy",
}


def registry(project: Project) -> str:
    """Return the file with one alias for each kind of entry."""
    aliases = (_alias(name, ids_of(project, kind)) for name, kind in TYPES.items())
    return "\n\n".join([*("\n".join(alias) for alias in aliases), ""])


def ids_of(project: Project, kind: str) -> dict[str, str]:
    """Return the ids of the entries of *kind*, implied ones too, and what each is in words."""
    entries = project.of_kind(kind) if kind else [*project.entries.values()]
    found = {entry.id: described(entry) for entry in entries}
    for id_, owner in project.implied.items():
        if owner in found:
            found[id_] = f"the dead letters of {owner}"
    return dict(sorted(found.items()))


def described(entry: Entry) -> str:
    """Return what an entry is, in one line."""
    parts = [entry.kind]
    if comment := entry.shown_meta.get("comment"):
        parts.append(" ".join(str(comment).split()))
    if entry.kind == "queue.consumer":
        parts.append(f"of {entry.target('queue')}, calls {entry.target('func')}")
    if isinstance(entry.config, Queue):
        parts[0] += f" at {entry.config.driver}"
        dead = entry.target("dead_letter")
        parts.append(f"dead letters in {dead}" if dead else "no dead letters")
    return ", ".join(parts)


def _alias(name: str, ids: Mapping[str, str]) -> Iterator[str]:
    """An alias of *ids* and their bare names; where there are none, any text is allowed."""
    if not ids:
        yield f"---@alias {name} string"
        return
    yield f"---@alias {name}"
    yield from (f'---| "{id_}" # {words}' for id_, words in ids.items())
    bare = defaultdict(list)
    for id_ in ids:
        bare[id_.partition(":")[2]].append(id_)
    yield from (f'---| "{short}" # {", ".join(whole)}' for short, whole in sorted(bare.items()))
