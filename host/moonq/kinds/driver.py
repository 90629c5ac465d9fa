"""`queue.driver.*`: whatever stores messages; the drivers themselves are in `moonq.drivers`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from moonq import drivers
from moonq.drivers.entry import DriverFields
from moonq.registry.draft import Draft, error
from moonq.registry.kind import Kind
from moonq.registry.problems import Problems
from moonq.registry.yaml.nodes import Map
from moonq.text.findings import Finding

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


KINDS = [Kind(name, model, aliases=_aliases(name)) for name, model in drivers.kinds().items()]
