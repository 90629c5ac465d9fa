"""What only the SQLite driver does: one file, several processes, and what it says of bad files."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from moonq.clock import Clock, ManualClock, SystemClock
from moonq.conformance.scene import Consumer, Scene, Worker, dead, ids, retry
from moonq.drivers.base import Driver, Event, mover
from moonq.drivers.sqlite import batch, schema
from moonq.drivers.sqlite import file as sqlite_file
from moonq.drivers.sqlite.driver import SqliteDriver
from moonq.drivers.weight import OVERHEAD
from moonq.errors import (
    Conflict,
    Invalid,
    MoonqError,
    QueueError,
    QueueFull,
    Unavailable,
    Unsupported,
)
from moonq.model import (
    ACK,
    RELEASE,
    Delivery,
    Interrupt,
    Message,
    QueueSpec,
    Receipt,
    Snooze,
    Wait,
)

FILE = "queues.db"
T = TypeVar("T")


def make(clock: Clock, folder: Path) -> Driver:
    return SqliteDriver(clock, folder / FILE, durability="normal", ballast_mb=0)


@pytest.fixture
def scenes(tmp_path: Path) -> Iterator[Callable[[], Scene]]:
    """Makes scenes that share one file, each a process of its own as far as the file knows.

    Their clock is one that lets waits look around now and then, as they do in real time: nobody
    is woken by what another process writes.
    """
    made: list[Scene] = []
    clock = ManualClock()

    def add() -> Scene:
        scene = Scene(lambda _: make(clock, tmp_path))
        scene.clock = clock
        made.append(scene)
        return scene

    yield add
    for scene in made:
        scene.driver.close()


def opened(path: Path, clock: Clock | None = None, **options: Any) -> SqliteDriver:
    options.setdefault("ballast_mb", 0)
    driver = SqliteDriver(clock or ManualClock(), path, **options)
    driver.open(lambda event: None)
    return driver


@contextmanager
def plain(path: Path) -> Iterator[sqlite3.Connection]:
    """The file in the hands of another program; closed, unlike by a connection's own `with`."""
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def refusal(path: Path) -> MoonqError:
    with pytest.raises(MoonqError) as raised:
        opened(path)
    return raised.value


# One file, several drivers


def test_everything_is_there_in_the_next_process(scenes: Callable[[], Scene]) -> None:
    first = scenes()
    first.publish("failing", "dying", "ready", headers={"tenant": "t1"})
    first.publish("late", delay=60.0)
    first.publish("once", dedup_key="k")
    consumer = first.consumer(prefetch=1)
    consumer.finish(retry(5), limit=1)
    consumer.finish(dead(), limit=1)
    first.driver.close()

    second = scenes()
    assert second.counts() == {"ready": 2, "delayed": 2, "dead": 1}
    assert second.offer("again", dedup_key="k") == Receipt("once", duplicate=True)
    second.later(60)
    assert second.consumer().finish() == ["ready", "once", "failing", "late"]
    assert second.letter("dying").errors[0].message == "boom"


def test_a_worker_hears_of_what_another_process_publishes(scenes: Callable[[], Scene]) -> None:
    publisher, other = scenes(), scenes()
    worker = Worker(other.consumer(), 60.0)
    publisher.publish("a")
    assert worker.took() == ["a"]


def test_two_processes_share_a_queue_and_nothing_twice(scenes: Callable[[], Scene]) -> None:
    first, second = scenes(), scenes()
    first.publish(*(f"m{n}" for n in range(20)))
    mine, yours = first.consumer(prefetch=4).take(), second.consumer(prefetch=4).take()
    assert (ids(mine), ids(yours)) == (["m0", "m1", "m2", "m3"], ["m4", "m5", "m6", "m7"])


def test_each_process_sees_the_same_counts(scenes: Callable[[], Scene]) -> None:
    first, second = scenes(), scenes()
    first.publish("a", "b", "c")
    consumer = first.consumer(prefetch=2)
    consumer.run(1)
    other = second.consumer()
    wait_until(lambda: second.counts() == {"ready": 1, "leased": 1, "running": 1})
    assert first.info() == second.info()
    assert first.info().consumer_count == 2
    assert other.subscription.close(0.0)
    assert first.info().consumer_count == 1


def test_a_pause_is_a_pause_everywhere(scenes: Callable[[], Scene]) -> None:
    first, second = scenes(), scenes()
    first.publish("a", "b")
    consumer = second.consumer(prefetch=1)
    (taken,) = consumer.take(1)
    first.driver.pause("q")
    wait_until(lambda: first.counts() == {"ready": 2})
    assert not consumer.subscription.start(taken)
    assert second.info().paused
    assert scenes().info().paused
    first.driver.resume("q")
    wait_until(lambda: ids(consumer.take(1)) == ["a"])


