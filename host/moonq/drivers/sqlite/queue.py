"""One queue of the SQLite driver as this process knows it: what is not in the file.

Its lock guards the desks of its consumers: buffers, what they hold, who waits.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moonq.drivers.sqlite.rows import errors
from moonq.drivers.story import Story
from moonq.model import RELEASE, Delivery, QueueSpec

if TYPE_CHECKING:
    from collections.abc import Callable


class SqliteQueue:
    """See the module."""

    def __init__(self, spec: QueueSpec, number: int) -> None:
        self.spec = spec
        self.number = number
        """Its id in the file."""
        self.room = math.inf
        """How many messages there may be; dead letters are let in beyond it."""
        self.dead: SqliteQueue | None = None
        self.paused = False
        self.alarm = -math.inf
        """The earliest moment at which something is due or expires; the past: look."""
        self.stirred = True
        """Whether something may be deliverable that nobody has looked for."""
        self.turn = 0
        """Where the cycle of priorities stands."""
        self.lock = threading.Lock()
        self.desks: list[Desk] = []
        self.place_free = threading.Condition(self.lock)
        self.freed = 0
        """Grows with every place that became free; publishers who wait compare."""

    def wake_at(self, moment: float) -> None:
        """Look again at *moment* at the latest."""
        self.alarm = min(self.alarm, moment)

    def look_again(self) -> None:
        """Forget what was known about the file."""
        self.alarm = -math.inf
        self.stirred = True

    def free_places(self) -> None:
        """Tell publishers who wait that there may be room."""
        with self.lock:
            self.freed += 1
            self.place_free.notify_all()

    def recall(self) -> None:
        """Hand back everything that is leased here and not started."""
        with self.lock:
            for desk in self.desks:
                desk.recall()


@dataclass(slots=True, eq=False)
class Held:
    """A delivery that is ours: leased or running."""

    row: int
    desk: Desk
    delivery: Delivery
    errors: str | None
    """The errors it remembers, as they are stored."""
    expires: float | None
    """The moment by which its first run must have started."""
    suspect: bool
    """Whether a process died that held it."""
    started: bool = False
    settled: bool = False
    ended: float | None = None
    """The moment of the verdict: delays count from it, not from when it is written."""

    @property
    def queue(self) -> SqliteQueue:
        """The queue it belongs to."""
        return self.desk.queue

    @property
    def story(self) -> Story:
        """What happened to it before."""
        return Story(*self.delivery[2:], errors(self.errors))


class Desk:
    """What one subscription holds; its queue and the writer reach it here."""

    def __init__(
        self,
        queue: SqliteQueue,
        prefetch: int,
        session: int,
        send: Callable[[Held, Any], None],
    ) -> None:
        self.queue = queue
        self.prefetch = prefetch
        self.session = session
        self._send = send
        self.buffer: deque[Delivery] = deque()
        """Leased and waiting for a worker."""
        self.held: dict[int, Held] = {}
        """Everything unsettled, by receipt; popping is what settles, so the first one wins."""
        self.owed = 0
        """Rows that are leased to this desk as far as the file knows."""
        self.bell = threading.Condition(queue.lock)
        self.waiting = 0
        """How many deliveries the workers at the bell would take."""
        self.asked = 0
        self.answered = 0
        """The last asking to which the writer has given what there was."""
        self.more = False
        """Whether the queue had more than was wanted, at the last look."""
        self.paused = False
        self.stopped = False

    def is_open(self) -> bool:
        """Whether it takes deliveries."""
        return not (self.paused or self.stopped or self.queue.paused)

    def end(self, receipt: int, ending: Any, when: float | None = None) -> bool:
        """Settle what *receipt* stands for; False: somebody was first."""
        held = self.held.pop(receipt, None)
        if held is None:
            return False
        held.settled = True
        held.ended = when
        self._send(held, ending)
        return True

    def recall(self) -> None:
        """Hand back everything that has not started; the queue's lock must be held."""
        self.buffer.clear()
        for receipt, held in list(self.held.items()):
            if not held.started:
                self.end(receipt, RELEASE)

    def abandon(self, ending: Any, when: float) -> None:
        """Hand back, then end what still runs; the queue's lock must be held."""
        self.stopped = True
        self.recall()
        for receipt in list(self.held):
            self.end(receipt, ending, when)
        self.bell.notify_all()
