"""A full disk: nothing that was accepted is lost, and what is there can still be worked off."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from moonq.clock import ManualClock
from moonq.conformance.scene import ids
from moonq.drivers.sqlite.driver import SqliteDriver
from moonq.drivers.sqlite.space import MB, Space
from moonq.errors import QueueFull
from moonq.model import ACK, Message, QueueSpec, Receipt

BODY = b"x" * 20_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB, where the system lets us have one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False).returncode
    except OSError:
        done = 1
    if done:
        pytest.skip("mounting a small disk needs a privilege")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


class Bench:
    """A driver with one queue, and what it has accepted."""

    def __init__(self, folder: Path, **options: int) -> None:
        self.clock = ManualClock()
        self.driver = SqliteDriver(self.clock, folder / "queues.db", **options)
        self.driver.open(lambda event: None)
        self.driver.declare(QueueSpec("q", dead_letter="q.dead"))
        self.accepted: list[str] = []

    def publish(self) -> Receipt | Exception:
        name = f"m{len(self.accepted)}"
        (answer,) = self.driver.publish("q", [Message(name, BODY, 0.0)], 1.0)
        if isinstance(answer, Receipt):
            self.accepted.append(answer.id)
        return answer

    def fill(self) -> QueueFull:
        """Publish until nothing more is accepted."""
        for _ in range(2000):
            answer = self.publish()
            if isinstance(answer, QueueFull):
                return answer
            assert isinstance(answer, Receipt)
        raise AssertionError("the disk does not get full")

    def drain(self) -> list[str]:
        """Handle everything there is."""
        subscription = self.driver.subscribe("q", 10)
        done: list[str] = []
        give_up = time.monotonic() + 20
        # A take that meets the full disk first may come back with nothing.
        while self.driver.info("q").message_count and time.monotonic() < give_up:
            taken = subscription.take(10, 0.0)
            for delivery in taken:
                assert subscription.start(delivery)
                assert subscription.settle(delivery, ACK)
            done += ids(taken)
        assert subscription.close(self.clock.monotonic())
        return done


def test_a_full_disk_refuses_publishes_and_lets_the_rest_go_on(small_disk: Path) -> None:
    """§1 I1: every accepted message is delivered and acknowledged on the full disk."""
    bench = Bench(small_disk, ballast_mb=2)
    refused = bench.fill()
    assert refused.retryable
    assert "disk" in refused.message
    assert refused.hint
    assert len(bench.accepted) > 50
    assert bench.driver.info("q").ready == len(bench.accepted)
    assert bench.drain() == bench.accepted
    bench.driver.close()


def test_a_disk_with_room_again_accepts_publishes_again(small_disk: Path) -> None:
    """§2 RATE_LIMITED: worth another try, as the error says."""
    waste = small_disk / "waste"
    waste.write_bytes(b"x" * 3 * MB)
    bench = Bench(small_disk, ballast_mb=1)
    bench.fill()
    assert isinstance(bench.publish(), QueueFull)
    waste.unlink()
    bench.clock.advance(2)
    bench.driver.info("q")
    assert isinstance(bench.publish(), Receipt)
    assert (small_disk / "queues.db.ballast").stat().st_size == MB
    assert bench.drain() == bench.accepted
    bench.driver.close()


def test_what_a_full_disk_held_is_there_after_a_restart(small_disk: Path) -> None:
    """§1 I1: also when the host was stopped in the middle of it."""
    bench = Bench(small_disk, ballast_mb=2)
    bench.fill()
    bench.driver.close()
    again = Bench(small_disk, ballast_mb=2)
    assert again.drain() == bench.accepted
    again.driver.close()


def test_a_file_that_may_not_grow_refuses_and_keeps_what_it_has(tmp_path: Path) -> None:
    """§1 I1: the limit of SQLite itself, for where no small disk can be had."""
    bench = Bench(tmp_path, ballast_mb=1)
    bench.driver._writer.file.connection.execute("PRAGMA max_page_count = 400")
    assert "disk" in bench.fill().message
    assert bench.driver.info("q").ready == len(bench.accepted)
    bench.driver._writer.file.connection.execute("PRAGMA max_page_count = 40000")
    bench.clock.advance(2)
    bench.driver.info("q")
    assert isinstance(bench.publish(), Receipt)
    assert bench.drain() == bench.accepted
    bench.driver.close()


def test_publishes_are_refused_before_the_disk_is_full(tmp_path: Path) -> None:
    """`min_free_mb`: more than any disk has."""
    bench = Bench(tmp_path, ballast_mb=0, min_free_mb=1_000_000_000)
    assert isinstance(bench.publish(), QueueFull)
    bench.driver.close()


def test_a_ballast_is_laid_and_given_up(tmp_path: Path) -> None:
    space = Space(tmp_path / "file", MB, 0)
    space.look(0)
    assert not space.is_short
    assert (tmp_path / "file.ballast").stat().st_size == MB
    assert space.give_way()
    assert space.is_short
    assert not space.give_way()
    space.look(0)
    assert not space.is_short


def size(folder: Path) -> int:
    return (folder / "queues.db").stat().st_size


def rounds(bench: Bench, until: Callable[[], bool]) -> None:
    """Let time pass until something is so; the driver looks at its disk once a second."""
    for _ in range(200):
        bench.clock.advance(1)
        bench.driver.info("q")
        if until():
            return
    raise AssertionError("it never came to pass")


def test_a_file_that_is_empty_again_accepts_publishes_again(small_disk: Path) -> None:
    """§1 I2: what filled the disk is gone, though the file has its size still."""
    bench = Bench(small_disk, ballast_mb=1)
    bench.fill()
    assert bench.drain() == bench.accepted
    rounds(bench, lambda: isinstance(bench.publish(), Receipt))
    rounds(bench, (small_disk / "queues.db.ballast").exists)
    again = bench.accepted[-1:]
    for _ in range(100):
        assert isinstance(bench.publish(), Receipt)
    assert bench.drain() == again + bench.accepted[-100:]
    bench.driver.close()


def test_a_file_that_cannot_shrink_counts_its_free_pages_as_room(small_disk: Path) -> None:
    """One that an earlier moonq made: it keeps its size, and is as good as new."""
    plain = sqlite3.connect(small_disk / "queues.db")
    plain.execute("PRAGMA auto_vacuum = NONE")
    plain.execute("CREATE TABLE gone(x)")
    plain.execute("DROP TABLE gone")
    plain.close()
    bench = Bench(small_disk, ballast_mb=1)
    bench.fill()
    full = size(small_disk)
    assert bench.drain() == bench.accepted
    rounds(bench, lambda: isinstance(bench.publish(), Receipt))
    assert size(small_disk) >= full
    assert all(isinstance(bench.publish(), Receipt) for _ in range(100))
    bench.driver.close()


def test_a_file_shrinks_while_nobody_publishes(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ballast_mb=0)
    for _ in range(1000):
        bench.publish()
    bench.clock.advance(1)
    assert bench.drain() == bench.accepted
    assert size(tmp_path) > 15 * MB
    rounds(bench, lambda: size(tmp_path) < 5 * MB)
    assert isinstance(bench.publish(), Receipt)
    bench.driver.close()