@pytest.mark.parametrize("ends", ["dies", "closes"])
def test_a_queue_rests_no_longer_than_the_process_that_moves_its_messages(
    scenes: Callable[[], Scene], ends: str
) -> None:
    first, second = scenes(), scenes()
    first.publish("a")
    consumer = second.consumer(prefetch=1)
    with mover(first.driver).resting("q"):
        wait_until(lambda: second.info().paused)
        assert consumer.take(1) == []
        if ends == "dies":
            die(first)
        else:
            first.driver.close()
        wait_until(lambda: second.later(1) or ids(consumer.take(1)) == ["a"])
    assert not second.info().paused


def test_a_group_runs_one_at_a_time_across_processes(scenes: Callable[[], Scene]) -> None:
    first, second = scenes(), scenes()
    for name in ("A1", "A2", "B1"):
        first.publish(name, group=name[0])
    mine, yours = first.consumer(prefetch=1), second.consumer()
    (a1,) = mine.run()
    assert ids(yours.take()) == ["B1"]
    mine.settle(a1)
    assert mine.subscription.close(first.clock.monotonic())
    wait_until(lambda: ids(yours.take()) == ["A2"])


def test_a_bound_holds_for_all_processes_together(scenes: Callable[[], Scene]) -> None:
    first, second = scenes(), scenes()
    for scene in (first, second):
        scene.declare("q", max_length=2)
    first.publish("a")
    second.publish("b")
    assert isinstance(first.offer("c"), QueueFull)
    assert isinstance(second.offer("c"), QueueFull)


def test_a_place_freed_by_another_process_is_taken(tmp_path: Path) -> None:
    first, second = (opened(tmp_path / FILE, SystemClock()) for _ in range(2))
    for driver in (first, second):
        driver.declare(QueueSpec("q", max_length=1, overflow="block"))
    first.publish("q", [Message("a", b"", 0.0)], 5.0)
    answers: list[object] = []
    patient = threading.Thread(
        target=lambda: answers.extend(first.publish("q", [Message("b", b"", 0.0)], 60.0)),
        daemon=True,
    )
    patient.start()
    patient.join(0.1)
    subscription = second.subscribe("q", 1)
    (delivery,) = subscription.take(1, 5.0)
    assert subscription.settle(delivery, ACK)
    patient.join(5)
    assert answers == [Receipt("b")]
    first.close()
    second.close()


# Dead processes


def die(scene: Scene) -> None:
    """End as a killed process does: no word to the file, and the lock is gone."""
    driver = scene.driver
    assert isinstance(driver, SqliteDriver)
    driver._is_open = False
    driver._writer.flush()
    driver._writer.stop(10.0, leave=False)
    driver._writer.file.session = None
    assert driver._view is not None
    driver._view.close()


def test_what_a_dead_process_held_comes_back(scenes: Callable[[], Scene]) -> None:
    first = scenes()
    first.publish("running", "buffered", "ready")
    consumer = first.consumer(prefetch=2)
    consumer.run(1)
    die(first)
    second = scenes()
    wait_until(lambda: second.counts() == {"ready": 3})
    assert second.told("interrupted") == 1
    assert second.info().consumer_count == 0
    heir = second.consumer()
    taken = finish_all(heir)
    story = [(d.message.id, d.attempt, d.interruptions) for d in taken]
    assert sorted(story) == [("buffered", 1, 0), ("ready", 1, 0), ("running", 1, 1)]
    lost = {d.message.id: d.lost_at for d in taken if d.lost_at is not None}
    assert lost == {"running": pytest.approx(second.clock.now())}
    assert not list(tmp_sessions(second))


def test_what_a_crash_left_is_told_by_the_name_of_its_queue(scenes: Callable[[], Scene]) -> None:
    """Also of a queue that is declared late, or by nobody here."""
    first = scenes()
    consumers = []
    for name in ("early", "late", "never"):
        first.declare(name)
        first.publish(name, queue=name)
        consumers.append(first.consumer(queue=name))
        assert ids(consumers[-1].run()) == [name]
    die(first)
    second = scenes()
    second.declare("early")
    second.declare("late")
    wait_until(lambda: second.later(1) or second.told("interrupted") == 3)
    assert {event.queue for event in second.events} == {"early", "late", "never"}


