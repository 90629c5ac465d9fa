"""The contract under real threads and real time: everything accounted for, nothing stuck."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.drivers.conftest import make_driver

from moonq.clock import SystemClock
from moonq.conformance.scene import BOOM, dead, retry
from moonq.drivers.base import Driver
from moonq.model import ACK, RELEASE, Interrupt, Message, QueueSpec, Receipt, Snooze, Verdict, Wait

#: How many messages a driver is given; one that pays for a disk or a network gets fewer.
VOLUME = {"memory": 100_000}
FEW = 2_000
PUBLISHERS, TAKERS = 4, 8
OTHERS: list[Verdict] = [retry(0.1), Snooze(0.1), RELEASE, dead(), Interrupt(BOOM), Wait(0.1)]


@pytest.fixture
def driver(driver_name: str, tmp_path: Path) -> Iterator[Driver]:
    driver = make_driver(driver_name, SystemClock(), tmp_path)
    driver.open(lambda event: None)
    yield driver
    driver.close()


class Crew:
    """Workers of one queue that settle at random, until everything has ended."""

    def __init__(self, driver: Driver, total: int) -> None:
        self.driver, self.total = driver, total
        self.acked: list[str] = []
        self.buried: list[str] = []
        self.failures = 0

    def ended(self) -> bool:
        return len(self.acked) + len(self.buried) >= self.total

    def work(self, seed: int) -> None:
        dice = random.Random(seed)
        subscription = self.driver.subscribe("q", 20)
        while not self.ended():
            for delivery in subscription.take(dice.choice((1, 1, 1, 5)), 0.2):
                if not subscription.start(delivery):
                    continue
                verdict = ACK if dice.random() < 0.95 else dice.choice(OTHERS)
                if not subscription.settle(delivery, verdict):
                    self.failures += 1
                elif verdict is ACK:
                    self.acked.append(delivery.message.id)
                elif verdict == dead():
                    self.buried.append(delivery.message.id)
            if dice.random() < 0.0005:
                # Leave in the middle of everything, and come back as somebody else.
                subscription.stop()
                subscription.close(0.0)
                subscription = self.driver.subscribe("q", 20)
        subscription.stop()
        subscription.close(0.0)


def publish(driver: Driver, names: list[str]) -> None:
    for start in range(0, len(names), 7):
        batch = [Message(name, b"body", 0.0) for name in names[start : start + 7]]
        answers = driver.publish("q", batch, 30.0)
        assert answers == [Receipt(message.id) for message in batch]


def finish(futures: list[Future[None]]) -> None:
    for future in futures:
        future.result(timeout=60)


def test_every_message_ends_exactly_once_under_threads(driver: Driver, driver_name: str) -> None:
    """§1 I1: 4 publishers who must wait for room, 8 workers who fail, leave and come back."""
    driver.declare(QueueSpec("q", dead_letter="q.dead", max_length=5000, overflow="block"))
    total = VOLUME.get(driver_name, FEW)
    names = [f"m{number}" for number in range(total)]
    crew = Crew(driver, total)
    with ThreadPoolExecutor(PUBLISHERS + TAKERS) as pool:
        parts = [names[part::PUBLISHERS] for part in range(PUBLISHERS)]
        futures = [pool.submit(publish, driver, part) for part in parts]
        futures += [pool.submit(crew.work, seed) for seed in range(TAKERS)]
        finish(futures)
    assert crew.failures == 0
    assert Counter(crew.acked + crew.buried) == Counter(names)
    info = driver.info("q")
    assert (info.message_count, info.dead, info.consumer_count) == (0, len(crew.buried), 0)


def test_a_trickle_reaches_idle_workers_at_once(driver: Driver) -> None:
    """§7 deliveries: no wake-up is lost, one message at a time and everybody waiting."""
    driver.declare(QueueSpec("q"))
    rounds = 300
    done = threading.Semaphore(0)
    subscriptions = [driver.subscribe("q", 2), driver.subscribe("q", 2)]

    def work(number: int) -> None:
        subscription = subscriptions[number % 2]
        while taken := subscription.take(1, None):
            for delivery in taken:
                assert subscription.start(delivery)
                assert subscription.settle(delivery, ACK)
                done.release()

    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(work, number) for number in range(6)]
        for number in range(rounds):
            driver.publish("q", [Message(str(number), b"", 0.0)] * (1 + number % 3), 1.0)
            for _ in range(1 + number % 3):
                assert done.acquire(timeout=5), f"message {number} was not delivered"
        for subscription in subscriptions:
            subscription.stop()
        finish(futures)


def test_the_counts_add_up_while_everybody_works(driver: Driver) -> None:
    """§9 message_count: at every poll, whoever looks."""
    driver.declare(QueueSpec("q"))
    total = 200
    driver.publish("q", [Message(str(number), b"", 0.0) for number in range(total)], 1.0)
    stop = threading.Event()

    def work() -> None:
        subscription = driver.subscribe("q", 10)
        while not stop.is_set():
            for delivery in subscription.take(3, 0.05):
                if subscription.start(delivery):
                    subscription.settle(delivery, RELEASE)
        subscription.stop()
        subscription.close(0.0)

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(work) for _ in range(4)]
        counts = {driver.info("q").message_count for _ in range(200)}
        shown = {len(driver.peek("q", 1000).items) for _ in range(50)}
        stop.set()
        finish(futures)
    assert counts == {total}
    if driver.kind != "queue.driver.redis":  # there a look is several commands (see its `View`)
        assert shown == {total}
