"""What others want from the one thread of a driver that talks to its store.

It waits there for the next batch. Putting something in never waits; the bell is rung only for a
thread that sleeps.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from moonq.clock import Clock
from moonq.drivers.buffered import BufferedDesk, Ending, Held
from moonq.errors import MoonqError

#: The most of each kind that one batch takes in.
MANY = 512
#: Real seconds that publishes wait at most for others to share a commit with.
MOMENT = 0.001
#: Real seconds that endings wait at most for a publish that takes them along.
PATIENCE = 0.002


class Work:
    """Something that a caller waits for."""

    __slots__ = ("_fate", "_gate", "begun", "error", "result", "run")

    def __init__(self, run: Callable[[Any], Any] | None) -> None:
        self.run = run
        """What to do with the store; None only waits for everything before it."""
        self.result: Any = None
        self.error: MoonqError | None = None
        self.begun = False
        """Whether it may have been stored."""
        self._fate = threading.Lock()
        self._gate = threading.Lock()
        self._gate.acquire()

    def begin(self) -> bool:
        """Whether it is to be done; False: its caller has given up."""
        self.begun = self.begun or self._decide()
        return self.begun

    def abandon(self) -> bool:
        """Never do it; False: it has begun."""
        return self._decide()

    def _decide(self) -> bool:
        return self._fate.acquire(blocking=False)  # only one of two threads gets it

    def done(self, error: MoonqError | None = None) -> None:
        """Wake the caller."""
        self.error = error
        self._gate.release()

    def wait(self, seconds: float) -> bool:
        """Wait for the end of it, in real time: a store knows no other."""
        return self._gate.acquire(timeout=seconds)


class Wanted(NamedTuple):
    """What goes into one batch."""

    endings: list[tuple[Held, Ending]]
    begun: list[Held]
    publishes: list[Work]
    tasks: list[Work]


class Inbox:
    """See the module."""

    def __init__(self) -> None:
        self.publishes: deque[Work] = deque()
        self.tasks: deque[Work] = deque()
        self.orphans: deque[tuple[BufferedDesk, float]] = deque()
        """Desks whose subscription was dropped, and when."""
        self.late: list[tuple[Held, Ending]] = []
        """Endings that could not be written, for another try."""
        self._endings: deque[tuple[Held, Ending]] = deque()
        self._patient: deque[tuple[Held, Ending]] = deque()
        self._patient_since = math.inf
        """When the first of them came, in real time."""
        self._begun: deque[Held] = deque()
        self._bell = threading.Condition()
        self._asleep = False
        self._dozes = False
        """Whether it wakes within `PATIENCE` anyway."""
        self._rung = False
        self._moves = False
        """Whether a batch under way may bring a message back, or let one in."""
        self._company = 0
        self._commit_took = 0.0

    # Putting in

    def end(self, held: Held, ending: Ending) -> None:
        """End a delivery."""
        self._endings.append((held, ending))
        self._wake()

    def end_soon(self, endings: Iterable[tuple[Held, Ending]]) -> None:
        """End deliveries with the next batch, which for their sake is made after `PATIENCE`."""
        if not self._patient:
            self._patient_since = time.monotonic()
        self._patient.extend(endings)
        if not self._dozes:
            self._wake()

    def end_all(self, endings: Iterable[tuple[Held, Ending]]) -> None:
        """End deliveries together."""
        self._endings.extend(endings)
        self._wake()

    def begin(self, held: Held) -> None:
        """Note that a handler has begun; the thread sleeps on, for it may end in a moment."""
        self._begun.append(held)

    def put(self, work: Work, line: deque[Work]) -> None:
        """Have *work* done."""
        line.append(work)
        self._wake()

    def ring(self) -> None:
        """Have the thread look at what desks want."""
        self._rung = True
        self._wake()

    def again(self, endings: Iterable[tuple[Held, Ending]], begun: Iterable[Held]) -> None:
        """Keep what has no waiting caller and must not be forgotten."""
        self.late += endings
        self._begun.extend(begun)

    def retry(self) -> None:
        """Try once more what could not be written."""
        late, self.late = self.late, []
        self._endings.extend(late)

    def _wake(self) -> None:
        if self._asleep:
            with self._bell:
                self._bell.notify()

    # Taking out; for that thread alone

    def has_work(self) -> bool:
        """Whether anything waits."""
        return bool(self._patient) or self._is_urgent()

    def is_still(self) -> bool:
        """Whether nothing is under way that may bring a message back, or let one in."""
        return not (self._moves or self._is_urgent())

    def _is_urgent(self) -> bool:
        return bool(self._endings or self.publishes or self.tasks or self._rung)

    def has_company(self) -> bool:
        """Whether publishes share their commits, as far as can be seen."""
        return bool(self.publishes) or self._company > 1

    def lag(self, desk: BufferedDesk) -> int:
        """How many endings of *desk* are not in the store."""
        waiting = [*list(self._endings), *list(self._patient), *self.late]
        return sum(1 for held, _ in waiting if held.desk is desk)

    def sleep(self, clock: Clock, pause: Callable[[], float]) -> None:
        """Wait for work, at most for *pause* seconds, which are asked for when there is none."""
        with self._bell:
            self._asleep = True
            while not self.has_work():
                seconds = pause()
                if seconds > 0:
                    clock.wait(self._bell, seconds)
                if not self._doze():
                    break
            self._asleep = False

    def _doze(self) -> bool:
        """Wait for a batch that takes the patient along; True: there was one, by another thread."""
        dozed = False
        self._dozes = True
        while self._patient and not self._is_urgent():
            left = self._patient_since + PATIENCE - time.monotonic()
            if left <= 0:
                break
            self._bell.wait(left)
            dozed = True
        self._dozes = False
        return dozed and not self.has_work()

    def hush(self) -> None:
        """Forget that the bell was rung; what is asked for after this rings it again."""
        self._rung = False

    def collect(self) -> Wanted:
        """Take out what makes the next batch."""
        self._moves = True
        # What waits for everything before it must not overtake the rest of a long line.
        tasks = _some(self.tasks)
        endings, patient, begun = _some(self._endings), _some(self._patient), _some(self._begun)
        while tasks and (self._endings or self._patient or self._begun):
            endings += _some(self._endings)
            patient += _some(self._patient)
            begun += _some(self._begun)
        self._moves = bool(endings or tasks)
        return Wanted(endings + patient, begun, _some(self.publishes), tasks)

    def come_to_rest(self) -> None:
        """Note that what was collected is done."""
        self._moves = False

    def fail(self, problem: MoonqError) -> None:
        """Refuse all work that has a waiting caller."""
        for line in (self.publishes, self.tasks):
            while line:
                line.popleft().done(problem)

    # Company

    def note_commit(self, publishes: int, took: float) -> None:
        """Remember how many shared a commit or came meanwhile, and how long it took."""
        self._company, self._commit_took = publishes + len(self.publishes), took

    def await_company(self) -> None:
        """Give the publishers of the last commit a moment to come back.

        Without it two crowds form that take turns, and each pays for its own fsync.
        """
        if not 0 < len(self.publishes) < self._company:
            return
        give_up = time.perf_counter() + min(self._commit_took / 4, MOMENT)
        while len(self.publishes) < self._company and time.perf_counter() < give_up:
            time.sleep(0.00002)


def _some(line: deque[Any]) -> list[Any]:
    return [line.popleft() for _ in range(min(len(line), MANY))]