def test_a_crash_is_recovered_under_the_options_of_its_queue(scenes: Callable[[], Scene]) -> None:
    """`group_on_failure: skip` after a kill as after a failure."""
    first = scenes()
    first.declare("g", group_on_failure="skip")
    first.publish("A1", "A2", queue="g", group="A")
    consumer = first.consumer(queue="g", prefetch=1)
    assert ids(consumer.run()) == ["A1"]
    die(first)
    second = scenes()
    second.declare("g", group_on_failure="skip")
    heir = second.consumer(queue="g", prefetch=1)
    (lost,) = wait_until(heir.take)
    assert lost.lost_at is not None
    assert heir.settle(lost, Wait(60.0))
    assert heir.finish() == ["A2"]


def test_suspects_are_held_one_at_a_time(scenes: Callable[[], Scene]) -> None:
    """Whatever a dead process held may have killed it: the next victim dies with one only."""
    first = scenes()
    first.publish("a", "b", "c", "innocent")
    consumer = first.consumer(prefetch=3)
    consumer.run()
    die(first)
    second = scenes()
    wait_until(lambda: second.counts() == {"ready": 4})
    heir = second.consumer()
    held = heir.run()
    assert sorted(ids(held)) == ["a", "innocent"]
    second.publish("new")
    assert ids(heir.take()) == ["new"]
    assert heir.settle(held[ids(held).index("a")])
    assert ids(heir.run()) == ["b"]


def test_a_suspect_that_dies_before_its_start_was_noted_is_counted_the_second_time(
    scenes: Callable[[], Scene],
) -> None:
    """Otherwise what kills its process at once would do so for ever."""
    story = []
    scene = scenes()
    scene.publish("poison")
    for _ in range(4):
        consumer = scene.consumer()
        (delivery,) = wait_until(partial(take_later, scene, consumer))
        story.append(delivery.interruptions)
        die(scene)
        scene = scenes()
        scene.later(200)
    assert story == [0, 0, 1, 2]


def test_what_a_dead_process_had_begun_does_not_expire(scenes: Callable[[], Scene]) -> None:
    """Contract §6: a ttl bounds the wait before the first start, and this one had started."""
    first = scenes()
    first.publish("a", ttl=5.0)
    consumer = first.consumer()
    consumer.run()
    die(first)
    second = scenes()
    wait_until(lambda: second.counts() == {"ready": 1})
    second.later(60)
    assert second.consumer().finish() == ["a"]


def take_later(scene: Scene, consumer: Consumer) -> list[Delivery]:
    scene.later(0.1)
    return consumer.take()


def finish_all(consumer: Consumer) -> list[Delivery]:
    done: list[Delivery] = []
    while running := consumer.run(1):
        assert consumer.settle(running[0])
        done += running
    return done


def tmp_sessions(scene: Scene) -> Iterator[Path]:
    """The files of sessions that are not this scene's."""
    driver = scene.driver
    assert isinstance(driver, SqliteDriver)
    assert driver._writer.file.session is not None
    mine = f"{FILE}.s{driver._writer.file.session.number}"
    return (path for path in driver._path.parent.glob(f"{FILE}.s*") if path.name != mine)


def test_a_verdict_on_a_message_that_was_taken_away_changes_nothing(tmp_path: Path) -> None:
    """Contract §1 I5: the fence is in the file, not only in this process."""
    events: list[Event] = []
    driver = SqliteDriver(ManualClock(), tmp_path / FILE, ballast_mb=0)
    driver.open(events.append)
    driver.declare(QueueSpec("q", dead_letter="q.dead"))
    verdicts = [ACK, retry(1), dead(), Snooze(1.0), RELEASE, Interrupt(), Wait(1.0)]
    driver.publish("q", [Message(str(n), b"", 0.0) for n in range(len(verdicts))], 1.0)
    subscription = driver.subscribe("q", 10)
    deliveries = subscription.take(10, 0.0)
    with plain(tmp_path / FILE) as thief:
        thief.execute("UPDATE msg SET sess = 999")
    thief.close()
    for delivery, verdict in zip(deliveries, verdicts, strict=True):
        assert subscription.settle(delivery, verdict)
    assert driver.info("q").leased == len(verdicts)
    assert driver.info("q").dead == 0
    assert [event.kind for event in events] == ["lease_lost"] * len(verdicts)
    driver.close()


# Restarts and clocks


def test_what_was_settled_while_the_driver_was_closed_is_settled(
    scenes: Callable[[], Scene],
) -> None:
    scene = scenes()
    scene.publish("a")
    consumer = scene.consumer()
    (running,) = consumer.run()
    scene.driver.close()
    assert consumer.settle(running)
    scene.driver.open(scene.events.append)
    assert scene.counts() == {}


