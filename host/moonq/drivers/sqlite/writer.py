"""Who writes, and when: all requests become few transactions, one thread at a time.

While one transaction is under way the next one's work piles up, so batches grow with the load. A
thread of its own writes what others ask for; it is also the clock of the file, wakes for what comes
due, and looks what other processes do. A publisher that is alone writes in its own thread, which
saves both threads a sleep. Acknowledgements wait a moment for a publish that takes them along.
"""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from moonq import log, threads
from moonq.clock import Clock
from moonq.drivers.base import Event
from moonq.drivers.buffered import Abandon, BufferedDesk, Ending, Held
from moonq.drivers.inbox import MANY, Inbox, Work
from moonq.drivers.sqlite import commits as sqlite_commits
from moonq.drivers.sqlite import file as sqlite_file
from moonq.drivers.sqlite import session as sqlite_session
from moonq.drivers.sqlite.batch import Batch, is_asking
from moonq.drivers.sqlite.commits import Commits
from moonq.drivers.sqlite.opened import OpenFile
from moonq.drivers.sqlite.settling import recover
from moonq.drivers.sqlite.space import Space
from moonq.drivers.sqlite.times import FileTime
from moonq.drivers.sqlite.tx import Tx
from moonq.drivers.sqlite.watch import LOOK, ROUND, Watch
from moonq.errors import QueueError, Uncertain
from moonq.model import ACK, Delivery
from moonq.text.wording import plural

_log = log.get("moonq.sqlite")
Result = TypeVar("Result")


