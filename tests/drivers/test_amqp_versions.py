"""RabbitMQ of other versions: what is decided by the version, as their documentation has it."""

from __future__ import annotations

from typing import Any

import pytest

from moonq.drivers.amqp.topology import Shape
from moonq.errors import Unsupported
from moonq.model import QueueSpec

OLD, NEW = (3, 10, 8), (4, 3, 0)


def shape(**options: Any) -> Shape:
    return Shape.of(QueueSpec("q", options=options), is_twin=False)


@pytest.mark.parametrize(
    ("options", "refusing", "words"),
    [
        ({"priorities": True}, OLD, "needs RabbitMQ 4.3 or later for a quorum queue.*3.10.8"),
        ({"queue_type": "classic", "durable": False}, NEW, "cannot be false with RabbitMQ 4.3.0"),
    ],
)
def test_an_option_is_refused_where_the_broker_has_it_not(
    options: dict[str, Any], refusing: tuple[int, ...], words: str
) -> None:
    found = shape(**options)
    with pytest.raises(Unsupported, match=words):
        found.check("q", refusing)
    found.check("q", NEW if refusing is OLD else OLD)


@pytest.mark.parametrize(
    ("options", "most"),
    [
        ({}, None),
        ({"priorities": True}, 2),
        ({"queue_type": "classic"}, 2),
        ({"queue_type": "classic", "priorities": False}, 2),
    ],
)
def test_a_queue_has_priorities_where_it_says_so(options: dict[str, Any], most: int | None) -> None:
    assert shape(**options).main("q").arguments.get("x-max-priority") == most
    assert shape(**options).has_priorities == (most is not None)
