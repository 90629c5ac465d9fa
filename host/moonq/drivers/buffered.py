"""One queue as this process knows it, of a driver whose own thread brings messages to desks.

What is in the store is not here. The queue's lock guards the desks of its consumers: buffers, what
they hold, which workers wait.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moonq.drivers.desk import Desk
from moonq.drivers.refusals import clogged
from moonq.drivers.story import Story, errors
from moonq.model import RELEASE, Delivery, QueueSpec, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence


class Expire:
    """What becomes of a delivery that was not started in time."""


class Abandon:
    """What becomes of a running delivery whose consumer left without a verdict."""


Ending = Verdict | Expire | Abandon


class BufferedQueue:
    """See the module."""

    def __init__(self, spec: QueueSpec, number: int) -> None:
        self.spec = spec
        self.number = number
        """Its number in the store."""
        self.room = math.inf
        """How many messages there may be; dead letters are let in beyond it."""
        self.most = math.inf
        """What its messages and its dead letters may weigh; dead letters are let in beyond it."""
        self.dead: BufferedQueue | None = None
        self.paused = False
        self.alarm = -math.inf
        """The earliest moment at which something is due or expires; the past: look."""
        self.stirred = True
        """Whether something may be deliverable that no lease has looked for."""
        self.turn = 0
        """Where the cycle of priorities stands."""
        self.lock = threading.Lock()
        self.desks: list[BufferedDesk] = []
        self.place_free = threading.Condition(self.lock)
        self.freed = 0
        """Grows with every place that became free; waiting publishers compare."""
        self._clogged_at: int | None = None

    def turn_away(self, weighs: int, dead: int) -> None:
        """Note that a message of that weight was refused while *dead* bytes were dead letters."""
        self._clogged_at = dead if dead + weighs > self.most else None

    def let_in(self) -> None:
        """Note that there was room for a message."""
        self._clogged_at = None

    def clogged(self) -> list[str]:
        """Return what is wrong where its dead letters fill it, as far as publishers have met it."""
        dead = self._clogged_at
        return [] if dead is None else [clogged(self.spec.name, dead, self.most)]

    def wake_at(self, moment: float) -> None:
        """Look again at *moment* at the latest."""
        self.alarm = min(self.alarm, moment)

    def look_again(self) -> None:
        """Forget what was known about the store."""
        self.alarm = -math.inf
        self.stirred = True

    def free_places(self) -> None:
        """Tell waiting publishers that there may be room."""
        with self.lock:
            self.freed += 1
            self.place_free.notify_all()

    def recall(self) -> None:
        """Hand back everything that is leased here and not started."""
        with self.lock:
            for desk in self.desks:
                desk.recall()

    def follow_pause(self, *, paused: bool) -> None:
        """Rest, or go on, as the store says; in the driver's thread."""
        if paused and not self.paused:
            self.paused = True
            self.recall()
        elif self.paused and not paused:
            self.paused = False
            self.stirred = True


@dataclass(slots=True, eq=False)
class Held:
    """A delivery that is ours: leased or running."""

    row: int
    """Its number in the store."""
    desk: BufferedDesk
    delivery: Delivery
    errors: str | None
    """The errors it remembers, as they are stored."""
    expires: float | None
    """The moment by which its first run must have started."""
    suspect: bool = False
    """Whether a process died that held it."""
    lost_at: float | None = None
    """When its last lease ended without a verdict."""
    started: bool = False
    settled: bool = False
    ended: float | None = None
    """The moment of the verdict: delays count from it, not from when it is written."""

    @property
    def queue(self) -> BufferedQueue:
        """The queue it belongs to."""
        return self.desk.queue

    @property
    def story(self) -> Story:
        """What happened to it before."""
        counters = self.delivery[2:5]
        return Story(*counters, self.lost_at, errors(self.errors))


class BufferedDesk(Desk[BufferedQueue, Held]):
    """What one subscription holds; popping from `held` is what settles, so the first one wins."""

    def __init__(
        self,
        queue: BufferedQueue,
        prefetch: int,
        session: int,
        send: Callable[[Held, Any], None],
    ) -> None:
        super().__init__(queue, prefetch, threading.Condition(queue.lock))
        self.session = session
        self._send = send
        self.owed = 0
        """Messages that are leased to this desk as far as the store knows."""
        self.asked = 0
        self.answered = 0
        """The last asking to which the driver's thread has given what there was."""
        self.more = False
        """Whether the queue had more than was wanted, at the last look."""

    def end(self, receipt: int, ending: Any, when: float | None = None) -> bool:
        """Settle what *receipt* stands for; False: it was settled before."""
        held = self.held.pop(receipt, None)
        if held is None:
            return False
        held.settled = True
        held.ended = when
        self._send(held, ending)
        return True

    def take_out(self, deliveries: Sequence[Delivery]) -> list[Held | None]:
        """Take out what is settled together; None stands for one that was settled before."""
        taken = [self.held.pop(delivery.receipt, None) for delivery in deliveries]
        for held in taken:
            if held is not None:
                held.settled = True
        return taken

    def recall(self) -> None:
        """Hand back everything that has not started; the queue's lock must be held."""
        self.buffer.clear()
        for receipt, held in list(self.held.items()):
            if not held.started:
                self.end(receipt, RELEASE)

    def leave(self, ending: Any, when: float) -> bool:
        """Hand back, and end what still runs as *ending*; False: it was left before."""
        with self.bell:
            if self not in self.queue.desks:
                return False
            self.queue.desks.remove(self)
            self.stop()
            for receipt in list(self.held):
                self.end(receipt, ending, when)
        return True


def stop_desks(queues: Collection[BufferedQueue]) -> bool:
    """Deliver nothing more from *queues*; say whether something that was delivered still runs."""
    for queue in queues:
        with queue.lock:
            for desk in queue.desks:
                desk.stop()
        queue.free_places()
    return any(desk.held for queue in queues for desk in queue.desks)