class Writer:
    """See the module."""

    def __init__(
        self, path: Path, clock: Clock, file_time: FileTime, space: Space, *, is_full: bool
    ) -> None:
        self.on_event: Callable[[Event], None] = lambda _: None
        self.file = OpenFile(path, file_time, space)
        self._path = path
        self._clock = clock
        self._time = file_time
        self._inbox = Inbox()
        self.commits = Commits(self.file, self._inbox, self._tell, is_full=is_full)
        self._watch = Watch(self.file, self._inbox, self.commits)
        self.begin = self._inbox.begin
        self.ring = self._inbox.ring
        self.lag = self._inbox.lag
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._turn = threading.Lock()
        self._whose = 0
        """The thread whose turn it is."""
        self._sleeps_until = math.inf
        """The moment at which the writer's own thread wakes, unless it is woken."""
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
        self.file.use(connection)
        self._watch.begin()
        self._stopping = False
        self._recovers = bool(self.file.queues)
        thread = threading.Thread(target=self._serve, name="moonq-sqlite", daemon=True)
        threads.start(thread)
        self._thread = thread

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
        if leave and self.file.session is not None:
            sqlite_session.clear(self._path, self.file.session.number)
            self.file.session = None
        return is_done

    def health(self) -> list[str]:
        """Return what hinders the writing now, a sentence each."""
        found = []
        if self.file.space.is_short:
            found.append(sqlite_file.storage_full(self._path).message)
        if self.file.is_lost:
            found.append(sqlite_file.replaced(self._path).message)
        if late := len(self._inbox.late):
            found.append(f"{self._path}: {plural(late, 'verdict')} could not be written yet")
        return found

    # What others ask for

    def ask(self, desk: BufferedDesk) -> None:
        """Look at what *desk* wants; its queue's lock is held.

        Where the last look found nothing, and nothing has come since, there is nothing now.
        """
        queue = desk.queue
        is_empty = not queue.stirred and queue.alarm > self._time.now()
        if is_empty and self._inbox.is_still() and self._watch.due() > 0:
            desk.answered = desk.asked
        else:
            self.ring()

    def end(self, held: Held, ending: Ending) -> None:
        """End a delivery with the next batch; never waits."""
        held.ended = self._time.now() if held.ended is None else held.ended
        self._inbox.end(held, ending)

    def acknowledge(self, desk: BufferedDesk, deliveries: Sequence[Delivery]) -> list[bool]:
        """End *deliveries* as done; False for one that was settled before.

        Their handlers have returned, so it may wait a moment for company. What is acknowledged
        before its handler is through may not, for it must not run again.
        """
        taken = desk.take_out(deliveries)
        done: list[tuple[Held, Ending]] = [(held, ACK) for held in taken if held is not None]
        if all(_nobody_waits_for(held) for held, _ in done):
            self._inbox.end_soon(done)
        else:
            self._inbox.end_all(done)
        return [held is not None for held in taken]

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
        return self._do(run, self._inbox.tasks, sqlite_commits.BUSY)

    def flush(self, seconds: float = sqlite_commits.BUSY) -> bool:
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
        if threading.get_ident() == self._whose:
            self.commits.attempt(Batch(publishes=[work]))  # a listener to our events asks
        elif line is not self._inbox.publishes or not self._publish_alone(work):
            self._inbox.put(work, line)
            self._wait(work, seconds)
        if work.error is not None:
            raise work.error
        result: Result = work.result
        return result

    def _wait(self, work: Work, seconds: float) -> None:
        if work.wait(seconds):
            return
        busy = sqlite_commits.BUSY
        if work.abandon():
            work.error = sqlite_file.held_too_long(self._path)
        elif not work.wait(busy):
            work.error = Uncertain(
                f"{self._path}: the disk has not answered for {seconds + busy:.0f} s",
                hint="publish again with the same id and a dedup_key",
            )

    def _publish_alone(self, work: Work) -> bool:
        """Store what one publisher wants in its own thread; False: somebody else is at it."""
        if self._inbox.has_company() or _may_be_interrupted():
            return False
        if not self._turn.acquire(blocking=False):
            return False
        with self._taken_turn():
            if self._stopping or self._thread is None or not self.commits.begin_at_once():
                return False
            batch = self._collect()
            batch.publishes.append(work)
            self.commits.carry_out(batch)
            self._give_answers(batch)
        if self._alarm() < self._sleeps_until:
            self.ring()
        return True

    @contextmanager
    def _taken_turn(self) -> Iterator[None]:
        self._whose = threading.get_ident()
        try:
            yield
        finally:
            self._whose = 0
            self._turn.release()

    # The thread

    def _serve(self) -> None:
        while True:
            self._turn.acquire()
            with self._taken_turn():
                self._take_turn()
                if self._stopping and not self._inbox.has_work():
                    self._inbox.fail(sqlite_file.closed(self._path))
                    self.file.close()
                    return
            self._sleep()

    def _take_turn(self) -> None:
        try:
            self._look_around()
            self._inbox.await_company()
            batch = self._collect()
            if batch.needs_file(self._time.now()):
                self.commits.attempt(batch)
            else:
                batch.answer()
            self._give_answers(batch)
        except Exception as error:  # noqa: BLE001 - without this thread nothing moves
            self._stumble(error)

    def _look_around(self) -> None:
        if self._inbox.tasks or self._watch.due() <= 0:
            self._watch.look()
        while self._inbox.orphans:
            self.leave(*self._inbox.orphans.popleft())
        if self._recovers:
            self._recovers = False
            self._watch.reap(self.file.queues)
        self._watch.make_round(self._clock.monotonic())

    def _collect(self) -> Batch:
        """Return all there is to do.

        What a desk asked for is noted before its endings are taken out: a `take` that follows a
        settle must see the room that it makes.
        """
        self._inbox.hush()
        queues = list(self.file.queues.values())
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
            problem = sqlite_file.meaning(error, self._path, self.file.identity)
            _log.error("%s", problem.message)
            self._inbox.fail(problem)
        time.sleep(LOOK)

    def _tell(self, event: Event) -> None:
        self.on_event(event)

    def _sleep(self) -> None:
        if self.commits.tripped:
            # What failed may fail again at once: a broken disk is no reason to burn a core.
            self.commits.tripped = False
            time.sleep(LOOK)
        self._inbox.sleep(self._clock, self._pause)

    def _pause(self) -> float:
        queues = list(self.file.queues.values())
        look = self._watch.due() if any(queue.desks for queue in queues) else ROUND
        now = self._time.now()
        self._sleeps_until = min(self._alarm(), now + look)
        return self._sleeps_until - now

    def _alarm(self) -> float:
        """The earliest moment at which anything is due or expires."""
        return min((queue.alarm for queue in list(self.file.queues.values())), default=math.inf)

    def _give_answers(self, batch: Batch) -> None:
        self._inbox.come_to_rest()
        for desk, asked in batch.asked:
            with desk.queue.lock:
                desk.answered = max(desk.answered, asked)
                desk.bell.notify_all()


def _nobody_waits_for(held: Held) -> bool:
    """Whether the end of *held* lets no message in, and none of its group or suspect run."""
    queue, is_lone = held.queue, held.delivery.message.group is None and not held.suspect
    return is_lone and queue.room == queue.most == math.inf


def _may_be_interrupted() -> bool:
    """Whether Ctrl-C may end what this thread does anywhere, with other callers' work in hand."""
    return threading.current_thread() is threading.main_thread()


def _get_up(tx: Tx, desk: BufferedDesk) -> None:
    # Perhaps its session is gone already, and all its seats with it.
    tx.execute(
        "UPDATE seat SET n = n - 1 WHERE sess = ? AND q = ?", (desk.session, desk.queue.number)
    )
