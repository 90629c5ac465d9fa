"""RabbitMQ's management interface: counts across hosts, and what is wrong with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.drivers.conftest import DRIVERS
from tests.servers import rabbit
from tests.servers.process import free_port, until
from tests.servers.rabbit import Rabbit

from moonq.clock import SystemClock
from moonq.drivers.amqp.driver import AmqpDriver
from moonq.errors import QueueError, Refused, Unavailable
from moonq.model import Message, QueueSpec

pytestmark = pytest.mark.aside("amqp")
KIND = DRIVERS["amqp"]
Make = Callable[..., AmqpDriver]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbit]:
    """A node that has the interface, with statistics as fresh as they can be."""
    node = rabbit.fresh(tmp_path_factory.mktemp("managed"), is_managed=True)
    node.user("stranger", "s3cret")
    node.allow("stranger", "/")
    yield node
    node.end()


@pytest.fixture
def make(node: Rabbit) -> Iterator[Make]:
    made: list[AmqpDriver] = []

    def open_one(management: str, **more: Any) -> AmqpDriver:
        driver = AmqpDriver(_fields(node, management, **more), SystemClock(), Path())
        driver.declare(QueueSpec("q"))
        driver.open(lambda event: None)
        made.append(driver)
        return driver

    yield open_one
    for one in made:
        one.close()
    for one in made[-1:]:
        one.erase()


def _fields(node: Rabbit, management: str, **more: Any) -> Any:
    entry = {"name": "d", "kind": KIND.kind, "url": node.url(), "management_url": management}
    return KIND.fields.model_validate({**entry, **more})


def _url(node: Rabbit, who: str = "") -> str:
    return f"http://{who}127.0.0.1:{node.management_port}"


def test_what_another_host_holds_is_counted(node: Rabbit, make: Make) -> None:
    other, here, blind = make(_url(node)), make(_url(node)), make(_url(node, "stranger:s3cret@"))
    other.publish("q", [Message(name, b"{}", time.time()) for name in "abc"], 5.0)
    consumer = other.subscribe("q", 2, timeout=60.0)
    assert len(consumer.take(2, 5.0)) == 2

    until(lambda: here.info("q").leased == 2, "the statistics to be made", 20.0)
    found = here.info("q")
    assert (found.ready, found.running, found.message_count) == (1, 0, 3)
    assert blind.info("q").leased is None
    assert "does not let user 'stranger' in" in " ".join(blind.health())
    assert not here.health()


@pytest.mark.parametrize(
    ("management", "error", "words"),
    [
        ("http://guest:wr0ng@127.0.0.1:{}", Refused, "does not let user 'guest' in"),
        ("https://127.0.0.1:{}", Unavailable, "TLS fails"),
    ],
)
def test_doctor_says_what_is_wrong_with_it(
    node: Rabbit, management: str, error: type[QueueError], words: str
) -> None:
    fields = _fields(node, management.format(node.management_port))
    with pytest.raises(error, match=words) as caught:
        KIND.reach(fields, Path())
    assert "wr0ng" not in f"{caught.value} {caught.value.hint}"


def test_doctor_names_who_answers(node: Rabbit) -> None:
    said = KIND.reach(_fields(node, _url(node)), Path())
    assert "management 3." in said
    assert f"at 127.0.0.1:{node.management_port}" in said


@pytest.mark.parametrize("port", ["nobody", "broker"])
def test_doctor_says_that_it_is_something_else(node: Rabbit, port: str) -> None:
    at = node.port if port == "broker" else free_port()
    with pytest.raises(Unavailable, match=f"127.0.0.1:{at}") as caught:
        KIND.reach(_fields(node, f"http://127.0.0.1:{at}"), Path())
    assert "management_url" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("management", "words"),
    [
        ("broker:15672", "begins with http:// or https://"),
        ("amqp://broker", "begins with http:// or https://"),
        ("http://", "begins with http:// or https://"),
        ("http://guest:s3/cret@broker", "cannot be read"),
        ("http://broker/?user=guest", "has a '?'"),
        ("http://guest@broker", "a user and no password"),
    ],
)
def test_what_is_no_address_is_refused(management: str, words: str) -> None:
    entry = {"name": "d", "kind": KIND.kind, "management_url": management}
    with pytest.raises(ValueError, match="management") as caught:
        KIND.fields.model_validate(entry)
    assert words in str(caught.value)
