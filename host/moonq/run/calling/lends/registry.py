"""What the project declares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moonq.errors import Invalid
from moonq.registry.hidden import written
from moonq.registry.project import Entry
from moonq.run.calling.lending import Caller, lent
from moonq.sandbox.lend import name

#: Bytes of what `registry.find` looks for.
MAX_CRITERIA = 64 * 1024
#: Entries that one answer has.
MAX_FOUND = 10_000


@lent(action="registry.read", names="", writes=False, waits=False)
def registry_get(caller: Caller, entry: bytes) -> bytes:
    """Return an entry as JSON."""
    return json.dumps(_object(caller.host.project.resolve(name(entry)))).encode()


@lent(action=None, writes=False, waits=False)
def registry_find(caller: Caller, criteria: bytes) -> bytes:
    """Return the entries that fit kind, namespace, name and meta, and may be read, as JSON."""
    if len(criteria) > MAX_CRITERIA:
        raise Invalid(f"the criteria have {len(criteria)} bytes, more than {MAX_CRITERIA}")
    wanted = json.loads(criteria) if criteria else {}
    if not isinstance(wanted.get("meta", {}), dict):
        raise Invalid("registry.find: meta: names and values expected, got a list")
    found = [
        entry
        for entry in caller.host.project.entries.values()
        if _fits(entry, wanted) and caller.may("registry.read", entry.id)
    ]
    if len(found) > MAX_FOUND:
        raise Invalid(
            f"registry.find: {len(found)} entries fit, more than {MAX_FOUND}",
            hint="say their kind, their namespace or some of their meta",
        )
    return json.dumps([_object(entry) for entry in found]).encode()


def _object(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": entry.id,
        "kind": entry.kind,
        "namespace": entry.namespace,
        "name": entry.name,
        "meta": dict(entry.shown_meta),
    }
    if entry.config.model_extra is not None:
        found["data"] = written(entry.node, dict(entry.config.model_extra))
    return found


def _fits(entry: Entry, wanted: Mapping[str, Any]) -> bool:
    for key in ("kind", "namespace", "name"):
        if key in wanted and getattr(entry, key) != wanted[key]:
            return False
    meta = wanted.get("meta") or {}
    return all(entry.shown_meta.get(key) == value for key, value in meta.items())
