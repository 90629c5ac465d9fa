"""Who writes to the file, when and with what: acknowledgements that wait for company, messages that
go straight to a waiting worker, publishers that write in their own thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import pytest

from moonq.clock import ManualClock
from moonq.conformance.scene import Consumer, Scene, Worker, ids
from moonq.drivers.sqlite.driver import SqliteDriver
from moonq.drivers.sqlite.schema import LEASED, READY, RUNNING
from moonq.errors import Unavailable
from moonq.model import ACK, Delivery, Message, Priority, QueueSpec, Receipt

FILE = "queues.db"
T = TypeVar("T")


@pytest.fixture
def scenes(tmp_path: Path) -> Iterator[Callable[[], Scene]]:
    """Makes scenes that share one file, each a process of its own as far as the file knows."""
    made: list[Scene] = []
    clock = ManualClock()

    def add() -> Scene:
        scene = Scene(
            lambda _: SqliteDriver(clock, tmp_path / FILE, durability="normal", ballast_mb=0)
        )
        scene.clock = clock
        made.append(scene)
        return scene

    yield add
    for scene in made:
        scene.driver.close()


@pytest.fixture
def scene(scenes: Callable[[], Scene]) -> Scene:
    return scenes()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Acknowledgements wait as good as for ever, so whatever writes one is no timer."""
    monkeypatch.setattr("moonq.drivers.inbox.PATIENCE", 600.0)


def writer(scene: Scene) -> Any:
    assert isinstance(scene.driver, SqliteDriver)
    return scene.driver._writer


def rows(folder: Path) -> dict[str, int]:
    """What lies in the file: states by id."""
    with closing(sqlite3.connect(folder / FILE)) as file:
        return dict(file.execute("SELECT mid, state FROM msg"))


def wait_until(look: Callable[[], T]) -> T:
    """Look again and again, for ten seconds at most, until there is something to see."""
    pause = threading.Event()
    for _ in range(1000):
        if seen := look():
            return seen
        pause.wait(0.01)
    raise AssertionError("it never came to pass")


def in_thread(run: Callable[[], T]) -> T:
    """Run it as a worker would: elsewhere than in the main thread."""
    found: list[T] = []
    thread = threading.Thread(target=lambda: found.append(run()), daemon=True)
    thread.start()
    thread.join(10)
    return found[0]


def waiting(worker: Worker, scene: Scene) -> Worker:
    """The same once the driver knows that it waits, and rests itself."""
    queues = writer(scene).file.queues.values()
    wait_until(lambda: any(desk.waiting for queue in queues for desk in queue.desks))
    writer(scene).flush()
    return worker


def die(scene: Scene) -> None:
    """End as a killed process does: what is not in the file never will be, the lock is gone."""
    own = writer(scene)
    scene.driver._is_open = False  # type: ignore[attr-defined]
    own._inbox._patient.clear()
    own.stop(10.0, leave=False)
    own.file.session = None
    own.file.view.close()


def finished(scene: Scene, *names: str, **options: Any) -> Consumer:
    """Publish, take and acknowledge, so that the acknowledgements wait; who did it goes on."""
    scene.publish(*names, **options)
    consumer = scene.consumer(prefetch=len(names))
    assert all(consumer.subscription.ack(consumer.run(len(names))))
    return consumer


# Acknowledgements


def test_an_acknowledgement_is_written_in_a_moment_though_nothing_else_is(
    scene: Scene, tmp_path: Path
) -> None:
    _alive = finished(scene, "a")
    wait_until(lambda: rows(tmp_path) == {})


def test_an_acknowledgement_rides_with_the_next_publish(
    scene: Scene, tmp_path: Path, patient: None
) -> None:
    _alive = finished(scene, "a")
    assert "a" in rows(tmp_path)
    said: list[str] = []
    writer(scene).file.connection.set_trace_callback(said.append)
    scene.publish("b")
    writer(scene).file.connection.set_trace_callback(None)
    told = [sql.split()[0] for sql in said]
    assert (told[0], told.count("BEGIN"), told.count("COMMIT")) == ("BEGIN", 1, 1)
    assert {"DELETE", "INSERT"} <= set(told)
    assert rows(tmp_path) == {"b": READY}


@pytest.mark.parametrize("asked", ["info", "peek", "find", "close"])
def test_an_acknowledgement_that_waits_is_written_for_who_asks(
    scene: Scene, tmp_path: Path, patient: None, asked: str
) -> None:
    # More than one batch takes.
    _alive = finished(scene, *map(str, range(600)) if asked == "info" else "a")
    ask = {
        "info": lambda: scene.info().message_count,
        "peek": lambda: len(scene.driver.peek("q", 10).items),
        "find": lambda: scene.driver.find("q", "a"),
        "close": lambda: not scene.driver.close(),
    }
    assert not ask[asked]()
    assert rows(tmp_path) == {}


def test_a_consumer_that_leaves_writes_what_it_has_acknowledged(
    scene: Scene, tmp_path: Path, patient: None
) -> None:
    scene.publish("a")
    consumer = scene.consumer()
    consumer.subscription.ack(consumer.run())
    assert consumer.subscription.close(scene.clock.monotonic())
    assert rows(tmp_path) == {}


