"""What looks wrong in entries that are each right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from moonq.drivers import descriptor
from moonq.kinds.consumer import Consumer
from moonq.kinds.queue import Queue
from moonq.kinds.variable import Variable
from moonq.registry.draft import Drafts
from moonq.text.findings import Finding, error


def unserved(drafts: Drafts) -> Iterator[Finding]:
    """Yield the queues whose messages nobody takes.

    Those of dead letters wait for people, and another host may serve what it can see.
    """
    fields = [draft.fields for draft in drafts.values()]
    served = {one.queue for one in fields if isinstance(one, Consumer)}
    queues = [one for one in fields if isinstance(one, Queue)]
    letters = {one.dead_letter.queue for one in queues if one.dead_letter}
    for draft in drafts.values():
        queue = draft.config
        if not isinstance(queue, Queue) or draft.id in served | letters:
            continue
        if drafts.config(queue.driver) and _is_private(drafts.kind_of(queue.driver)):
            yield error(
                "R221",
                f"no consumer serves `{draft.id}`, so what is published into it stays there",
                draft.span(None),
                help=f"add a `queue.consumer` with `queue: {draft.name}`",
                severity="note",
            )


def _is_private(driver: str) -> bool:
    """Say whether no other host sees the messages of *driver*."""
    return descriptor(driver).capabilities.several_hosts == "none"


def unset(drafts: Drafts, env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the variables that scripts would read as nil."""
    for draft in drafts.values():
        fields = draft.config
        if isinstance(fields, Variable) and fields.default is None and fields.variable not in env:
            yield error(
                "R222",
                f"the variable `{fields.variable}` is not set here and has no default",
                draft.span_of("variable", label="scripts read it as nil"),
                help=f"set {fields.variable}, or write `default:` below it",
                severity="warning",
            )