def test_nobody_takes_what_runs_while_its_driver_is_closed(scenes: Callable[[], Scene]) -> None:
    scene = scenes()
    scene.publish("a")
    consumer = scene.consumer()
    (running,) = consumer.run()
    scene.driver.close()
    other = scenes()
    other.later(60)
    assert other.consumer().take() == []
    assert other.counts() == {"running": 1}
    scene.driver.open(scene.events.append)
    assert consumer.settle(running)


def test_processes_that_share_a_file_go_by_one_time(scenes: Callable[[], Scene]) -> None:
    """One that comes after the clock was set does not let fall due what the others delay."""
    first = scenes()
    first.publish("late", delay=60.0)
    first.clock.shift(3600)
    second = scenes()
    consumer = second.consumer()
    assert consumer.take() == []
    second.publish("b", delay=30.0)
    first.later(30)
    wait_until(lambda: consumer.finish(limit=1) == ["b"])
    assert first.driver.find("q", "late") is not None
    first.later(30)
    wait_until(lambda: consumer.finish(limit=1) == ["late"])


class Pause:
    """Holds the writer in the middle of a transaction, behind the leases."""

    def __init__(self) -> None:
        self.held, self.over = threading.Event(), threading.Event()

    def hold(self, tx: object) -> None:
        self.held.set()
        self.over.wait(5)


def test_what_is_leased_while_its_consumer_stops_is_handed_back(tmp_path: Path) -> None:
    """The stop falls between the lease in the file and its arrival at the consumer."""
    driver = opened(tmp_path / FILE)
    driver.declare(QueueSpec("q"))
    driver.publish("q", [Message("a", b"", 0.0)], 1.0)
    subscription = driver.subscribe("q", 1)
    first, second = Pause(), Pause()
    driver._writer.later(first.hold)
    assert first.held.wait(5)
    taken: list[list[Delivery]] = []
    worker = threading.Thread(target=lambda: taken.append(subscription.take(1, 60.0)), daemon=True)
    worker.start()
    wait_until(lambda: subscription._desk.waiting)
    driver._writer.later(second.hold)
    first.over.set()
    assert second.held.wait(5)
    subscription.stop()
    second.over.set()
    worker.join(5)
    assert taken == [[]]
    info = driver.info("q")
    assert (info.ready, info.leased) == (1, 0)
    driver.close()


def test_keys_whose_window_is_over_leave_the_file(tmp_path: Path) -> None:
    clock = ManualClock()
    driver = opened(tmp_path / FILE, clock)
    driver.declare(QueueSpec("q", dedup_window=60.0))
    driver.publish("q", [Message(str(n), b"", 0.0, dedup_key=str(n)) for n in range(700)], 1.0)

    def keys() -> int:
        with plain(tmp_path / FILE) as file:
            (count,) = file.execute("SELECT count(*) FROM dedup").fetchone()
        file.close()
        return int(count)

    def forgotten() -> bool:
        clock.advance(1)
        return keys() == 0

    assert keys() == 700
    clock.advance(60)
    wait_until(forgotten)
    driver.close()


# What goes wrong


def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is no database, but it is long enough" * 100)
    refused = refusal(tmp_path / FILE)
    assert type(refused) is QueueError
    assert FILE in refused.message
    assert "damaged" in refused.message
    assert not refused.retryable
    assert "restore" in refused.hint
    assert (tmp_path / FILE).read_bytes().startswith(b"this is no database")


def test_damage_found_at_work_is_told_and_stops_nobody_else(tmp_path: Path) -> None:
    driver = opened(tmp_path / FILE)
    driver.declare(QueueSpec("q"))
    driver.publish("q", [Message(str(n), b"x" * 5000, 0.0) for n in range(50)], 1.0)
    driver.close()
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(4096 * 20)
        file.write(b"\xff" * 4096 * 40)
    driver = opened(tmp_path / FILE)
    driver.declare(QueueSpec("q"))
    with pytest.raises(QueueError, match="damaged"):
        driver.peek("q", 100)
    driver.declare(QueueSpec("healthy"))
    assert driver.publish("healthy", [Message("a", b"", 0.0)], 1.0) == [Receipt("a")]
    driver.close()


def test_a_database_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    with plain(tmp_path / FILE) as other:
        other.execute("CREATE TABLE theirs(x)")
    other.close()
    before = (tmp_path / FILE).read_bytes()
    refused = refusal(tmp_path / FILE)
    assert isinstance(refused, Conflict)
    assert "another program" in refused.message
    assert (tmp_path / FILE).read_bytes() == before


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    opened(tmp_path / FILE).close()
    with plain(tmp_path / FILE) as file:
        file.execute("PRAGMA user_version = 99")
    file.close()
    refused = refusal(tmp_path / FILE)
    assert isinstance(refused, Conflict)
    assert "newer" in refused.message
    assert "99" in refused.message