@pytest.mark.parametrize("options", [{}, {"max_length": 10}])
def test_an_acknowledgement_that_others_wait_for_does_not_wait(
    scene: Scene, tmp_path: Path, patient: None, options: dict[str, int]
) -> None:
    """The next of its group, and a publisher that waits for a place, would wait as well."""
    scene.declare("q", **options)
    _alive = finished(scene, "a", group=None if options else "A")
    wait_until(lambda: rows(tmp_path) == {})


def test_what_is_acknowledged_while_its_handler_runs_does_not_wait(
    scene: Scene, tmp_path: Path, patient: None
) -> None:
    """With `auto_ack` a message must not run twice, whatever happens to its process."""
    scene.publish("a")
    consumer = scene.consumer()
    (running,) = consumer.run()
    assert consumer.subscription.settle(running, ACK)
    wait_until(lambda: rows(tmp_path) == {})


def test_a_second_acknowledgement_changes_nothing(scene: Scene, patient: None) -> None:
    scene.publish("a", "b")
    consumer = scene.consumer()
    running = consumer.run()
    assert consumer.subscription.settle(running[0], ACK)
    assert consumer.subscription.ack(running) == [False, True]
    assert (scene.told("lease_lost"), scene.counts()) == (1, {})


def test_room_that_an_acknowledgement_makes_is_filled_at_once(scene: Scene, patient: None) -> None:
    scene.publish("a", "b")
    consumer = scene.consumer(prefetch=1)
    for name in ("a", "b"):
        running = consumer.run()
        assert ids(running) == [name]
        consumer.subscription.ack(running)


def test_what_was_acknowledged_right_before_a_kill_runs_again(
    scenes: Callable[[], Scene], tmp_path: Path, patient: None
) -> None:
    """A duplicate after a crash is all that an acknowledgement that waits may cost."""
    first = scenes()
    _alive = finished(first, "a")
    die(first)
    second = scenes()
    wait_until(lambda: second.counts() == {"ready": 1})
    assert second.consumer().finish() == ["a"]


# Straight to a waiting worker


def leased_at_once(scene: Scene) -> list[str]:
    """Trace what becomes of a message that is published while a worker waits."""
    said: list[str] = []
    worker = waiting(Worker(scene.consumer(), 60.0), scene)
    writer(scene).file.connection.set_trace_callback(said.append)
    scene.publish("a")
    writer(scene).file.connection.set_trace_callback(None)
    assert worker.took() == ["a"]
    return said


def test_a_message_for_which_a_worker_waits_is_written_once(scene: Scene, tmp_path: Path) -> None:
    said = leased_at_once(scene)
    assert not [sql for sql in said if sql.startswith("UPDATE msg")]
    assert rows(tmp_path) == {"a": LEASED}


@pytest.mark.parametrize("runs", [False, True])
def test_what_went_straight_to_a_worker_survives_a_kill(
    scenes: Callable[[], Scene], tmp_path: Path, runs: bool
) -> None:
    """It is a suspect from then on, and was interrupted if it ran."""
    first = scenes()
    consumer = first.consumer()
    worker = waiting(Worker(consumer, 60.0), first)
    first.publish("a", headers={"n": 1.5, "s": "é"}, ttl=30.0)
    assert worker.took() == ["a"]
    if runs:
        assert consumer.subscription.start(only(consumer))
        writer(first).flush()
    assert rows(tmp_path) == {"a": RUNNING if runs else LEASED}
    die(first)
    second = scenes()
    wait_until(lambda: second.counts() == {"ready": 1})
    assert second.told("interrupted") == runs
    (delivery,) = second.consumer().take()
    assert delivery.message.headers == {"n": 1.5, "s": "é"}
    assert (delivery.attempt, delivery.interruptions) == (1, int(runs))
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        assert file.execute("SELECT suspect, exp IS NULL FROM msg").fetchall() == [(1, int(runs))]


def only(consumer: Consumer) -> Delivery:
    """What a consumer holds."""
    (held,) = consumer.subscription._desk.held.values()
    assert isinstance(held.delivery, Delivery)
    return held.delivery


def test_what_went_straight_to_a_worker_looks_as_if_it_had_waited(scene: Scene) -> None:
    message = Message(
        "a", b"\x00raw", 5.0, {"n": 1, "yes": True}, "text/plain", dedup_key="k", group="g", ttl=9.0
    )
    consumer = scene.consumer(prefetch=1)
    worker = waiting(Worker(consumer, 60.0), scene)
    assert scene.driver.publish("q", [message], 1.0) == [Receipt("a")]
    assert worker.took() == ["a"]
    straight = only(consumer)
    consumer.subscription.stop()
    (again,) = scene.consumer().take()
    assert straight._replace(receipt=0) == again._replace(receipt=0)


