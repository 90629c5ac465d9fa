"""Batches become transactions here: begun, committed, landed, and cut up when they fail."""

from __future__ import annotations

import math
import random
import sqlite3
import time
from collections.abc import Callable

from moonq import log
from moonq.drivers.base import Event
from moonq.drivers.inbox import Inbox
from moonq.drivers.sqlite import file as sqlite_file
from moonq.drivers.sqlite.batch import Batch
from moonq.drivers.sqlite.opened import OpenFile
from moonq.drivers.sqlite.tx import Tx
from moonq.errors import MoonqError

_log = log.get("moonq.sqlite")
#: Real seconds for which another process may hold the file.
BUSY = 10.0
#: Seconds after which the newest moment is written down again.
MOMENT = 1.0


class Commits:
    """See the module; one thread at a time."""

    def __init__(
        self, opened: OpenFile, inbox: Inbox, on_event: Callable[[Event], None], *, is_full: bool
    ) -> None:
        self._on_event = on_event
        self.tripped = False
        """Whether something failed that may fail again at once."""
        self.published = False
        """Whether anybody has published since this was set back."""
        self._file = opened
        self._inbox = inbox
        self._publish_level = "FULL" if is_full else "NORMAL"
        self._noted = -math.inf
        """The moment that was written down last."""

    def attempt(self, batch: Batch) -> None:
        """Do *batch*; what fails together is done one by one."""
        if self._file.space.is_short:
            batch.refuse(sqlite_file.storage_full(self._file.path))
        elif batch.publishes and not self._file.is_in_place():
            batch.refuse(sqlite_file.replaced(self._file.path))
        self.carry_out(batch)

    def begin_at_once(self) -> bool:
        """Begin to publish, for `carry_out`; False: something is in the way."""
        if self._file.space.is_short or self._file.has_moved():
            return False
        try:
            self._set_level(self._publish_level)
            self._file.connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            return False
        return True

    def carry_out(self, batch: Batch) -> None:
        """Do *batch*, in the transaction that was begun if there is one."""
        try:
            tx = self._transact(batch)
        except Exception as error:  # noqa: BLE001 - one mistake must not end the thread
            self._failed(batch, error)
        else:
            # Not among what may fail: it is committed, and must not be done again.
            self._land(tx, batch)

    def _transact(self, batch: Batch) -> Tx:
        if not self._file.connection.in_transaction:
            self._begin(self._publish_level if batch.is_precious() else "NORMAL")
        try:
            tx = self._file.tx()
            batch.run(tx, self._file.connection)
            tx.finish()
            if tx.now >= self._noted + MOMENT:
                tx.execute("UPDATE moment SET newest = max(newest, ?)", (tx.now,))
                self._noted = tx.now
        except BaseException:
            self._roll_back()
            raise
        self._commit(batch)
        return tx

    def _begin(self, level: str) -> None:
        """Begin when no other process writes.

        SQLite's own waiting sleeps up to 100 ms at a time, and starves beside a busy neighbour.
        """
        self._set_level(level)
        give_up = time.monotonic() + BUSY
        while True:
            try:
                self._file.connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not sqlite_file.is_busy(error) or time.monotonic() > give_up:
                    raise
                time.sleep(random.uniform(0.0003, 0.002))
            else:
                return

    def _set_level(self, level: str) -> None:
        if level != self._file.level:
            self._file.connection.execute(f"PRAGMA synchronous = {level}")
            self._file.level = level

    def _commit(self, batch: Batch) -> None:
        begun = time.perf_counter()
        try:
            self._file.connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            if sqlite_file.code(error) == sqlite3.SQLITE_IOERR:
                # It may be in the log already, so its fate is unknown.
                batch.doubt(self._file.path)
            raise
        if batch.publishes:
            self.published = True
            self._inbox.note_commit(len(batch.publishes), time.perf_counter() - begun)

    def _roll_back(self) -> None:
        if self._file.connection.in_transaction:
            self._file.connection.execute("ROLLBACK")
        for queue in list(self._file.queues.values()):
            queue.look_again()

    def _land(self, tx: Tx, batch: Batch) -> None:
        batch.land(tx)
        if tx.freed:
            for queue in self._file.queues.values():
                # Dead letters count for the queue that they come from.
                if queue in tx.freed or queue.dead in tx.freed:
                    queue.free_places()
        for event in tx.events:
            self._tell(event)
        for work in batch.works():
            work.done()

    def _tell(self, event: Event) -> None:
        try:
            self._on_event(event)
        except Exception:  # noqa: BLE001 - what it told of is committed, and goes on
            _log.exception("a listener to the driver's events failed")

    def _failed(self, batch: Batch, error: Exception) -> None:
        if sqlite_file.is_full(error) and not self._file.space.is_short:
            self._file.space.give_way()
            _log.error("%s", sqlite_file.storage_full(self._file.path).message)
            self.attempt(batch)
        elif sqlite_file.is_busy(error) or batch.is_single():
            batch.fail(self._explain(error))
            self._inbox.again(batch.endings, batch.begun)
            self.tripped = True
        else:
            for part in batch.parts():
                self.attempt(part)

    def _explain(self, error: Exception) -> MoonqError:
        problem = sqlite_file.meaning(error, self._file.path, self._file.identity)
        if not isinstance(error, MoonqError | sqlite3.Error):
            _log.error("%s", problem.message, exc_info=error)
        return problem