def test_an_older_file_is_brought_up_to_date_with_its_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = opened(tmp_path / FILE)
    old.declare(QueueSpec("q"))
    old.publish("q", [Message("a", b"", 0.0)], 1.0)
    old.close()
    newer = [*schema.STEPS, "ALTER TABLE msg ADD COLUMN colour TEXT; CREATE TABLE extra(x)"]
    monkeypatch.setattr(schema, "STEPS", newer)
    driver = opened(tmp_path / FILE)
    driver.declare(QueueSpec("q"))
    assert driver.info("q").ready == 1
    driver.close()
    with plain(tmp_path / FILE) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (len(newer),)
        file.execute("SELECT colour FROM msg, extra")
    file.close()


def test_what_lies_in_an_older_file_is_weighed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = schema.STEPS
    monkeypatch.setattr(schema, "STEPS", steps[:3])
    with sqlite3.connect(tmp_path / FILE) as file:
        schema.migrate(file, FILE)
        file.executescript("""
            INSERT INTO queue(id, name, length) VALUES(1, 'q', 2), (2, 'q.dead', 1);
            INSERT INTO msg(q, state, pri, pos, mid, pub, hdr, errs, origin, body)
              VALUES(1, 0, 1, 0, 'a', 0, NULL, NULL, NULL, zeroblob(1000)),
                    (1, 0, 1, 0, 'b', 0, '{"k": 1}', NULL, NULL, zeroblob(2000)),
                    (2, 0, 1, 0, 'c', 0, NULL, '[[1, "X", "m", ""]]', 1, zeroblob(3000));
        """)
    file.close()
    monkeypatch.setattr(schema, "STEPS", steps)
    driver = opened(tmp_path / FILE)
    driver.declare(QueueSpec("q", dead_letter="q.dead", max_bytes=10_000))
    info = driver.info("q")
    dead = 3000 + len('[[1, "X", "m", ""]]') + OVERHEAD
    held = 3000 + len('{"k": 1}') + 2 * OVERHEAD
    assert (info.bytes, info.dead_bytes) == (held + dead, dead)
    assert driver.purge("q") == 2
    assert driver.purge("q.dead") == 1
    assert driver.info("q").bytes == 0
    driver.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(tmp_path / FILE).close()
    broken = [*schema.STEPS, "CREATE TABLE extra(x); CREATE TABLE extra(x)"]
    monkeypatch.setattr(schema, "STEPS", broken)
    assert "extra" in refusal(tmp_path / FILE).message
    with plain(tmp_path / FILE) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (len(broken) - 1,)
        assert file.execute("SELECT * FROM sqlite_master WHERE name = 'extra'").fetchall() == []
    file.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = refusal(tmp_path / "file" / "folder" / FILE)
    assert isinstance(refused, Unavailable)
    assert "file/folder" in refused.message
    assert refused.hint


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    refused = refusal(tmp_path / FILE)
    assert isinstance(refused, Unavailable)
    assert refused.hint


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs"])
def test_a_network_file_system_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    mounts = tmp_path / "mounts"
    share = tmp_path / "a share"
    written = str(share).replace(" ", "\\040")
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nhost:/x {written} {kind} rw 0 0\nproc /proc proc\n")
    monkeypatch.setattr(sqlite_file, "MOUNTS", mounts)
    refused = refusal(share / FILE)
    assert isinstance(refused, Unsupported)
    assert kind in refused.message
    opened(tmp_path / FILE).close()


def test_an_old_sqlite_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    refused = refusal(tmp_path / FILE)
    assert isinstance(refused, Unsupported)
    assert "3.35" in refused.hint


def test_a_file_without_a_write_ahead_log_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stubborn(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            return super().execute(sql.replace("= WAL", "= DELETE"), *values)

    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **options: connect(*args, factory=Stubborn, **options)
    )
    refused = refusal(tmp_path / FILE)
    assert isinstance(refused, Unsupported)
    assert "local disk" in refused.hint


def test_durable_cannot_be_switched_off(tmp_path: Path) -> None:
    driver = opened(tmp_path / FILE)
    with pytest.raises(Unsupported, match="'durable'"):
        driver.declare(QueueSpec("q", options={"durable": False}))
    driver.close()


