"""A backup of the SQLite driver's file, as the page about operating says to make and restore it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from moonq.clock import ManualClock
from moonq.drivers.sqlite.driver import SqliteDriver
from moonq.model import Message, QueueSpec


def opened(path: Path) -> SqliteDriver:
    driver = SqliteDriver(ManualClock(), path, ballast_mb=0)
    driver.open(lambda event: None)
    driver.declare(QueueSpec("q"))
    return driver


def messages(driver: SqliteDriver) -> list[str]:
    return [one.message.id for one in driver.peek("q", 10).items]


def published(driver: SqliteDriver, *ids: str) -> None:
    driver.publish("q", [Message(one, b"1", 0.0) for one in ids], 1.0)


def test_what_sqlite_copies_of_a_file_in_use_is_whole_and_can_be_put_in_its_place(
    tmp_path: Path,
) -> None:
    path, copy = tmp_path / "queues.db", tmp_path / "backup.db"
    driver = opened(path)
    published(driver, "a", "b")
    driver.pause("q")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    published(driver, "c")
    assert messages(driver) == ["a", "b", "c"]
    driver.close()

    for old in tmp_path.glob("queues.db*"):
        old.unlink()
    shutil.copy(copy, path)
    restored = opened(path)
    assert messages(restored) == ["a", "b"]
    assert restored.info("q").paused
    published(restored, "d")
    assert messages(restored) == ["a", "b", "d"]
    restored.close()


def test_after_a_stop_the_file_is_complete_by_itself(tmp_path: Path) -> None:
    driver = opened(tmp_path / "queues.db")
    published(driver, "a")
    driver.close()
    shutil.copy(tmp_path / "queues.db", tmp_path / "copy.db")
    copied = opened(tmp_path / "copy.db")
    assert messages(copied) == ["a"]
    copied.close()
