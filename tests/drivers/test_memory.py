"""What only the memory driver does, and the parts it is made of."""

from __future__ import annotations

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
from moonq.model import Dead, ErrorRecord, Message, QueueSpec, Receipt, Retry


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
