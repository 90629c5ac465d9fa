"""What a walk through a long queue costs."""

from __future__ import annotations

import time
import tracemalloc
from collections import deque
from pathlib import Path

import pytest
from tests.drivers.conftest import make_driver

from moonq.clock import ManualClock
from moonq.conformance import Scene
from moonq.conformance.scene import retry
from moonq.drivers.base import Driver
from moonq.drivers.paging import PAGE, walk
from moonq.drivers.sqlite.driver import SqliteDriver
from moonq.model import Message, QueueSpec

MANY, BODY = 20_000, b"x" * 4096


def filled(driver: Driver, count: int, body: bytes = b"") -> Driver:
    driver.open(lambda _: None)
    driver.declare(QueueSpec("q", max_length=10**6))
    for begin in range(0, count, 5000):
        batch = [Message(f"m{n}", body, 1.0) for n in range(begin, min(begin + 5000, count))]
        driver.publish("q", batch, 30.0)
    return driver


def test_a_walk_holds_one_page_at_a_time(tmp_path: Path) -> None:
    driver = filled(make_driver("sqlite", ManualClock(), tmp_path), MANY, BODY)
    tracemalloc.start()
    last = deque(walk(driver, "q"), maxlen=3)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    driver.close()
    assert [one.message.id for one in last] == [f"m{MANY - 3}", f"m{MANY - 2}", f"m{MANY - 1}"]
    # A page of bodies, and the ids of all: the bodies of all would be 80 MB.
    assert most < 12_000_000


def steps(driver: SqliteDriver) -> int:
    """How often SQLite moved on while the whole queue was walked, in thousands of its steps."""
    view = driver._view
    assert view is not None
    counted = [0]

    def count() -> None:
        counted[0] += 1

    view._connection.set_progress_handler(count, 1000)
    assert sum(1 for _ in walk(driver, "q")) > 0
    view._connection.set_progress_handler(None, 0)
    return counted[0]


def test_four_times_the_messages_are_about_four_times_the_rows(tmp_path: Path) -> None:
    visited = {}
    for count in (5_000, 20_000):
        folder = tmp_path / str(count)
        driver = filled(make_driver("sqlite", ManualClock(), folder), count)
        assert isinstance(driver, SqliteDriver)
        visited[count] = steps(driver)
        driver.close()
    assert visited[20_000] < 6 * visited[5_000]


@pytest.mark.slow
def test_a_walk_is_not_quadratic(driver_name: str, tmp_path: Path) -> None:
    took = {}
    for count in (10_000, 40_000):
        driver = filled(make_driver(driver_name, ManualClock(), tmp_path / str(count)), count)
        begun = time.perf_counter()
        assert sum(1 for _ in walk(driver, "q")) == count
        took[count] = time.perf_counter() - begun
        driver.close()
    assert took[40_000] < 10 * took[10_000]


def test_a_walk_passes_over_what_it_meets_again(scene: Scene) -> None:
    scene.publish(*(f"m{n}" for n in range(PAGE + 10)))
    met = []
    for stored in walk(scene.driver, "q"):
        met.append(stored.message.id)
        if len(met) == 1:
            # The first one is shown as ready; now it is delayed, which is a later page.
            consumer = scene.consumer(prefetch=1)
            (delivery,) = consumer.run(1)
            consumer.settle(delivery, retry(60))
    assert len(met) == len(set(met)) == PAGE + 10
