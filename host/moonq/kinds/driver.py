"""`queue.driver.*`: whatever stores messages; the drivers themselves are in `moonq.drivers`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pydantic import BaseModel, ValidationError

from moonq import drivers, log
from moonq.drivers.base import Driver, Event
from moonq.drivers.entry import DriverFields
from moonq.errors import QueueError, Unavailable, Unopened
from moonq.registry.draft import Draft
from moonq.registry.problems import Problems
from moonq.registry.project import Entry
from moonq.registry.yaml.nodes import Map
from moonq.run.parts import Parts, Renewal, Service, ServiceKind
from moonq.text.findings import Finding, error

_log = log.get("moonq.host")
FAMILY = "queue.driver."
#: What people write who know the broker but not our word for it.
_ALIASES = {
    f"{FAMILY}amqp": {"rabbitmq": "RabbitMQ", "rabbit": "RabbitMQ"},
    f"{FAMILY}sqs": {"aws": "Amazon SQS"},
    f"{FAMILY}redis": {"valkey": "Valkey"},
    f"{FAMILY}memory": {
        "inmemory": "In memory",
        "in_memory": "In memory",
        "": "A driver in memory",
    },
    f"{FAMILY}sqlite": {"file": "A queue in a file"},
}


class DriverKind(ServiceKind):
    """One driver; messages stay where they are because it outlasts a reload."""

    outlasts = True

    def service(self, parts: Parts, entry: Entry) -> Service:
        """Return the driver, opened and closed."""
        driver = of(parts, entry.id)
        told = partial(parts.on_event, entry.id)

        def stop(timeout: float | None) -> None:
            deadline = None if timeout is None else parts.clock.monotonic() + timeout
            if not driver.close(deadline):
                _log.warning(
                    "%s: not every verdict could be stored, those messages run again", entry.id
                )

        return Service(lambda: _open(driver, told, parts.host_name), stop, detail=entry.kind)

    def prepare(self, renewal: Renewal, entry: Entry) -> None:
        """Open a driver that is new."""
        if renewal.new.supervisor.get(entry.id) is None:
            service = self.service(renewal.new, entry)
            service.start()
            renewal.undo.callback(service.stop, None)


def _open(driver: Driver, told: Callable[[Event], None], name: str) -> None:
    """Open it, by the host's *name*; whatever keeps it closed, what it stores is unavailable.

    Raises:
        Unavailable: It could not be opened; `Refused` where the broker turns us away.
    """
    try:
        driver.open(told, name=name)
    except Unavailable:
        raise
    except QueueError as problem:
        raise Unopened(problem.message, hint=problem.hint) from None


def of(parts: Parts, entry_id: str) -> Driver:
    """Return the driver that an entry declares, open or not."""
    driver = parts.drivers.get(entry_id)
    if driver is None:
        entry = parts.project.entries[entry_id]
        make = drivers.descriptor(entry.kind).make
        driver = parts.drivers[entry_id] = parts.new_driver(
            entry, lambda: make(entry.config, parts.clock, parts.project.root)
        )
    return driver


def options(
    draft: Draft, driver: DriverFields, model: type[BaseModel], defaults: dict[str, Any]
) -> tuple[BaseModel, list[Finding]]:
    """Return the `options` of a queue or consumer at *driver*, and what is wrong with them."""
    node = draft.node.get("options")
    written = {} if draft.options is None else draft.options
    if not isinstance(node, Map):
        wrong = [error("R207", "`options` must be a map", draft.span(node))] if written else []
        return model.model_validate(defaults), wrong
    try:
        return model.model_validate({**defaults, **written}), []
    except ValidationError as problem:
        what = draft.kind.rpartition(".")[2]
        problems = Problems(draft.source, node, model, f"a {what} at {driver.kind}", "option")
        return model.model_validate(defaults), problems.of(problem)


def _aliases(name: str) -> dict[str, str]:
    words = _ALIASES.get(name, {})
    return {f"{FAMILY}{word}".rstrip("."): text for word, text in words.items()}


KINDS = [DriverKind(name, model, aliases=_aliases(name)) for name, model in drivers.kinds().items()]
