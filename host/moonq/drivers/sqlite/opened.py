"""The file as the writer has it open: its connection, our session in it, and where it lies."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from moonq import log
from moonq.drivers.buffered import BufferedQueue
from moonq.drivers.sqlite import file as sqlite_file
from moonq.drivers.sqlite import restoring
from moonq.drivers.sqlite import session as sqlite_session
from moonq.drivers.sqlite.restoring import Place
from moonq.drivers.sqlite.space import Space
from moonq.drivers.sqlite.times import FileTime
from moonq.drivers.sqlite.tx import Tx
from moonq.drivers.sqlite.view import View
from moonq.errors import MoonqError

_log = log.get("moonq.sqlite")


class OpenFile:
    """See the module."""

    connection: sqlite3.Connection

    def __init__(self, path: Path, time: FileTime, space: Space) -> None:
        self.path = path
        self.time = time
        self.space = space
        self.queues: dict[int, BufferedQueue] = {}
        self.session: sqlite_session.Session | None = None
        self.view: View | None = None
        self.is_lost = False
        """Whether it was no more where it was when that was looked at last."""
        self.level = ""
        """The synchronous level that was set last."""
        self.version = -1
        """The `data_version` that was seen last."""
        self.identity: tuple[int, int] | None = None
        self._place: Place | None = None
        self._receipts: Iterator[int] = itertools.count(1)

    def use(self, connection: sqlite3.Connection) -> None:
        """Go on with *connection*, which is ours from now on."""
        self.connection = connection
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA wal_autocheckpoint = {self.space.log_pages(page)}")
        self.identity = sqlite_file.identity(self.path)
        if self._place is not None:
            self._place.close()
        self._place = Place(self.path)
        self.level, self.version = "", -1

    def close(self) -> None:
        """Bring the log into the file, unless another process reads, and close it."""
        with contextlib.suppress(sqlite3.Error):
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.close()
        if self._place is not None:
            self._place.close()

    def mine(self) -> int:
        """The number of our session; 0 without one."""
        return self.session.number if self.session else 0

    def others(self) -> list[int]:
        """The numbers of all other sessions, the dead included."""
        return sqlite_session.others(self.connection, self.mine())

    def tx(self) -> Tx:
        """Return a transaction, which the caller has begun."""
        return Tx(self.connection, self.time, self.mine(), self.queues, self._receipts)

    # Its place

    def watch_place(self) -> None:
        """Tell once when the file is no more where it was: nobody notices until the next start."""
        is_lost = not self.is_in_place()
        if is_lost and not self.is_lost:
            problem = sqlite_file.replaced(self.path)
            _log.error("%s: %s", problem.message, problem.hint)
        elif not is_lost and self.session is not None and not self.session.is_in_place(self.path):
            with sqlite_file.speaking_of(self.path):
                self.session.renew(self.path)  # or others would take this process for dead
        self.is_lost = is_lost

    def has_moved(self) -> bool:
        """Whether something else, or nothing, is where the file was."""
        return sqlite_file.identity(self.path) != self.identity

    def is_in_place(self) -> bool:
        """Whether the file is where it was; one that was deleted is made anew, if it can be."""
        if not self.has_moved():
            return True
        if self._place is None or not self._place.was_deleted() or self.others():
            return False  # others would not find one that is made anew
        try:
            copy = restoring.copied(self.connection, self.path)
        except (OSError, sqlite3.Error) as error:
            if not self.is_lost:
                _log.error("%s cannot be made anew: %s", self.path, error)
            return False
        self._move_to(copy)
        _log.warning("%s was deleted while it was in use, and is made anew", self.path)
        return True

    def _move_to(self, copy: Path) -> None:
        """Go on with *copy* in the place of the file.

        The deleted one is closed first, for SQLite then removes a log of its name.
        """
        with self.view.away() if self.view is not None else contextlib.nullcontext():
            self.connection.close()
            try:
                restoring.put(copy, self.path)
                self.use(sqlite_file.open_writer(self.path))
                if self.session is not None:
                    self.session.renew(self.path)
            except (OSError, MoonqError):
                _log.error("%s: the messages are in %s", self.path, copy)
                raise