class Locked:
    """The file in the hands of another program that does not let go."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.execute("BEGIN IMMEDIATE")

    def release(self) -> None:
        self.connection.execute("COMMIT")
        self.connection.close()


def test_a_publish_gives_up_on_a_file_that_somebody_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moonq.drivers.sqlite.driver.LEAST", 0.05)
    driver = opened(tmp_path / FILE, SystemClock())
    driver.declare(QueueSpec("q"))
    other = Locked(tmp_path / FILE)
    (answer,) = driver.publish("q", [Message("a", b"", 0.0)], 0.05)
    assert isinstance(answer, Unavailable)
    assert "another process" in answer.message
    other.release()
    assert driver.info("q").ready == 0
    assert driver.publish("q", [Message("a", b"", 0.0)], 5.0) == [Receipt("a")]
    driver.close()


def test_a_verdict_is_kept_until_the_file_is_free(tmp_path: Path) -> None:
    driver = opened(tmp_path / FILE, SystemClock())
    driver.declare(QueueSpec("q"))
    driver.publish("q", [Message("a", b"", 0.0)], 5.0)
    subscription = driver.subscribe("q", 1)
    (delivery,) = subscription.take(1, 5.0)
    other = Locked(tmp_path / FILE)
    assert subscription.start(delivery)
    assert subscription.settle(delivery, ACK)
    other.release()
    wait_until(lambda: driver.info("q").message_count == 0)
    driver.close()


def test_a_verdict_that_could_not_be_written_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = opened(tmp_path / FILE, SystemClock())
    driver.declare(QueueSpec("q"))
    driver.publish("q", [Message("a", b"", 0.0)], 5.0)
    subscription = driver.subscribe("q", 1)
    (delivery,) = subscription.take(1, 5.0)
    monkeypatch.setattr("moonq.drivers.sqlite.commits.BUSY", 0.01)
    other = Locked(tmp_path / FILE)
    assert subscription.settle(delivery, ACK)
    wait_until(lambda: bool(driver._writer._inbox.late))
    other.release()
    wait_until(lambda: driver.info("q").message_count == 0)
    driver.close()


@pytest.mark.parametrize("how", ["moved", "replaced", "folder"])
def test_a_file_that_was_taken_away_is_said_to_be_gone(tmp_path: Path, how: str) -> None:
    """Nothing is accepted that nobody would find, and no disk is blamed."""
    folder = tmp_path / "folder"
    folder.mkdir()
    driver = opened(folder / FILE)
    driver.declare(QueueSpec("q"))
    driver.publish("q", [Message(str(n), b"x" * 900, 0.0) for n in range(300)], 1.0)
    if how == "folder":
        folder.rename(tmp_path / "elsewhere")
    else:
        (folder / FILE).rename(tmp_path / "elsewhere")
    if how == "replaced":
        (folder / FILE).touch()
    (answer,) = driver.publish("q", [Message("b", b"", 0.0)], 1.0)
    assert isinstance(answer, Unavailable)
    assert "deleted, moved or replaced" in answer.message
    # A file that lies elsewhere can still be read; its log cannot always.
    for look in () if how == "replaced" else (partial(driver.peek, "q", 1000),):
        with pytest.raises(Unavailable, match="deleted, moved or replaced"):
            look()
    driver.close()


def test_a_file_that_was_taken_away_is_told_though_nobody_publishes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, clock = tmp_path / FILE, ManualClock()
    driver = opened(path, clock)
    driver.declare(QueueSpec("q"))
    path.rename(tmp_path / "elsewhere")

    def told() -> int:
        clock.advance(1.5)
        driver.declare(QueueSpec("q"))  # the writer looks around
        return sum("deleted, moved or replaced" in one.message for one in caplog.records)

    wait_until(lambda: told() == 1)
    (tmp_path / "elsewhere").rename(path)
    wait_until(lambda: told() == 1 and not driver._writer.file.is_lost)
    path.rename(tmp_path / "elsewhere")
    wait_until(lambda: told() == 2)
    driver.close()


def test_a_driver_that_could_not_be_opened_says_why(tmp_path: Path) -> None:
    """What is declared meanwhile is there once it opens."""
    path = tmp_path / FILE
    path.mkdir()
    driver = SqliteDriver(ManualClock(), path, ballast_mb=0)
    with pytest.raises(Unavailable):
        driver.open(lambda event: None)
    with pytest.raises(Unavailable, match="is a folder"):
        driver.declare(QueueSpec("q", dead_letter="q.dead"))
    (answer,) = driver.publish("q", [Message("a", b"", 0.0)], 0.0)
    assert isinstance(answer, Unavailable)
    assert "is a folder" in answer.message
    with pytest.raises(Unavailable, match="is a folder"):
        driver.info("q")
    path.rmdir()
    driver.open(lambda event: None)
    assert driver.publish("q", [Message("a", b"", 0.0)], 0.0) == [Receipt("a")]
    driver.close()


def test_a_text_that_cannot_be_stored_fails_alone(tmp_path: Path) -> None:
    driver = opened(tmp_path / FILE)
    driver.declare(QueueSpec("q"))
    answers: dict[str, Any] = {}

    def publish(name: str) -> None:
        (answers[name],) = driver.publish("q", [Message(name, b"", 0.0)], 5.0)

    pause = Pause()
    driver._writer.later(pause.hold)
    assert pause.held.wait(5)
    threads = [threading.Thread(target=publish, args=(name,)) for name in ("a", "\ud800", "b")]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(driver._writer._inbox.publishes) == 3)
    pause.over.set()
    for thread in threads:
        thread.join(5)
    assert isinstance(answers.pop("\ud800"), Invalid)
    assert answers == {"a": Receipt("a"), "b": Receipt("b")}
    driver.close()


def test_a_listener_that_fails_doubles_nothing(tmp_path: Path) -> None:
    def listener(event: Event) -> None:
        raise RuntimeError("not today")

    driver = SqliteDriver(ManualClock(), tmp_path / FILE, ballast_mb=0)
    driver.open(listener)
    driver.declare(QueueSpec("q", max_length=1, overflow="drop_oldest"))
    both = [Message("a", b"", 0.0), Message("b", b"", 0.0)]
    assert driver.publish("q", both, 1.0) == [Receipt("a"), Receipt("b")]
    assert ids(driver.peek("q", 10).items) == ["b"]
    driver.close()


def test_a_listener_may_call_the_driver_back(tmp_path: Path) -> None:
    seen = []
    driver = SqliteDriver(ManualClock(), tmp_path / FILE, ballast_mb=0)
    driver.open(lambda event: seen.append((event.kind, driver.info("q").ready)))
    driver.declare(QueueSpec("q", max_length=1, overflow="drop_oldest"))
    driver.publish("q", [Message("a", b"", 0.0), Message("b", b"", 0.0)], 1.0)
    assert seen == [("dropped", 1)]
    driver.close()


def test_an_fsync_is_paid_for_publishes_and_not_for_acknowledgements(tmp_path: Path) -> None:
    driver = opened(tmp_path / FILE, durability="full")
    driver.declare(QueueSpec("q"))
    subscription = driver.subscribe("q", 1)
    driver.publish("q", [Message("a", b"", 0.0)], 1.0)
    said: list[str] = []
    driver._writer.file.connection.set_trace_callback(said.append)

    def level_of(statement: str) -> str:
        # A statement that sets off triggers is told of again.
        index = next(number for number, sql in enumerate(said) if sql.startswith(statement))
        levels = [sql for sql in said[:index] if "synchronous" in sql]
        return levels[-1].rpartition(" ")[2]

    (delivery,) = subscription.take(1, 0.0)
    subscription.settle(delivery, ACK)
    driver._writer.flush()
    driver.publish("q", [Message("b", b"", 0.0)], 1.0)
    driver._writer.file.connection.set_trace_callback(None)
    assert (level_of("INSERT INTO msg"), level_of("DELETE FROM msg")) == ("FULL", "NORMAL")
    driver.close()


def test_the_file_is_left_in_one_piece(tmp_path: Path) -> None:
    driver = opened(tmp_path / FILE)
    driver.declare(QueueSpec("q"))
    driver.publish("q", [Message("a", b"", 0.0)], 1.0)
    driver.close()
    assert {path.name for path in tmp_path.iterdir()} <= {FILE, f"{FILE}.lock"}


def wait_until(look: Callable[[], T]) -> T:
    """Look again and again, for ten seconds at most, until there is something to see."""
    pause = threading.Event()
    for _ in range(1000):
        if seen := look():
            return seen
        pause.wait(0.01)
    raise AssertionError("it never came to pass")


def test_a_driver_that_did_not_end_in_time_opens_when_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moonq.drivers.sqlite.driver.LEAST", 0.05)
    clock, stuck, go = ManualClock(), threading.Event(), threading.Event()
    driver = SqliteDriver(clock, tmp_path / FILE, ballast_mb=0)

    def listen(event: Event) -> None:
        stuck.set()
        go.wait(10)

    def handles() -> int:
        return sum(one.resolve().parent == tmp_path for one in Path("/proc/self/fd").iterdir())

    driver.open(listen)
    driver.declare(QueueSpec("q"))
    driver.publish("q", [Message("late", b"", 0.0, ttl=1.0), Message("a", b"", 0.0)], 5.0)
    clock.advance(2)
    assert stuck.wait(10)
    assert not driver.close(clock.monotonic())
    before = handles()
    with pytest.raises(Unavailable):
        driver.open(listen)
    assert handles() == before > 0
    go.set()
    wait_until(lambda: not driver._writer._thread.is_alive())  # type: ignore[union-attr]
    driver.open(listen)
    assert driver.info("q").ready == 1
    assert driver.close()


def test_a_take_behind_a_settle_sees_the_room_that_it_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even while the writer is busy with a batch that knows nothing of the settle."""
    driver = make(SystemClock(), tmp_path)
    driver.open(lambda _: None)
    driver.declare(QueueSpec("q"))
    driver.publish("q", [Message(name, b"", 0.0) for name in "ab"], 1.0)
    subscription = driver.subscribe("q", 1)
    (first,) = subscription.take(1, 1.0)
    (desk,) = (one for queue in driver._writer.file.queues.values() for one in queue.desks)
    before, is_busy, run = desk.asked, threading.Event(), batch.settle

    def settle(*given: Any) -> None:
        if not is_busy.is_set():
            is_busy.set()
            give_up = time.monotonic() + 5
            while desk.asked == before and time.monotonic() < give_up:
                time.sleep(0.001)
        run(*given)

    monkeypatch.setattr(batch, "settle", settle)
    other = threading.Thread(target=driver.publish, args=("q", [Message("c", b"", 0.0)], 5.0))
    other.start()
    assert is_busy.wait(5)
    subscription.settle(first, ACK)
    assert [one.message.id for one in subscription.take(1, 0.0)] == ["b"]
    other.join()
    driver.close()


