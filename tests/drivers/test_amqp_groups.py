"""Groups on RabbitMQ: the suite on queues with partitions, and hosts that come and go."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pika
import pytest
from tests.drivers.conftest import DRIVERS, PLACES
from tests.servers.process import until

from moonq.clock import SystemClock
from moonq.conformance import CASES, holding
from moonq.conformance.holding import Finding
from moonq.drivers.amqp.driver import AmqpDriver
from moonq.drivers.amqp.partition import Partition, number_of
from moonq.drivers.base import Event
from moonq.errors import Conflict, Unsupported
from moonq.model import ACK, Delivery, ErrorRecord, Message, Priority, QueueSpec, Receipt, Retry

pytestmark = pytest.mark.aside("amqp")
KIND = DRIVERS["amqp"]
CHILD = Path(__file__).with_name("amqp_child.py")
SPEC = QueueSpec("q", dead_letter="q.dead")
BOOM = ErrorRecord(1.0, "INTERNAL", "boom")
GROUPED = [str(case) for case in CASES if case.topic == "groups"]
OTHERS = [str(case) for case in CASES if case.topic != "groups"]
Make = Callable[..., AmqpDriver]


# The suite


def findings(names: list[str]) -> dict[str, Finding]:
    """What becomes of these cases where queues have partitions."""
    fields = KIND.fields.model_validate({**_entry(PLACES[KIND.kind]()["url"]), "partitions": 4})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holding, "CASES", [case for case in CASES if str(case) in names])
        found = holding.hold(holding.twins(KIND, fields, Path()), KIND.pace)
        return {str(one.case): one for one in found}


@pytest.fixture(scope="session")
def grouped() -> dict[str, Finding]:
    return findings(GROUPED)


@pytest.fixture(scope="session")
def others() -> dict[str, Finding]:
    return findings(OTHERS)


@pytest.mark.parametrize("case", GROUPED)
def test_groups_keep_the_contract(grouped: dict[str, Finding], case: str) -> None:
    assert grouped[case].problem == ""


@pytest.mark.slow
@pytest.mark.parametrize("case", OTHERS)
def test_partitions_break_nothing_else(others: dict[str, Finding], case: str) -> None:
    assert others[case].problem == ""


# Hosts that come and go


def _entry(url: str, **more: Any) -> dict[str, Any]:
    return {"name": "d", "kind": KIND.kind, "url": url, **more}


@pytest.fixture
def url() -> str:
    found = PLACES[KIND.kind]()["url"]
    assert isinstance(found, str)
    return found


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def host(url: str, events: list[Event]) -> Iterator[Make]:
    """Makes hosts that share a virtual host of this test's own."""
    made: list[AmqpDriver] = []

    def driver(spec: QueueSpec = SPEC, *, partitions: int | None = 1) -> AmqpDriver:
        fields = KIND.fields.model_validate(_entry(url, partitions=partitions))
        one = KIND.make(fields, SystemClock(), Path())
        assert isinstance(one, AmqpDriver)
        made.append(one)
        one.open(events.append)
        one.declare(spec)
        return one

    yield driver
    for one in made:
        one.close()


