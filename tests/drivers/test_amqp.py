"""RabbitMQ: the suite on a real broker, and its own: interruptions, bounds, other clients."""

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
from tests.servers import rabbit
from tests.servers.process import until

from moonq.clock import Clock, SystemClock
from moonq.conformance import CASES, holding
from moonq.conformance.holding import Finding
from moonq.drivers.amqp import ladder
from moonq.drivers.amqp.driver import AmqpDriver
from moonq.drivers.amqp.envelope import pack
from moonq.drivers.base import Event
from moonq.errors import Conflict, QueueFull, Unsupported
from moonq.model import (
    ACK,
    RELEASE,
    Dead,
    Delivery,
    ErrorRecord,
    Message,
    Priority,
    QueueSpec,
    Receipt,
    Retry,
)

pytestmark = pytest.mark.aside("amqp")
KIND = DRIVERS["amqp"]
CHILD = Path(__file__).with_name("amqp_child.py")
BOOM = ErrorRecord(1.0, "INTERNAL", "boom")
SPEC = QueueSpec("q", dead_letter="q.dead")
Make = Callable[..., AmqpDriver]


def fields_at(url: str, **more: Any) -> Any:
    return KIND.fields.model_validate({"name": "d", "kind": KIND.kind, "url": url, **more})


@pytest.fixture(scope="module")
def url() -> str:
    """A virtual host that these tests share, each with queues of its own."""
    found = PLACES[KIND.kind]()["url"]
    assert isinstance(found, str)
    return found


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def make(url: str, events: list[Event], request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes open drivers whose queues are this test's own."""
    made: list[AmqpDriver] = []
    prefix = f"{request.node.name[:40]}/"

    def driver(clock: Clock | None = None, spec: QueueSpec = SPEC, **more: Any) -> AmqpDriver:
        fields = fields_at(more.pop("url", url), **{"prefix": prefix, **more})
        one = KIND.make(fields, clock or SystemClock(), Path())
        assert isinstance(one, AmqpDriver)
        made.append(one)
        one.open(events.append)
        one.declare(spec)
        return one

    yield driver
    for one in made:
        one.close()
    for one in made[-1:]:
        one.erase()


def message(name: str, **more: Any) -> Message:
    return Message(name, more.pop("body", b"{}"), time.time(), **more)


def publish(driver: AmqpDriver, *names: str, queue: str = "q", **more: Any) -> None:
    answers = driver.publish(queue, [message(name, **more) for name in names], 5.0)
    assert answers == [Receipt(name) for name in names]


def taken(
    driver: AmqpDriver, queue: str = "q", prefetch: int = 10, count: int = 1
) -> tuple[Any, list[Delivery]]:
    """A consumer, and the first *count* messages that it gets."""
    consumer = driver.subscribe(queue, prefetch, timeout=60.0)
    found = consumer.take(count, 5.0)
    while len(found) < count:
        more = consumer.take(count - len(found), 5.0)
        assert more, f"only {len(found)} of {count} came"
        found += more
    return consumer, found


def leave(consumer: Any) -> None:
    consumer.stop()
    assert consumer.close(time.monotonic() + 5)


@pytest.fixture
def channel(url: str) -> Iterator[Any]:
    """A channel of another client."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    yield connection.channel()
    connection.close()


# The suite


@pytest.fixture(scope="session")
def findings(request: pytest.FixtureRequest) -> dict[str, Finding]:
    """What became of each case; all were proved at once, in real time that goes faster."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    params = [item.callspec.params for item in items if hasattr(item, "callspec")]
    wanted = {param.get("case") for param in params}
    factory = holding.twins(KIND, fields_at(PLACES[KIND.kind]()["url"]), Path())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holding, "CASES", [case for case in CASES if str(case) in wanted])
        return {str(one.case): one for one in holding.hold(factory, KIND.pace)}


@pytest.mark.parametrize("case", [str(case) for case in CASES])
def test_the_contract_holds(findings: dict[str, Finding], case: str) -> None:
    finding = findings[case]
    if finding.skipped:
        pytest.skip(finding.skipped)
    assert not finding.problem


# Interruptions