@pytest.mark.parametrize("is_told_first", [False, True])
def test_a_file_that_was_deleted_is_made_anew_with_all_its_messages(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, is_told_first: bool
) -> None:
    clock, folder = ManualClock(), tmp_path / "folder"
    driver = opened(folder / FILE, clock)
    driver.declare(QueueSpec("q"))
    driver.publish("q", [Message(str(n), b"x" * 900, 0.0) for n in range(300)], 1.0)
    subscription = driver.subscribe("q", 2)
    done, running = subscription.take(2, 5.0)
    assert subscription.settle(done, ACK)
    wait_until(lambda: driver.info("q").message_count == 299)
    shutil.rmtree(folder)

    def is_told() -> bool:
        clock.advance(1.5)
        driver.declare(QueueSpec("q"))  # the writer looks around
        return "is made anew" in caplog.text

    if is_told_first:
        wait_until(is_told)
    (answer,) = driver.publish("q", [Message("new", b"", 0.0)], 1.0)
    assert not isinstance(answer, QueueError), answer
    assert "is made anew" in caplog.text
    assert driver.health() == []
    assert subscription.settle(running, ACK)
    wait_until(lambda: driver.info("q").message_count == 299)
    assert {one.message.id for one in driver.peek("q", 1000).items} == {
        "new",
        *map(str, range(2, 300)),
    }
    driver.close()
    assert {one.name for one in folder.iterdir()} == {FILE, f"{FILE}.lock"}
    driver = opened(folder / FILE, clock)
    driver.declare(QueueSpec("q"))
    assert driver.info("q").message_count == 299
    driver.close()