def test_one_that_was_handed_back_stands_before_those_published_with_it(scene: Scene) -> None:
    consumer = scene.consumer(prefetch=1)
    worker = waiting(Worker(consumer, 60.0), scene)
    batch = [Message(name, b"", 0.0) for name in "abc"]
    scene.driver.publish("q", batch, 1.0)
    assert worker.took() == ["a"]
    consumer.subscription.stop()
    assert scene.consumer().finish() == ["a", "b", "c"]


def test_a_message_of_high_priority_is_not_overtaken(scene: Scene) -> None:
    worker = waiting(Worker(scene.consumer(prefetch=1), 60.0), scene)
    batch = [Message("low", b"", 0.0, priority=Priority.LOW), Message("normal", b"", 0.0)]
    scene.driver.publish("q", [*batch, Message("high", b"", 0.0, priority=Priority.HIGH)], 1.0)
    assert worker.took() == ["high"]


def test_what_waits_in_the_file_is_not_overtaken(
    scenes: Callable[[], Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is it when another process has just put it there."""
    monkeypatch.setattr("moonq.drivers.sqlite.watch.LOOK", 600.0)  # it is not seen otherwise
    mine, yours = scenes(), scenes()
    worker = waiting(Worker(mine.consumer(prefetch=1), 60.0), mine)
    yours.publish("theirs")
    mine.publish("ours")
    assert worker.took() == ["theirs"]


def test_a_queue_that_rests_hands_nothing_over(
    scenes: Callable[[], Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor when it rests since a moment ago, by another process."""
    monkeypatch.setattr("moonq.drivers.sqlite.watch.LOOK", 600.0)
    mine, yours = scenes(), scenes()
    worker = waiting(Worker(mine.consumer(), 60.0), mine)
    yours.driver.pause("q")
    mine.publish("a")
    assert yours.counts() == {"ready": 1}
    yours.driver.resume("q")
    mine.info()  # has the file looked at
    assert worker.took() == ["a"]


def test_a_verdict_on_a_suspect_lets_one_of_another_queue_in(scenes: Callable[[], Scene]) -> None:
    """A process holds one suspect at a time, of all its queues."""
    first = scenes()
    first.declare("other")
    for queue in ("q", "other"):
        first.publish(f"of {queue}", queue=queue)
    running = [first.consumer(queue=queue) for queue in ("q", "other")]
    assert [ids(consumer.run()) for consumer in running] == [["of q"], ["of other"]]
    die(first)
    second = scenes()
    second.declare("other")
    wait_until(lambda: second.later(1) or second.told("interrupted") == 2)
    mine, yours = second.consumer(), second.consumer(queue="other")
    (held,) = mine.run()
    assert yours.take() == []
    worker = waiting(Worker(yours, 60.0), second)
    mine.subscription.settle(held, ACK)
    assert worker.took() == ["of other"]


# A publisher that is alone


def test_a_publisher_that_is_alone_writes_in_its_own_thread(scene: Scene, tmp_path: Path) -> None:
    threads: set[str] = set()
    scene.info()

    def publish() -> list[Any]:
        threads.add(threading.current_thread().name)
        return list(scene.driver.publish("q", [Message("a", b"", 0.0)], 5.0))

    seen: set[str] = set()
    trace = writer(scene).file.connection.set_trace_callback
    trace(lambda sql: seen.add(threading.current_thread().name) if "INSERT" in sql else None)
    assert in_thread(publish) == [Receipt("a")]
    trace(None)
    assert seen == threads


def test_a_publisher_that_is_alone_has_no_more_patience_than_others(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moonq.drivers.sqlite.driver.LEAST", 0.05)
    monkeypatch.setattr("moonq.drivers.sqlite.commits.BUSY", 600.0)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        message = [Message("a", b"", 0.0)]
        (answer,) = in_thread(lambda: list(scene.driver.publish("q", message, 0.01)))
        assert isinstance(answer, Unavailable)
        other.execute("ROLLBACK")
    assert rows(tmp_path) == {}


def test_what_a_lone_publisher_delays_is_not_late(tmp_path: Path) -> None:
    """The writer's own thread sleeps until something else, and must hear of it."""
    scene = Scene(lambda clock: SqliteDriver(clock, tmp_path / FILE, ballast_mb=0))
    worker = waiting(Worker(scene.consumer(), 120.0), scene)
    in_thread(lambda: scene.publish("soon", delay=0.001))
    scene.clock.advance(0.002)
    assert worker.took() == ["soon"]
    scene.driver.close()


def test_a_listener_may_call_back_in_a_publisher_s_thread(tmp_path: Path) -> None:
    seen = []
    driver = SqliteDriver(ManualClock(), tmp_path / FILE, ballast_mb=0)
    driver.open(lambda event: seen.append((event.kind, driver.info("q").ready)))
    driver.declare(QueueSpec("q", max_length=1, overflow="drop_oldest"))
    driver.info("q")
    both = [Message("a", b"", 0.0), Message("b", b"", 0.0)]
    assert in_thread(lambda: driver.publish("q", both, 1.0)) == [Receipt("a"), Receipt("b")]
    assert seen == [("dropped", 1)]
    driver.close()