@pytest.fixture
def count(url: str) -> Iterator[Callable[[str], int]]:
    """Counts what lies in a queue at the broker."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    yield lambda name: channel.queue_declare(name, passive=True).method.message_count
    connection.close()


def publish(driver: AmqpDriver, *names: str, **more: Any) -> None:
    """Publish messages, each in the group that its first letter names."""
    messages = [Message(name, b"{}", time.time(), group=name[0], **more) for name in names]
    assert driver.publish("q", messages, 5.0) == [Receipt(name) for name in names]


def run(consumer: Any, count: int = 1) -> list[Delivery]:
    """Take and start *count* messages."""
    found: list[Delivery] = []
    while len(found) < count:
        more = consumer.take(count - len(found), 10.0)
        assert more, f"only {found} of {count} came"
        found += [one for one in more if consumer.start(one)]
    return found


def serve(driver: AmqpDriver, prefetch: int = 10) -> Any:
    return driver.subscribe("q", prefetch, timeout=60.0)


def kill_in_run(url: str) -> tuple[str, int]:
    """Start another host and kill it once it runs a message: its id and interruptions."""
    argv = [sys.executable, CHILD, url, json.dumps({"partitions": 1})]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
    assert child.stdout is not None
    try:
        name, interruptions = child.stdout.readline().split()
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    return name, int(interruptions)


@pytest.mark.parametrize("queue_type", ["quorum", "classic"])
def test_what_a_message_has_been_through_is_known_to_the_next_host(
    host: Make, count: Callable[[str], int], queue_type: str
) -> None:
    spec = SPEC._replace(options={"queue_type": queue_type})
    first = host(spec)
    publish(first, "A1", "A2")
    consumer = serve(first)
    (a1,) = run(consumer)
    due = time.monotonic() + 0.8
    assert consumer.settle(a1, Retry(0.8, BOOM))
    assert first.close()
    second = host(spec)
    consumer = serve(second)
    (again,) = run(consumer)
    assert (again.message.id, again.attempt, again.errors) == ("A1", 2, (BOOM,))
    assert time.monotonic() >= due
    assert count("q.p0.notes") > 0
    assert consumer.settle(again, ACK)
    (a2,) = run(consumer)
    assert a2.message.id == "A2"
    assert consumer.settle(a2, ACK)
    until(lambda: count("q.p0.notes") == 0, "what is over needs no notes", 5)


def test_a_killed_host_leaves_its_groups_in_order_and_its_runs_counted(
    host: Make, url: str, events: list[Event]
) -> None:
    driver = host()
    publish(driver, "A1", "A2", "A3")
    consumer = serve(driver)
    (held,) = consumer.take(1, 5.0)
    assert held.message.id == "A1"
    consumer.stop()
    assert consumer.close(time.monotonic() + 5)  # a hand-back, which is no interruption
    assert [kill_in_run(url) for _ in range(3)] == [("A1", 0), ("A1", 1), ("A1", 2)]
    consumer = serve(driver)
    (a1,) = run(consumer)
    assert (a1.message.id, a1.interruptions, a1.attempt) == ("A1", 3, 1)
    assert "interrupted" in {one.kind for one in events}
    assert consumer.settle(a1, ACK)
    for name in ("A2", "A3"):
        (one,) = run(consumer)
        assert (one.message.id, one.interruptions) == (name, 0)
        assert consumer.settle(one, ACK)


def test_a_host_that_stops_finishes_what_runs_before_another_has_the_group(host: Make) -> None:
    first, second = host(), host()
    publish(first, "A1", "A2", "B1")
    leaving = serve(first, 1)
    (a1,) = run(leaving)
    staying = serve(second)
    leaving.stop()
    assert staying.take(1, 0.5) == []
    assert leaving.settle(a1, ACK)
    assert leaving.close(time.monotonic() + 5)
    names = [one.message.id for one in run(staying, 2)]
    assert sorted(names) == ["A2", "B1"]


def test_hosts_share_the_partitions(host: Make) -> None:
    """The first one has them all, until there is another."""
    spec = QueueSpec("q", options={"partitions": 4})
    first, second = host(spec), host(spec)
    names = "ABCDEFGHIJKL"
    assert {number_of(name, 4) for name in names} == {0, 1, 2, 3}
    one, other = serve(first, 20), serve(second, 20)
    publish(first, *(f"{name}{n}" for name in names for n in range(2)))
    begun = run(one, 12)
    for delivery in begun:
        assert one.settle(delivery, ACK)
    got = run(other, 1)
    assert got[0].message.id.endswith("1"), "the first of its group was done before"


def test_what_waits_for_long_is_taken_anew_before_the_broker_takes_it_away(host: Make) -> None:
    driver = host()
    publish(driver, "A1", "A2")
    consumer = serve(driver)
    (a1,) = run(consumer)
    assert consumer.settle(a1, Retry(1.0, BOOM))
    partition = driver._declarer.lines["q"].partitions[0]
    assert isinstance(partition, Partition)
    until(lambda: not partition.out, "it waits", 5)
    epoch = partition.epoch
    with partition.lock:
        partition.stale(time.monotonic())
    until(lambda: partition.epoch > epoch and bool(partition.buffer), "it is here anew", 5)
    (again,) = run(consumer)
    assert (again.message.id, again.attempt) == ("A1", 2)


def test_a_dead_letter_of_the_broker_says_which_queue_its_group_was_in(
    host: Make, url: str
) -> None:
    driver = host()
    publish(driver, "A1")
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    method, _, _ = next(channel.consume("q.p0"))
    channel.basic_reject(method.delivery_tag, requeue=False)
    (letter,) = driver.subscribe("q.dead", 10, timeout=60.0).take(1, 5.0)
    connection.close()
    assert letter.message.headers["x_original_queue"] == "q"
    assert letter.message.headers["x_dead_letter_reason"] == "rejected"


def test_a_handler_that_may_run_for_long_has_its_time_however_long_a_message_waited(
    host: Make,
) -> None:
    driver = host()
    publish(driver, "A1")
    consumer = driver.subscribe("q", 10, timeout=1740.0)
    (a1,) = run(consumer)
    assert consumer.settle(a1, Retry(600.0, BOOM))
    partition = driver._declarer.lines["q"].partitions[0]
    assert isinstance(partition, Partition)
    until(lambda: partition.buffer and not partition.out, "it waits", 5)
    epoch = partition.epoch
    with partition.lock:
        partition.buffer[0].came -= 31  # of the 30 minutes, 29 are the handler's
    until(lambda: partition.epoch > epoch, "it is taken anew", 5)


# Refusals


def test_how_many_partitions_there_are_is_never_changed(host: Make) -> None:
    publish(host(QueueSpec("q", options={"partitions": 2})), "A1")
    later = host(QueueSpec("q", options={"partitions": 3}))
    (answer,) = later.publish("q", [Message("A2", b"{}", time.time(), group="A")], 5.0)
    assert isinstance(answer, Conflict)
    assert "options.partitions is to be '3', and at the broker is '2'" in answer.message
    with pytest.raises(Conflict, match=r"options\.partitions"):
        serve(later)


def test_a_group_without_partitions_is_refused_with_the_option_that_allows_it(host: Make) -> None:
    driver = host(partitions=None)
    driver.declare(QueueSpec("g", options={"partitions": 2}))
    grouped = Message("A1", b"{}", time.time(), group="A")
    (refused,) = driver.publish("q", [grouped], 1.0)
    assert isinstance(refused, Unsupported)
    assert "partitions: 8" in refused.hint
    urgent = grouped._replace(priority=Priority.HIGH)
    stored, refused = driver.publish("g", [grouped, urgent], 5.0)
    assert stored == Receipt("A1")
    assert isinstance(refused, Unsupported)
    assert "leave the priority out" in refused.hint


def test_a_queue_that_lets_groups_skip_is_refused(host: Make) -> None:
    driver = host()
    with pytest.raises(Unsupported, match="group_on_failure: skip"):
        driver.declare(QueueSpec("s", group_on_failure="skip"))


def test_a_group_has_the_same_partition_in_every_process() -> None:
    assert [number_of(name, 8) for name in ("A", "customer-17", "ä")] == [3, 7, 3]