def test_a_hundred_hand_backs_are_no_interruption_and_five_crashes_are(make: Make) -> None:
    """A message that kills its host is told from one that hosts hand back as they are deployed."""
    where = rabbit.place()["url"]
    driver = make(url=where, prefix="")
    publish(driver, "killer")
    for _ in range(100):
        consumer, (delivery,) = taken(driver)
        assert (delivery.message.id, delivery.interruptions) == ("killer", 0)
        leave(consumer)
    assert [_let_it_kill(where) for _ in range(5)] == [("killer", n) for n in range(5)]
    consumer, (delivery,) = taken(driver)
    assert (delivery.interruptions, delivery.attempt) == (5, 1)
    assert delivery.lost_at is not None
    assert consumer.settle(delivery, Dead("interrupted"))
    leave(consumer)
    _, (letter,) = taken(driver, "q.dead")
    assert letter.message.headers["x_dead_letter_reason"] == "interrupted"


def _let_it_kill(where: str) -> tuple[str, int]:
    """Start a host and kill it once it runs a message: its id and interruptions."""
    child = subprocess.Popen(
        [sys.executable, CHILD, where], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert child.stdout is not None
    try:
        name, interruptions = child.stdout.readline().split()
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    return name, int(interruptions)


def test_what_runs_in_a_crash_is_counted_though_its_neighbours_are_not(make: Make) -> None:
    """Ten messages are held together, and one of them kills the host each time it runs."""
    where = rabbit.place()["url"]
    driver = make(url=where, prefix="")
    publish(driver, "killer", *(f"m{n}" for n in range(5)))
    assert [_let_it_kill(where)[0] for _ in range(2)] == ["killer"] * 2
    _, deliveries = taken(driver, count=6)
    counted = {one.message.id: one.interruptions for one in deliveries}
    # The first crash looks like a hand-back.
    assert counted == {"killer": 1, **{f"m{n}": 0 for n in range(5)}}


# Other clients


def test_a_message_of_ours_is_read_by_any_client(make: Make, url: str) -> None:
    driver = make()
    headers = {"correlation_id": "c-1", "source": "shop", "big": 2**62, "price": 0.1, "CC": "me"}
    body = json.dumps({"task": 1}).encode()
    publish(driver, "a", body=body, headers=headers, priority=Priority.NORMAL)
    name = driver._declarer.at_broker("q")

    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    method, properties, raw = channel.basic_get(name)
    assert method is not None
    assert json.loads(raw) == {"task": 1}
    assert (properties.message_id, properties.content_type) == ("a", "application/json")
    assert (properties.correlation_id, properties.app_id) == ("c-1", "shop")
    assert properties.headers["big"] == 2**62
    channel.basic_nack(method.delivery_tag)
    connection.close()

    _, (delivery,) = taken(driver)
    assert delivery.message.headers == headers


def test_a_message_of_any_client_is_handled_and_keeps_its_id(make: Make, channel: Any) -> None:
    driver = make()
    properties = pika.BasicProperties(
        reply_to="answers",
        type="order",
        headers={"tenant": "t1", "nested": {"a": [1]}, "CC": ["x"]},
    )
    channel.basic_publish("", driver._declarer.at_broker("q"), b'{"n": 1}', properties)
    channel.basic_publish("", driver._declarer.at_broker("q"), b"no json")
    consumer, first = taken(driver, count=2)
    order, other = (one.message for one in first)
    assert order.headers == {
        "tenant": "t1",
        "nested": '{"a": [1]}',
        "CC": '["x"]',
        "reply_to": "answers",
        "message_type": "order",
    }
    assert (order.content_type, other.body) == ("application/json", b"no json")
    assert order.id != other.id
    assert consumer.start(first[0])
    assert consumer.settle(first[0], Retry(0.1, BOOM))
    leave(consumer)
    _, again = taken(driver, count=2)
    assert {(one.message.id, one.attempt) for one in again} == {(order.id, 2), (other.id, 1)}


def test_a_dead_letter_of_the_broker_says_where_it_came_from(make: Make, channel: Any) -> None:
    """Beyond its limit of returns the broker buries a message itself."""
    driver = make()
    publish(driver, "a")
    method, _, _ = channel.basic_get(driver._declarer.at_broker("q"))
    channel.basic_reject(method.delivery_tag, requeue=False)
    _, (letter,) = taken(driver, "q.dead")
    assert letter.message.id == "a"
    assert letter.message.headers["x_original_queue"] == "q"
    assert driver.redrive("q.dead", "") == 0, "somebody reads it"


# Bounds and refusals


def test_a_queue_that_is_there_in_another_way_says_what_was_wanted_and_found(make: Make) -> None:
    driver = make(spec=QueueSpec("q", max_length=5))
    publish(driver, "a")
    with pytest.raises(Conflict, match="max_length is to be '3', and at the broker is '5'"):
        make(spec=QueueSpec("q", max_length=3))
    with pytest.raises(Conflict, match=r"options.queue_type is to be 'classic'.* 'quorum'"):
        driver.declare(QueueSpec("q", max_length=5, options={"queue_type": "classic"}))
    driver.declare(QueueSpec("c", options={"queue_type": "classic"}))
    with pytest.raises(Conflict, match=r"options.queue_type is to be 'quorum'.* 'classic'"):
        make(spec=QueueSpec("c"))
    # What was declared before stays in force.
    publish(driver, "b")


def test_a_full_queue_holds_up_no_retry_of_another_one(make: Make) -> None:
    """All queues share the ladder; what comes down it has room in every queue."""
    driver = make(spec=QueueSpec("full", max_length=1))
    driver.declare(SPEC)
    full = driver.subscribe("full", 40, timeout=60.0)
    held: list[Delivery] = []
    for n in range(40):
        publish(driver, f"m{n}", queue="full")
        held += full.take(1, 5.0)
    for one in held:
        assert full.settle(one, Retry(0.2, BOOM))
    leave(full)
    refusals = [driver.publish("full", [message(f"x{n}")], 0.0)[0] for n in range(10)]
    assert isinstance(refusals[-1], QueueFull)
    consumer = driver.subscribe("q", 10, timeout=60.0)
    publish(driver, "a")
    (delivery,) = consumer.take(1, 5.0)
    begun = time.monotonic()
    assert consumer.settle(delivery, Retry(0.3, BOOM))
    assert [one.message.id for one in consumer.take(1, 5.0)] == ["a"]
    assert 0.3 <= time.monotonic() - begun < 1.3


def test_a_classic_queue_serves_high_before_low_and_a_quorum_queue_says_so(make: Make) -> None:
    driver = make(spec=QueueSpec("c", options={"queue_type": "classic"}))
    driver.declare(SPEC)
    for level in Priority:
        publish(driver, level.name, queue="c", priority=level)
    _, served = taken(driver, "c", prefetch=1)
    assert [one.message.id for one in served] == ["HIGH"]
    (refused,) = driver.publish("q", [message("a", priority=Priority.HIGH)], 1.0)
    assert isinstance(refused, Unsupported)
    assert "queue_type: classic" in refused.hint


@pytest.mark.parametrize("timeout", [None, 1800.0])
def test_a_handler_that_the_broker_would_interrupt_is_refused(
    make: Make, timeout: float | None
) -> None:
    driver = make()
    with pytest.raises(Unsupported, match="takes a message away after 1800 s"):
        driver.subscribe("q", 10, timeout=timeout)


# What happens behind our back


def test_a_queue_that_somebody_deletes_is_made_again_and_consumed(
    make: Make, channel: Any, events: list[Event]
) -> None:
    driver = make()
    consumer = driver.subscribe("q", 10, timeout=60.0)
    channel.queue_delete(driver._declarer.at_broker("q"))
    until(lambda: any(one.kind == "cancelled" for one in events), "it is told", 5)
    publish(driver, "a")
    assert [one.message.id for one in consumer.take(1, 5.0)] == ["a"]


def test_a_dead_letter_queue_that_is_gone_loses_no_dead_letter(
    make: Make, channel: Any, events: list[Event]
) -> None:
    driver = make()
    publish(driver, "a")
    consumer, (delivery,) = taken(driver)
    channel.queue_delete(driver._declarer.at_broker("q.dead"))
    assert consumer.start(delivery)
    assert consumer.settle(delivery, Dead("rejected", BOOM))
    until(lambda: any(one.kind == "dead_letter_failed" for one in events), "it is told", 5)
    assert "dead letter of 'q' cannot be stored" in driver.health()[0]
    assert consumer.close(time.monotonic() + 5)
    assert driver.info("q").dead in {0, None}
    assert driver.info("q").delayed is None, "it waits in the ladder"


def test_a_ladder_that_somebody_deletes_is_made_again_for_what_was_published(make: Make) -> None:
    driver = make(url=(where := rabbit.place()["url"]))
    consumer = driver.subscribe("q", 10, timeout=60.0)
    connection = pika.BlockingConnection(pika.URLParameters(where))
    for level in range(ladder.LEVELS):
        connection.channel().exchange_delete(ladder.exchange(level))
    connection.close()
    publish(driver, "late", delay=0.2)
    publish(driver, "now")
    names = [one.message.id for one in consumer.take(1, 5.0) + consumer.take(1, 5.0)]
    assert sorted(names) == ["late", "now"]


def test_a_channel_that_the_broker_closes_is_opened_again(make: Make, events: list[Event]) -> None:
    """As it does when a consumer exceeds its time."""
    driver = make()
    consumer = driver.subscribe("q", 10, timeout=60.0)
    publish(driver, "a")
    (delivery,) = consumer.take(1, 5.0)
    line_channel = driver._declarer.lines["q"].channel
    assert line_channel is not None
    line_channel.ack(9999)
    until(lambda: any(one.kind == "cancelled" for one in events), "it is told", 5)
    assert not consumer.settle(delivery, ACK), "it is not ours any more"
    (again,) = consumer.take(1, 5.0)
    assert again.message.id == "a"
    assert consumer.start(again)
    assert consumer.settle(again, ACK)


def test_messages_of_deleted_queues_are_told_of(make: Make) -> None:
    where = rabbit.place()["url"]
    driver = make(url=where)
    publish(driver, "a", delay=0.1)
    connection = pika.BlockingConnection(pika.URLParameters(where))
    connection.channel().queue_delete(driver._declarer.at_broker("q.again"))
    unroutable = connection.channel()
    until(
        lambda: unroutable.queue_declare("moonq.unroutable", passive=True).method.message_count,
        "it is there",
    )
    connection.close()
    # Whoever begins anew looks, as the keeper of a connection does.
    driver._declarer.shared(is_known=False)
    assert list(driver.health()) == ["1 message of queues that were deleted in moonq.unroutable"]


def test_what_every_level_of_the_ladder_is_called_fits(url: str) -> None:
    longest = "ü" * 80
    assert len(ladder.key(longest, ladder.units(ladder.LONGEST))[1].encode()) <= 255
    assert ladder.units(0.3) == 3
    assert ladder.units(0.31) == 4
    assert ladder.units(900.0, exact=False) >= 9000
    assert bin(ladder.units(899.9, exact=False)).count("1") <= ladder.DIGITS


def test_a_name_that_a_broker_would_read_itself_travels_as_it_is() -> None:
    packed = pack(message("a", headers={"x-death": "mine", "BCC": "b", "n": 1}), durable=True)
    assert packed.headers is not None
    assert not {"x-death", "BCC"} & set(packed.headers)


def test_a_hand_back_among_many_leaves_the_rest(make: Make) -> None:
    driver = make()
    publish(driver, *(f"m{n}" for n in range(6)))
    consumer, deliveries = taken(driver, prefetch=6, count=6)
    assert consumer.settle(deliveries[2], RELEASE)
    assert consumer.ack(deliveries[3:]) == [True] * 3
    (again,) = consumer.take(6, 5.0)
    assert again.message.id == "m2"
    assert consumer.start(again)
    assert all(consumer.settle(one, ACK) for one in (again, *deliveries[:2]))
    leave(consumer)
    until(lambda: driver.info("q").ready == 0, "all are done", 5)


def test_a_purge_drops_what_came_back_too(make: Make) -> None:
    driver = make()
    publish(driver, "a", "b")
    consumer, (delivery,) = taken(driver, prefetch=1)
    assert consumer.start(delivery)
    assert consumer.settle(delivery, Retry(0.0, BOOM))
    leave(consumer)
    until(lambda: make().purge("q") == 2, "both are there", 5)


def test_one_consumer_sees_publish_order_and_what_it_hands_back_comes_first(make: Make) -> None:
    driver = make()
    names = [f"m{n:02}" for n in range(40)]
    publish(driver, *names)
    consumer, deliveries = taken(driver, prefetch=7, count=5)
    assert [one.message.id for one in deliveries] == names[:5]
    leave(consumer)
    until(lambda: driver.info("q").ready == 40, "all are back", 5)
    _, again = taken(driver, prefetch=40, count=40)
    assert [one.message.id for one in again] == names