def test_a_deleted_file_that_two_have_open_is_told_of_and_left(tmp_path: Path) -> None:
    """Each would make one of its own, and the messages run twice."""
    folder, clock = tmp_path / "folder", ManualClock()
    drivers = [opened(folder / FILE, clock) for _ in range(2)]
    for driver in drivers:
        driver.declare(QueueSpec("q"))
    shutil.rmtree(folder)
    for driver in drivers:
        (answer,) = driver.publish("q", [Message("b", b"", 0.0)], 1.0)
        assert isinstance(answer, Unavailable)
        assert "deleted, moved or replaced" in answer.message

        def is_told(driver: SqliteDriver = driver) -> bool:
            clock.advance(1.5)
            driver.publish("q", [Message("b", b"", 0.0)], 1.0)
            return any("deleted, moved or replaced" in one for one in driver.health())

        wait_until(is_told)
        assert not folder.exists()
    for driver in drivers:
        driver.close()


def test_a_lock_that_was_deleted_is_made_anew_before_others_take_its_owner_for_dead(
    tmp_path: Path,
) -> None:
    path, clock = tmp_path / FILE, ManualClock()
    driver = opened(path, clock)
    driver.declare(QueueSpec("q"))
    (lock,) = tmp_path.glob("*.s[0-9]*")
    told = lock.read_bytes()
    lock.unlink()

    def is_back() -> bool:
        clock.advance(1.5)
        driver.declare(QueueSpec("q"))  # the writer looks around
        return lock.exists() and lock.read_bytes() == told

    wait_until(is_back)
    driver.close()
