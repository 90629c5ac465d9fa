"""Asks SQS who it is and about the project's queues, for `moonq doctor`; changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from moonq.drivers.sqs.declaring import Declarer, is_fifo, may_not_list
from moonq.drivers.sqs.names import at_sqs
from moonq.drivers.sqs.queue import SqsQueue
from moonq.drivers.sqs.service import Service, Settings, made
from moonq.errors import QueueNotFound, Refused
from moonq.model import QueueSpec
from moonq.text.wording import plural


def reach(settings: Settings, prefix: str) -> str:
    """Return a line about SQS and the queues whose names begin with *prefix*.

    Raises:
        QueueError: It does not answer, or turns us away.
    """
    service = _service(settings)
    count = ""
    try:
        named = f" named {prefix}…" if prefix else ""
        count = f": {plural(len(service.urls(prefix)), 'queue')}{named}"
    except Refused as problem:
        if not may_not_list(problem):
            raise
    region = made(settings, settings.timeout).meta.region_name
    where = f"{settings.endpoint} as {region}" if settings.endpoint else f"SQS in {region}"
    return where + count


def advise(
    settings: Settings, prefix: str, specs: Sequence[QueueSpec], *, create: bool, fifo: bool
) -> list[str]:
    """Return a sentence for each queue of *specs* that forgets too soon.

    Raises:
        QueueNotFound: Some are not there, and are not to be made; names all of them.
        Conflict: One is of the other type.
    """
    declarer = Declarer(_service(settings), prefix, create=False)
    notes: list[str] = []
    missing: list[str] = []
    for queue in _queues(prefix, specs, fifo=fifo):
        try:
            declarer.resolve(queue)
        except QueueNotFound:
            missing.append(queue.name)
        notes += filter(None, [queue.note])
    if missing and not create:
        those = "queue" if len(missing) == 1 else "queues"
        raise QueueNotFound(
            f"{settings.endpoint or 'SQS'} has no {those} {', '.join(missing)}",
            hint="make what is missing, or let moonq do it with `create: true`",
        )
    return notes


def _queues(prefix: str, specs: Sequence[QueueSpec], *, fifo: bool) -> Iterable[SqsQueue]:
    """Return the queues of *specs* and of their dead letters, which are of the same type."""
    found: dict[str, SqsQueue] = {}
    for spec in specs:
        of_type = is_fifo(spec, fifo=fifo)
        for one in filter(None, (spec.name, spec.dead_letter)):
            name = at_sqs(prefix, one, fifo=of_type)
            found.setdefault(one, SqsQueue(QueueSpec(one), name, fifo=of_type))
    return found.values()


def _service(settings: Settings) -> Service:
    return Service(settings, lambda kind, detail: None)
