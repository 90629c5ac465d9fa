"""RabbitMQ that is killed, restarted, short of memory or not there: nothing confirmed is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.drivers.conftest import DRIVERS
from tests.servers.process import free_port, until
from tests.servers.rabbit import Rabbit

from moonq.clock import SystemClock
from moonq.drivers.amqp.driver import AmqpDriver
from moonq.drivers.base import Event
from moonq.errors import QueueError, Refused, Unavailable
from moonq.model import ErrorRecord, Message, QueueSpec, Receipt, Retry

pytestmark = pytest.mark.aside("amqp")
KIND = DRIVERS["amqp"]
SPEC = QueueSpec("q", dead_letter="q.dead")
BOOM = ErrorRecord(1.0, "INTERNAL", "boom")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbit]:
    """A broker that these tests may kill."""
    rabbit = Rabbit(tmp_path_factory.mktemp("rabbit"))
    rabbit.start()
    yield rabbit
    rabbit.end()


def driver_at(url: str, **more: Any) -> AmqpDriver:
    place = {} if "urls" in more else {"url": url}
    fields = {"name": "d", "kind": KIND.kind, "reconnect_max_delay": 0.5, **place, **more}
    driver = KIND.make(KIND.fields.model_validate(fields), SystemClock(), Path())
    assert isinstance(driver, AmqpDriver)
    return driver


def message(name: str, **more: Any) -> Message:
    return Message(name, name.encode(), time.time(), **more)


class Load:
    """A publisher whose every third message is delayed, and a consumer that fails each once."""

    def __init__(self, driver: AmqpDriver) -> None:
        self.driver = driver
        self.confirmed: list[str] = []
        self.done: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=one) for one in (self._publish, self._consume)]
        for thread in self._threads:
            thread.start()

    def _publish(self) -> None:
        number = 0
        while not self._stop.wait(0.02):
            names = [f"m{number + n}" for n in range(20)]
            number += 20
            batch = [message(one, delay=0.7 * (n % 3 == 0)) for n, one in enumerate(names)]
            for name, answer in zip(names, self.driver.publish("q", batch, 2.0), strict=True):
                if isinstance(answer, Receipt):
                    self.confirmed.append(name)

    def _consume(self) -> None:
        consumer = self.driver.subscribe("q", 50, timeout=60.0)
        while not self._stop.is_set() or set(self.confirmed) - set(self.done):
            for delivery in consumer.take(20, 0.2):
                if not consumer.start(delivery):
                    continue
                if delivery.attempt == 1:
                    consumer.settle(delivery, Retry(0.3, BOOM))
                else:
                    # Noted first: what is seen and not acknowledged comes again.
                    self.done.append(delivery.message.id)
                    consumer.ack([delivery])
            if self._stop.is_set() and time.monotonic() > self._give_up:
                return

    def end(self, seconds: float) -> None:
        """Publish no more, and wait until all that was confirmed is done."""
        self._give_up = time.monotonic() + seconds
        self._stop.set()
        for thread in self._threads:
            thread.join()


def run_and_kill(node: Rabbit, kills: int) -> Load:
    """Have a broker work, and end it in the middle of it again and again."""
    events: list[Event] = []
    driver = driver_at(node.url())
    driver.open(events.append)
    try:
        driver.declare(SPEC)
        load = Load(driver)
        for _ in range(kills):
            time.sleep(1.0)
            before = len(load.confirmed)
            node.kill()
            assert driver.publish("q", [message("nobody")], 0.0) != []
            node.start()
            until(lambda n=before: len(load.confirmed) > n + 40, "it goes on", 30)
        load.end(60.0)
    finally:
        driver.close()
    kinds = {event.kind for event in events}
    assert {"reconnecting", "reconnected"} <= kinds
    return load


@pytest.mark.slow
def test_nothing_confirmed_is_lost_when_the_broker_is_killed(node: Rabbit) -> None:
    load = run_and_kill(node, 1)
    assert len(load.confirmed) > 100
    assert set(load.confirmed) - set(load.done) == set()
    assert len(load.done) - len(set(load.done)) < 300, "only what was in flight is there twice"


@pytest.mark.slow
def test_nothing_confirmed_is_lost_in_twenty_kills(node: Rabbit) -> None:
    load = run_and_kill(node, 20)
    assert set(load.confirmed) - set(load.done) == set()


def test_a_broker_short_of_memory_takes_nothing_and_says_so(node: Rabbit) -> None:
    events: list[Event] = []
    driver = driver_at(node.url())
    driver.open(events.append)
    try:
        driver.declare(SPEC)
        assert driver.publish("q", [message("a")], 5.0) == [Receipt("a")]
        node.call("vm_memory_monitor:set_vm_memory_high_watermark(0.000001)")
        (answer,) = driver.publish("q", [message("b")], 1.0)
        assert isinstance(answer, QueueError)
        assert answer.retryable
        until(lambda: any(one.kind == "blocked" for one in events), "it is told", 10)
        assert "takes no messages" in driver.health()[0]
        # What is there is handled meanwhile.
        consumer = driver.subscribe("q", 10, timeout=60.0)
        (delivery,) = consumer.take(1, 5.0)
        assert consumer.ack([delivery]) == [True]
        (answer,) = driver.publish("q", [message("c")], 0.1)
        assert isinstance(answer, Unavailable)
        node.call('vm_memory_monitor:set_vm_memory_high_watermark({absolute, "2GB"})')
        assert driver.publish("q", [message("d")], 10.0) == [Receipt("d")]
        assert list(driver.health()) == []
    finally:
        driver.close()


def test_a_broker_that_is_not_there_or_turns_us_away_is_said_in_a_sentence(node: Rabbit) -> None:
    for url, kind, words in (
        (f"amqp://127.0.0.1:{free_port()}/", Unavailable, "nothing listens"),
        (node.url(user="guest:wrong"), Refused, "does not let user 'guest' in"),
        (node.url("nowhere"), Refused, "nowhere"),
    ):
        driver = driver_at(url)
        with pytest.raises(kind, match=words):
            driver.open(lambda event: None)
        assert words in driver.health()[0]
        (answer,) = driver.publish("q", [message("a")], 0.0) if _knows(driver) else ()
        assert isinstance(answer, kind)


def _knows(driver: AmqpDriver) -> bool:
    driver.declare(SPEC)
    return True


def test_nodes_are_tried_in_turn(node: Rabbit) -> None:
    urls = [f"amqp://127.0.0.1:{free_port()}/", node.url()]
    driver = driver_at(urls[0], urls=urls)
    driver.open(lambda event: None)
    driver.declare(SPEC)
    assert driver.publish("q", [message("a")], 5.0) == [Receipt("a")]
    driver.close()
