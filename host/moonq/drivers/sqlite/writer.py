"""The one thread that writes: it turns all requests into few transactions.

While one transaction is under way the next one's work piles up, so batches grow with the load and
no request waits for a timer. It is also the clock of the file: it wakes for what comes due, looks
for what other processes have written, and finds the dead among them.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import random
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from moonq import log, threads
from moonq.clock import Clock
from moonq.drivers.base import Event
from moonq.drivers.buffered import Abandon, BufferedDesk, BufferedQueue, Ending, Held
from moonq.drivers.inbox import MANY, Inbox, Work
from moonq.drivers.sqlite import file as sqlite_file
from moonq.drivers.sqlite import restoring
from moonq.drivers.sqlite import session as sqlite_session
from moonq.drivers.sqlite.batch import Batch, is_asking
from moonq.drivers.sqlite.line import alarm, has_ready
from moonq.drivers.sqlite.publishing import forget_keys
from moonq.drivers.sqlite.restoring import Place
from moonq.drivers.sqlite.settling import recover
from moonq.drivers.sqlite.shrinking import KEPT, shrink, spare_bytes
from moonq.drivers.sqlite.space import Space
from moonq.drivers.sqlite.times import FileTime
from moonq.drivers.sqlite.tx import Tx
from moonq.drivers.sqlite.view import View
from moonq.errors import MoonqError, QueueError, Uncertain
from moonq.text.wording import plural

_log = log.get("moonq.sqlite")
Result = TypeVar("Result")
#: Seconds between two looks for what other processes wrote, while there are consumers.
LOOK = 0.025
#: Seconds between two rounds: the dead, the disk, keys whose window is over.
ROUND = 1.0
#: Real seconds that the deletion of a folder of few files may take.
DELETION = 0.05
#: Real seconds for which another process may hold the file.
BUSY = 10.0


class Writer:
    """See the module."""

    def __init__(
        self, path: Path, clock: Clock, file_time: FileTime, space: Space, *, is_full: bool
    ) -> None:
        self.queues: dict[int, BufferedQueue] = {}
        self.session: sqlite_session.Session | None = None
        self.view: View | None = None
        self.on_event: Callable[[Event], None] = lambda _: None
        self._path = path
        self._clock = clock
        self._time = file_time
        self._space = space
        self._publish_level = "FULL" if is_full else "NORMAL"
        self._level = ""
        self._inbox = Inbox()
        self.begin = self._inbox.begin
        self.ring = self._inbox.ring
        self.lag = self._inbox.lag
        self._tripped = False
        """Whether the last batch failed."""
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._receipts: Iterator[int] = itertools.count(1)
        self._noted = -math.inf
        """The moment that was written down last."""
        self._version = -1
        self._place: Place | None = None
        self._round = -math.inf
        self._published = False
        """Whether anybody has published since the last round."""
        self._is_lost = False
        """Whether the file is no more where it was."""
        self._recovers = False
        """Whether to look for what dead processes held, as soon as may be."""

    # Life

    def check_stopped(self) -> None:
        """See that nobody writes.

        Raises:
            Unavailable: The thread that wrote before has not come to its end.
        """
        if self._thread is not None and self._thread.is_alive():
            raise sqlite_file.held_too_long(self._path)

    def start(self, connection: sqlite3.Connection) -> None:
        """Begin to write through *connection*, which is ours from now on."""
        self._use(connection)
        self._stopping = False
        self._round = -math.inf
        self._recovers = bool(self.queues)
        thread = threading.Thread(target=self._serve, name="moonq-sqlite", daemon=True)
        threads.start(thread)
        self._thread = thread

    def _use(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA wal_autocheckpoint = {self._space.log_pages(page)}")
        self._identity = sqlite_file.identity(self._path)
        if self._place is not None:
            self._place.close()
        self._place = Place(self._path)
        self._level = ""
        self._version = -1

    def stop(self, seconds: float, *, leave: bool) -> bool:
        """Write what was asked for within *seconds*, then end; *leave* gives up the session, too.

        False: not all of it is written.
        """
        if leave:
            self.later(lambda tx: recover(tx, tx.session))
        self._stopping = True
        self.ring()
        if self._thread is not None:
            self._thread.join(seconds)
            if self._thread.is_alive():
                # It has the file, and with it the session: both go with the process.
                return False
            self._thread = None
        is_done = not self._inbox.late
        if leave and self.session is not None:
            sqlite_session.clear(self._path, self.session.number)
            self.session = None
        return is_done

    def health(self) -> list[str]:
        """Return what hinders the writing now, a sentence each."""
        found = []
        if self._space.is_short:
            found.append(sqlite_file.storage_full(self._path).message)
        if self._is_lost:
            found.append(sqlite_file.replaced(self._path).message)
        if late := len(self._inbox.late):
            found.append(f"{self._path}: {plural(late, 'verdict')} could not be written yet")
        return found

    # What others ask for

    def end(self, held: Held, ending: Ending) -> None:
        """End a delivery with the next batch; never waits."""
        held.ended = self._time.now() if held.ended is None else held.ended
        self._inbox.end(held, ending)

    def leave(self, desk: BufferedDesk, when: float) -> None:
        """End everything at a desk that was left at *when*."""
        if desk.leave(Abandon(), when):
            self.later(partial(_get_up, desk=desk))

    def orphan(self, desk: BufferedDesk) -> None:
        """Note a desk whose subscription was dropped.

        The garbage collector calls this, perhaps in a thread that holds every lock there is.
        """
        self._inbox.orphans.append((desk, self._time.now()))

    def publish(self, run: Callable[[Tx], Result], seconds: float) -> Result:
        """Run *run* in a transaction that is on the disk when this returns.

        Raises:
            Unavailable: It was not stored, and will not be.
            Uncertain: It may have been stored.
            QueueError: It was refused.
        """
        return self._do(run, self._inbox.publishes, seconds)

    def task(self, run: Callable[[Tx], Result]) -> Result:
        """Run *run* behind everything asked for so far.

        Raises:
            QueueError: It could not be done.
        """
        return self._do(run, self._inbox.tasks, BUSY)

    def flush(self, seconds: float = BUSY) -> bool:
        """Wait until everything asked for so far is in the file; False: it is not yet."""
        if self._thread is None:
            return False
        try:
            self._do(None, self._inbox.tasks, seconds)
        except QueueError:
            return False
        return True

    def recover(self) -> None:
        """Give back what dead processes held of the queues there are; never waits."""
        self._recovers = True
        self.ring()

    def later(self, run: Callable[[Tx], None]) -> None:
        """Run *run* with the next batch; never waits."""
        self._inbox.put(Work(run), self._inbox.tasks)

    def _do(self, run: Callable[[Tx], Result] | None, line: deque[Work], seconds: float) -> Result:
        work = Work(run)
        if threading.current_thread() is self._thread:
            self._attempt(Batch(publishes=[work]))  # a listener to our events asks
        else:
            self._inbox.put(work, line)
            self._wait(work, seconds)
        if work.error is not None:
            raise work.error
        result: Result = work.result
        return result

    def _wait(self, work: Work, seconds: float) -> None:
        if work.wait(seconds):
            return
        if work.abandon():
            work.error = sqlite_file.held_too_long(self._path)
        elif not work.wait(BUSY):
            work.error = Uncertain(
                f"{self._path}: the disk has not answered for {seconds + BUSY:.0f} s",
                hint="publish again with the same id and a dedup_key",
            )

    # The thread

    def _serve(self) -> None:
        while True:
            try:
                self._turn()
            except Exception as error:  # noqa: BLE001 - without this thread nothing moves
                self._stumble(error)
            if self._stopping and not self._inbox.has_work():
                break
            self._sleep()
        self._inbox.fail(sqlite_file.closed(self._path))
        # While another process reads, the log stays as it is.
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()
        if self._place is not None:
            self._place.close()

    def _turn(self) -> None:
        self._look_around()
        while self._inbox.orphans:
            self.leave(*self._inbox.orphans.popleft())
        if self._recovers:
            self._recovers = False
            self._reap(self.queues)
        now = self._clock.monotonic()
        if now >= self._round + ROUND:
            self._make_round(is_first=self._round == -math.inf)
            self._round = now
        self._inbox.await_company()
        batch = self._collect()
        if batch.needs_file(self._time.now()):
            self._attempt(batch)
        else:
            batch.answer()
        self._give_answers(batch)

    def _collect(self) -> Batch:
        """Return all there is to do.

        What a desk asked for is noted before its endings are taken out: a `take` that follows a
        settle must see the room that it makes.
        """
        self._inbox.hush()
        queues = list(self.queues.values())
        desks = [desk for queue in queues for desk in list(queue.desks) if is_asking(desk)]
        asked = [(desk, desk.asked) for desk in desks]
        wanted = self._inbox.collect()
        if len(wanted.endings) >= MANY and asked:
            self.ring()  # perhaps more of them wait
            asked = []
        return Batch(*wanted, queues, asked=asked)

    def _stumble(self, error: Exception) -> None:
        """A look at the file failed: refuse what waits for it."""
        if not sqlite_file.is_busy(error):
            problem = sqlite_file.meaning(error, self._path, self._identity)
            _log.error("%s", problem.message)
            self._inbox.fail(problem)
        time.sleep(LOOK)

    def _sleep(self) -> None:
        if self._tripped:
            # What failed may fail again at once: a broken disk is no reason to burn a core.
            self._tripped = False
            time.sleep(LOOK)
        self._inbox.sleep(self._clock, self._pause)

    def _pause(self) -> float:
        queues = list(self.queues.values())
        alarm = min((queue.alarm for queue in queues), default=math.inf)
        look = LOOK if any(queue.desks for queue in queues) else ROUND
        return min(alarm - self._time.now(), look)

    def _give_answers(self, batch: Batch) -> None:
        for desk, asked in batch.asked:
            with desk.queue.lock:
                desk.answered = max(desk.answered, asked)
                desk.bell.notify_all()

    # Transactions

    def _attempt(self, batch: Batch) -> None:
        """Do *batch*; what fails together is done one by one."""
        if self._space.is_short:
            batch.refuse(sqlite_file.storage_full(self._path))
        elif batch.publishes and not self._is_in_place():
            batch.refuse(sqlite_file.replaced(self._path))
        try:
            tx = self._transact(batch)
        except Exception as error:  # noqa: BLE001 - one mistake must not end the thread
            self._failed(batch, error)
        else:
            # Not among what may fail: it is committed, and must not be done again.
            self._land(tx, batch)

    def _transact(self, batch: Batch) -> Tx:
        self._begin(self._publish_level if batch.is_precious() else "NORMAL")
        try:
            tx = self._tx()
            batch.run(tx, self._connection)
            tx.finish()
            if tx.now >= self._noted + ROUND:
                tx.execute("UPDATE moment SET newest = max(newest, ?)", (tx.now,))
                self._noted = tx.now
        except BaseException:
            self._roll_back()
            raise
        self._commit(batch)
        return tx

    def _tx(self) -> Tx:
        session = self.session.number if self.session else 0
        return Tx(self._connection, self._time, session, self.queues, self._receipts)

    def _begin(self, level: str) -> None:
        """Begin when no other process writes.

        SQLite's own waiting sleeps up to 100 ms at a time, and starves beside a busy neighbour.
        """
        if level != self._level:
            self._connection.execute(f"PRAGMA synchronous = {level}")
            self._level = level
        give_up = time.monotonic() + BUSY
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not sqlite_file.is_busy(error) or time.monotonic() > give_up:
                    raise
                time.sleep(random.uniform(0.0003, 0.002))
            else:
                return

    def _commit(self, batch: Batch) -> None:
        begun = time.perf_counter()
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            if sqlite_file.code(error) == sqlite3.SQLITE_IOERR:
                # It may be in the log already, so its fate is unknown.
                batch.doubt(self._path)
            raise
        if batch.publishes:
            self._published = True
            self._inbox.note_commit(len(batch.publishes), time.perf_counter() - begun)

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        for queue in list(self.queues.values()):
            queue.look_again()

    def _land(self, tx: Tx, batch: Batch) -> None:
        batch.land(tx)
        for queue in self.queues.values():
            # Dead letters count for the queue that they come from.
            if queue in tx.freed or queue.dead in tx.freed:
                queue.free_places()
        for event in tx.events:
            self._tell(event)
        for work in batch.works():
            work.done()

    def _tell(self, event: Event) -> None:
        try:
            self.on_event(event)
        except Exception:  # noqa: BLE001 - what it told of is committed, and goes on
            _log.exception("a listener to the driver's events failed")

    def _failed(self, batch: Batch, error: Exception) -> None:
        if sqlite_file.is_full(error) and not self._space.is_short:
            self._space.give_way()
            _log.error("%s", sqlite_file.storage_full(self._path).message)
            self._attempt(batch)
        elif sqlite_file.is_busy(error) or batch.is_single():
            batch.fail(self._explain(error))
            self._inbox.again(batch.endings, batch.begun)
            self._tripped = True
        else:
            for part in batch.parts():
                self._attempt(part)

    def _explain(self, error: Exception) -> MoonqError:
        problem = sqlite_file.meaning(error, self._path, self._identity)
        if not isinstance(error, MoonqError | sqlite3.Error):
            _log.error("%s", problem.message, exc_info=error)
        return problem

    # What happens unasked

    def _look_around(self) -> None:
        """Notice what other processes have written."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version == self._version:
            return
        self._version = version
        paused = dict(self._connection.execute("SELECT id, paused FROM queue"))
        for queue in list(self.queues.values()):
            queue.alarm = alarm(self._connection, queue)
            queue.stirred |= bool(queue.desks) and has_ready(self._connection, queue)
            queue.follow_pause(paused=bool(paused.get(queue.number)))
            if queue.room < math.inf:
                queue.free_places()

    def _make_round(self, *, is_first: bool) -> None:
        self._watch_place()
        spare = spare_bytes(self._connection)
        self._space.look(spare)
        if spare and not (self._published and self._space.is_safe):
            kept = KEPT if self._space.is_safe else 0
            shrink(self._connection, kept, lambda: not self._inbox.has_work())
        self._published = False
        self._inbox.retry()
        if not is_first:
            self._reap(None)
        self._run_alone(forget_keys)

    def _watch_place(self) -> None:
        """Tell once when the file is no more where it was: nobody notices until the next start."""
        is_lost = not self._is_in_place()
        if is_lost and not self._is_lost:
            problem = sqlite_file.replaced(self._path)
            _log.error("%s: %s", problem.message, problem.hint)
        elif not is_lost and self.session is not None and not self.session.is_in_place(self._path):
            with sqlite_file.speaking_of(self._path):
                self.session.renew(self._path)  # or others would take this process for dead
        self._is_lost = is_lost

    def _is_in_place(self) -> bool:
        """Whether the file is where it was; one that was deleted is made anew, if it can be."""
        if sqlite_file.identity(self._path) == self._identity:
            return True
        if self._place is None or not self._place.was_deleted() or self._is_shared():
            return False
        try:
            copy = restoring.copied(self._connection, self._path)
        except (OSError, sqlite3.Error) as error:
            if not self._is_lost:
                _log.error("%s cannot be made anew: %s", self._path, error)
            return False
        self._move_to(copy)
        _log.warning("%s was deleted while it was in use, and is made anew", self._path)
        return True

    def _is_shared(self) -> bool:
        """Whether others have the file open, who would not find one that is made anew."""
        mine = self.session.number if self.session else 0
        return bool(sqlite_session.others(self._connection, mine))

    def _move_to(self, copy: Path) -> None:
        """Go on with *copy* in the place of the file.

        The deleted one is closed first, for SQLite then removes a log of its name.
        """
        with self.view.away() if self.view is not None else contextlib.nullcontext():
            self._connection.close()
            try:
                restoring.put(copy, self._path)
                self._use(sqlite_file.open_writer(self._path))
                if self.session is not None:
                    self.session.renew(self._path)
            except (OSError, MoonqError):
                _log.error("%s: the messages are in %s", self._path, copy)
                raise

    def _reap(self, only: Collection[int] | None) -> None:
        """Recover what dead processes held; at first *only* of queues that are declared by now."""
        mine = self.session.number if self.session else 0
        for number in sqlite_session.others(self._connection, mine):
            if self._has_died(number):
                self._run_alone(partial(recover, session=number, only=only))
                if number not in sqlite_session.others(self._connection, mine):
                    sqlite_session.clear(self._path, number)

    def _has_died(self, number: int) -> bool:
        if not sqlite_session.is_dead(self._path, number):
            return False
        if not sqlite_session.has_lock(self._path, number):
            # Perhaps somebody deletes the folder with all locks, which tell who lives.
            time.sleep(DELETION)
        return self.session is None or self.session.is_in_place(self._path)

    def _run_alone(self, run: Callable[[Tx], Any]) -> None:
        self._attempt(Batch(tasks=[Work(run)]))


def _get_up(tx: Tx, desk: BufferedDesk) -> None:
    # Perhaps its session is gone already, and all its seats with it.
    tx.execute(
        "UPDATE seat SET n = n - 1 WHERE sess = ? AND q = ?", (desk.session, desk.queue.number)
    )
