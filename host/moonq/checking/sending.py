"""Which scripts publish into which queues, and call which functions, as far as their text says so.

    sendings(project)     # [Sending("app:checkout", "publishes", "app:orders", "checkout.lua", 9)]

What a call names is known where it is written there, or in a local or a field that is set once,
here or in a library. What is only known when it runs has no target.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from moonq.checking.names import Called, Names, Required
from moonq.checking.parsing import literal
from moonq.checking.walking import names_of
from moonq.operations.entries import Sending
from moonq.registry import names
from moonq.registry.project import Entry, Project
from moonq.registry.script import Script
from moonq.run.security.actions import ACTIONS

#: What is done, by the function that a script calls for it.
_DONE = {
    tuple(asked.split(".")): word
    for action, word in (("queue.publish", "publishes"), ("funcs.call", "calls"))
    for asked in ACTIONS[action].asked_by
}


def sendings(project: Project) -> list[Sending]:
    """Return what every script of *project* publishes and calls, each target once; tests apart."""
    read = {
        entry.id: names_of(entry.source_text)
        for entry in project.entries.values()
        if entry.script and entry.meta.get("type") != "test"
    }
    found: dict[tuple[str, str, str], Sending] = {}
    for id_, known in read.items():
        for one in _of(project.entries[id_], known, project, read):
            found.setdefault((one.source, one.field, one.target), one)
    return list(found.values())


def _of(
    entry: Entry, known: Names, project: Project, read: Mapping[str, Names]
) -> Iterator[Sending]:
    imports = entry.fields(Script).imports
    for call in known.calls:
        callee = call.callee.expanded()
        base = callee.base
        if not isinstance(base, Required) or base.module in imports:
            continue
        word = _DONE.get((base.module, *callee.fields))
        if word is None:
            continue
        written = _written(call, known, entry, read)
        target = names.full(written, entry.namespace) if written else ""
        if target in project.entries or target in project.implied or not written:
            line = call.argument.start_point[0] + 1
            yield Sending(entry.id, word, target, entry.source_name, line)


def _written(call: Called, known: Names, entry: Entry, read: Mapping[str, Names]) -> str | None:
    """Return what the first argument of a call is, if the text says so."""
    if call.chain is None:
        return literal(call.argument)
    if (found := known.constant(call.chain)) is not None:
        return found
    chain = call.chain.expanded()
    if not isinstance(chain.base, Required) or not chain.fields:
        return None
    library = entry.fields(Script).imports.get(chain.base.module, "")
    there = read.get(names.full(library, entry.namespace))
    return there.field(chain.fields) if there else None
