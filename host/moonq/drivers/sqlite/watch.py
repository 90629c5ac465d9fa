"""What happens to the file unasked: other processes write, some die, the disk fills."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from moonq.drivers.inbox import Inbox, Work
from moonq.drivers.sqlite import session as sqlite_session
from moonq.drivers.sqlite.batch import Batch
from moonq.drivers.sqlite.commits import Commits
from moonq.drivers.sqlite.line import alarm, has_ready
from moonq.drivers.sqlite.opened import OpenFile
from moonq.drivers.sqlite.publishing import forget_keys
from moonq.drivers.sqlite.settling import recover
from moonq.drivers.sqlite.shrinking import KEPT, shrink, spare_bytes
from moonq.drivers.sqlite.tx import Tx

#: Seconds between two looks for what other processes wrote, while there are consumers.
LOOK = 0.025
#: Seconds between two rounds: the dead, the disk, keys whose window is over.
ROUND = 1.0
#: Real seconds that the deletion of a folder of few files may take.
DELETION = 0.05


class Watch:
    """See the module; for the writer's thread alone."""

    def __init__(self, opened: OpenFile, inbox: Inbox, commits: Commits) -> None:
        self._file = opened
        self._inbox = inbox
        self._commits = commits
        self._looked = self._round = -math.inf

    def begin(self) -> None:
        """Look at everything next time, for the file was just opened."""
        self._looked = self._round = -math.inf

    def due(self) -> float:
        """In how many real seconds the next look is due: other processes live in no test's time."""
        return self._looked + LOOK - time.monotonic()

    def look(self) -> None:
        """Notice what other processes have written."""
        self._looked = time.monotonic()
        connection = self._file.connection
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version == self._file.version:
            return
        self._file.version = version
        paused = dict(connection.execute("SELECT id, paused FROM queue"))
        for queue in list(self._file.queues.values()):
            queue.alarm = alarm(connection, queue)
            queue.stirred |= bool(queue.desks) and has_ready(connection, queue)
            queue.follow_pause(paused=bool(paused.get(queue.number)))
            if queue.room < math.inf:
                queue.free_places()

    def make_round(self, now: float) -> None:
        """Look after everything else, if it is time to at *now*, in seconds of the clock."""
        if now < self._round + ROUND:
            return
        self._file.watch_place()
        space, spare = self._file.space, spare_bytes(self._file.connection)
        space.look(spare)
        if spare and not (self._commits.published and space.is_safe):
            kept = KEPT if space.is_safe else 0
            shrink(self._file.connection, kept, lambda: not self._inbox.has_work())
        self._commits.published = False
        self._inbox.retry()
        if self._round > -math.inf:  # the first time `reap` is called for
            self.reap(None)
        self._run(forget_keys)
        self._round = now

    def reap(self, only: Collection[int] | None) -> None:
        """Recover what dead processes held; at first *only* of queues that are declared by now."""
        for number in self._file.others():
            if self._has_died(number):
                self._run(partial(recover, session=number, only=only))
                if number not in self._file.others():
                    sqlite_session.clear(self._file.path, number)

    def _has_died(self, number: int) -> bool:
        path, session = self._file.path, self._file.session
        if not sqlite_session.is_dead(path, number):
            return False
        if not sqlite_session.has_lock(path, number):
            # Perhaps somebody deletes the folder with all locks, which tell who lives.
            time.sleep(DELETION)
        return session is None or session.is_in_place(path)

    def _run(self, run: Callable[[Tx], Any]) -> None:
        self._commits.attempt(Batch(tasks=[Work(run)]))
