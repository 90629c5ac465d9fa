"""Who has a file open: what sessions say of themselves in the files that prove them alive."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from moonq.clock import ManualClock
from moonq.drivers.base import machine
from moonq.drivers.sqlite.driver import SqliteDriver
from moonq.errors import Unavailable

FILE = "queues.db"


def test_a_session_of_an_older_moonq_is_a_peer_without_a_name(tmp_path: Path) -> None:
    """It says nothing of itself in its locked file: the file's version is the same."""
    driver = SqliteDriver(ManualClock(), tmp_path / FILE, ballast_mb=0)
    driver.open(lambda event: None, name="blue")
    [beside] = tmp_path.glob(f"{FILE}.s[0-9]*")
    assert driver.peers()[0].name == "blue"
    for text in ("", "[]", '{"name": "bl'):
        beside.write_text(text)
        assert [one[:3] for one in driver.peers()] == [("", machine(), os.getpid())]
    driver.close()


def test_a_process_that_was_killed_is_no_peer(tmp_path: Path) -> None:
    driver = SqliteDriver(ManualClock(), tmp_path / FILE, ballast_mb=0)
    driver.open(lambda event: None, name="blue")
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute("INSERT INTO session(pid, began) VALUES(1, 0)")
    assert [one.name for one in driver.peers()] == ["blue"]
    driver.close()


def test_who_shares_a_file_that_is_closed_is_not_known(tmp_path: Path) -> None:
    driver = SqliteDriver(ManualClock(), tmp_path / FILE, ballast_mb=0)
    with pytest.raises(Unavailable, match="is not running"):
        driver.peers()
