"""What only the memory driver does, and the parts it is made of."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import Any, cast

import pytest

from moonq.clock import ManualClock
from moonq.conformance.scene import BOOM, Scene, dead
from moonq.drivers.memory.driver import MemoryDriver
from moonq.drivers.memory.lock import PoliteLock
from moonq.drivers.memory.ordering import Timers
from moonq.drivers.memory.record import Record
from moonq.errors import QueueFull, Unavailable, Unsupported
from moonq.model import (
    NO_HEADERS,
    Dead,
    ErrorRecord,
    Headers,
    Message,
    Priority,
    QueueSpec,
    Receipt,
    Retry,
)


@pytest.fixture
def scene() -> Scene:
    return Scene(MemoryDriver)


def a_scene(**settings: object) -> Scene:
    return Scene(lambda clock: MemoryDriver(clock, **settings))  # type: ignore[arg-type]


def test_durable_is_refused_with_the_way_out(scene: Scene) -> None:
    with pytest.raises(Unsupported, match="'durable'") as refused:
        scene.declare("other", options={"durable": True})
    assert "sqlite" in refused.value.hint


def test_a_queue_holds_ten_thousand_unless_it_says_otherwise(scene: Scene) -> None:
    answers = scene.driver.publish("q", [scene.message() for _ in range(10_001)], 0.0)
    assert [type(answer) for answer in answers] == [Receipt] * 10_000 + [QueueFull]


def test_the_driver_s_defaults_hold_for_queues_without_their_own(tmp_path: Path) -> None:
    scene = a_scene(max_length=1, overflow="drop_oldest")
    scene.publish("a", "b")
    assert scene.counts() == {"ready": 1, "dead": 1}
    scene.declare("own", max_length=2, overflow="reject")
    scene.publish("c", "d", queue="own")
    assert isinstance(scene.offer("e", queue="own"), QueueFull)


def test_a_changed_declaration_is_applied_to_what_is_there(scene: Scene) -> None:
    scene.publish(*"abc")
    scene.declare("q", max_length=2)
    assert isinstance(scene.offer("d"), QueueFull)
    assert scene.consumer().finish() == ["a", "b", "c"]
    scene.publish("e", "f")


def test_a_dead_letter_queue_may_be_declared_later(scene: Scene) -> None:
    scene.publish("a")
    scene.consumer().finish(dead())
    scene.declare("q.dead", dead_letter=None, max_length=5)
    assert scene.info().dead == 1
    assert scene.consumer(queue="q.dead").finish() == ["a"]


def test_nobody_subscribes_to_a_driver_that_is_not_running(scene: Scene) -> None:
    scene.driver.close()
    with pytest.raises(Unavailable, match="'q'"):
        scene.consumer()


def test_a_verdict_that_makes_no_sense_loses_nothing(scene: Scene) -> None:
    scene.publish("a")
    consumer = scene.consumer()
    (delivery,) = consumer.run()
    soon, text = cast("float", "soon"), cast("ErrorRecord", "text")
    nonsense: list[Any] = ["ack", Retry(soon, BOOM), Retry(1.0, text), Dead("rejected", text)]
    for verdict in nonsense:
        with pytest.raises((KeyError, TypeError, AttributeError)):
            consumer.settle(delivery, verdict)
    assert scene.counts() == {"running": 1}
    assert consumer.settle(delivery)


def test_a_crash_is_noticed_though_somebody_else_is_at_work(scene: Scene) -> None:
    """The garbage collector may run in a thread that holds the lock: it must not wait for it."""
    scene.publish("a")
    crashed = scene.consumer()
    crashed.run()
    assert isinstance(scene.driver, MemoryDriver)
    with scene.driver._lock:
        crashed.crash()
    assert scene.counts() == {"ready": 1}


def test_news_reach_a_listener_that_calls_the_driver_back() -> None:
    seen = []
    driver = MemoryDriver(ManualClock(), max_length=1, overflow="drop_oldest")
    driver.open(lambda event: seen.append((event.kind, driver.info("q").ready)))
    driver.declare(QueueSpec("q"))
    driver.publish("q", [Message("a", b"", 0.0), Message("b", b"", 0.0)], 0.0)
    assert seen == [("dropped", 1)]


def test_cancelled_timers_do_not_pile_up() -> None:
    timers = Timers()
    for number in range(10_000):
        record = Record(Message("x", b"", 0.0), number, 0)
        timers.put(record, 1e9 + number)
        timers.cancel(record)
    assert len(timers._heap) < 200
    assert len(timers) == 0


def test_a_polite_lock_is_held_by_one_at_a_time() -> None:
    lock = PoliteLock()
    inside: list[int] = []
    most = 0

    def enter() -> None:
        nonlocal most
        for _ in range(2000):
            with lock:
                inside.append(1)
                most = max(most, len(inside))
                inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == 1
    assert lock.acquire(blocking=False)
    assert not lock.acquire(blocking=False)


# The short way --------------------------------------------------------------------------------

HEADERS: Headers = {"source": "shop", "tries": 3, "rate": 1.5, "ok": True}


@pytest.mark.parametrize("headers", [NO_HEADERS, HEADERS], ids=["bare", "headers"])
@pytest.mark.parametrize("priority", Priority, ids=lambda one: one.name.lower())
def test_the_short_way_stores_what_the_long_way_stores(
    scene: Scene, headers: Headers, priority: Priority
) -> None:
    message = Message("a", b"{}", scene.clock.now(), headers, "application/json", priority)
    assert cast(MemoryDriver, scene.driver).put("q", *message[:6])
    scene.driver.publish("q", [message], 0.0)
    first, second = scene.driver.peek("q", 2).items
    assert first == second._replace(number=first.number)
    assert first.message == message
    info = scene.driver.info("q")
    scene.driver.purge("q", [first.number])
    assert info.bytes == 2 * (scene.driver.info("q").bytes or 0)
    assert scene.consumer().finish() == ["a"]


@pytest.mark.parametrize(
    "spec",
    [QueueSpec("q", max_length=1), QueueSpec("q", ttl=5.0), QueueSpec("q", max_bytes=600)],
    ids=["full", "ttl", "heavy"],
)
def test_the_short_way_ends_where_there_is_more_to_a_publish(scene: Scene, spec: QueueSpec) -> None:
    driver = cast(MemoryDriver, scene.driver)
    driver.declare(spec._replace(ttl=None))
    assert driver.put("q", "a", b"1", 0.0, NO_HEADERS, "text/plain")
    driver.declare(spec)
    assert not driver.put("q", "b", b"1", 0.0, NO_HEADERS, "text/plain")
    assert not driver.put("nowhere", "c", b"1", 0.0, NO_HEADERS, "text/plain")
    driver.close()
    driver.declare(QueueSpec("q"))
    assert not driver.put("q", "d", b"1", 0.0, NO_HEADERS, "text/plain")
    assert [one.message.id for one in driver.peek("q", 9).items] == ["a"]


def test_the_short_way_wakes_a_worker_that_waits(scene: Scene) -> None:
    taken: list[str] = []
    subscription = scene.driver.subscribe("q", 1)

    def work() -> None:
        taken.extend(one.message.id for one in subscription.take(1, None))

    worker = threading.Thread(target=work)
    worker.start()
    assert cast(MemoryDriver, scene.driver).put("q", "a", b"1", 0.0, NO_HEADERS, "text/plain")
    worker.join(10.0)
    assert taken == ["a"]


def test_the_garbage_collector_stops_to_look_at_what_waits(scene: Scene) -> None:
    driver = cast(MemoryDriver, scene.driver)
    driver.put("q", "a", b"1", 0.0, NO_HEADERS, "text/plain")
    driver.put("q", "b", b"1", 0.0, HEADERS, "text/plain", Priority.HIGH)
    scene.publish("c", headers=HEADERS)
    scene.publish("d", dedup_key="k")
    scene.publish("e", headers=HEADERS, delay=5)
    for _ in range(3):  # headers first, then what has them, then what tells when it is due
        gc.collect()
    queue = driver._queues["q"]
    waiting = [*queue.line, *queue.delays, *queue.delays._heap]
    assert [gc.is_tracked(one) for one in waiting] == [False] * 6
    scene.clock.advance(5)
    assert sorted(scene.consumer().finish()) == ["a", "b", "c", "d", "e"]
