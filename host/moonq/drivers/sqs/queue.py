"""One queue as this process knows it: what is lent to it, and which desk gets what.

What is received becomes a loan, which is in one place at a time, all under the queue's lock:

    waits    not due yet, for a second or two: SQS counts whole seconds, we do not
    lines    behind another one of its group, on FIFO queues: a receive returns whole groups
    ready    deliverable, and no desk has room
    a desk   buffered or running there
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
from bisect import insort
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from moonq.drivers.buffered import BufferedDesk, BufferedQueue
from moonq.drivers.sqs.bounds import OLD_SIZE
from moonq.drivers.sqs.loans import Held, Loan, Stories, seated
from moonq.model import QueueSpec

if TYPE_CHECKING:
    from moonq.drivers.base import Event

#: Loans that may wait to be due; more are not asked for.
WAITING = 500
_receipts = itertools.count(1)


class SqsDesk(BufferedDesk):
    """What one subscription holds."""

    queue: SqsQueue
    held: dict[int, Held]  # type: ignore[assignment]

    def __init__(
        self, queue: SqsQueue, prefetch: int, lease: float, send: Callable[[Any, Any], None]
    ) -> None:
        super().__init__(queue, prefetch, 0, send)
        self.lease = lease
        self.patient = 0
        """How much those workers would take that wait for long: SQS is polled for them."""

    @property
    def room(self) -> int:
        """How much more it may hold."""
        return self.prefetch - len(self.held) if self.is_open() else 0

    def recall(self) -> None:
        """Hand back everything that has not started; with the last open desk goes all the rest."""
        super().recall()
        if not any(desk.is_open() for desk in self.queue.desks):
            self.queue.give_up()


class SqsQueue(BufferedQueue):
    """See the module; the lock must be held by the caller, but for what has no comment on it."""

    desks: list[SqsDesk]  # type: ignore[assignment]
    dead: SqsQueue | None

    def __init__(self, spec: QueueSpec, name: str, *, fifo: bool) -> None:
        super().__init__(spec, 0)
        self.name = name
        """Its name at SQS."""
        self.fifo = fifo
        self.url = ""
        """Empty until it is known to be there."""
        self.most_bytes = OLD_SIZE
        """What its messages may have at most."""
        self.note = ""
        """What is wrong with it, for people."""
        self.old_at = -math.inf
        """When (of the service) a message near its end was seen the last time."""
        self.keeps_letters = False
        """Whether another queue names it for its dead letters."""
        self.loans: dict[str, Loan] = {}
        self.ready: list[tuple[int, int, Loan]] = []
        self.waits: list[tuple[float, int, Loan]] = []
        self.lines: dict[str, deque[Loan]] = {}
        """By group, what waits behind the one that is out; a group is here while one is."""
        self.stories = Stories()
        self.hungry = threading.Condition(self.lock)
        """The first poller waits here."""
        self.crowded = threading.Condition(self.lock)
        """The others wait here, for when there is more than one can carry."""
        self.more = False
        """Whether the last receive brought as many as were asked for."""
        self.rest: Callable[[Loan], None] = lambda loan: None
        """Hands back a loan that no desk will have; never waits."""
        self.bury: Callable[[Loan], None] = lambda loan: None
        """Ends a loan that has expired; never waits."""

    # Coming in

    def admit(self, loan: Loan, now: float) -> None:
        """Put a loan where it belongs."""
        self.loans[loan.handle] = loan
        if not self.fifo:
            self.place(loan, now)
        elif loan.group in self.lines:
            self.lines[loan.group].append(loan)
        else:
            self.lines[loan.group] = deque()
            self.place(loan, now)

    def place(self, loan: Loan, now: float) -> None:
        """Let it wait until it is due, or be delivered."""
        if loan.due > now:
            heapq.heappush(self.waits, (loan.due, next(_receipts), loan))
        else:
            insort(self.ready, (loan.parcel.order, next(_receipts), loan))

    def ripen(self, now: float) -> None:
        """Make ready what has become due."""
        while self.waits and self.waits[0][0] <= now:
            loan = heapq.heappop(self.waits)[2]
            if not loan.is_lost:
                insort(self.ready, (loan.parcel.order, next(_receipts), loan))

    def serve(self, now: float, first: SqsDesk | None = None) -> None:
        """Deliver what is ready to desks that have room, to *first* before others."""
        while self.ready:
            desk = first if first is not None and first.room > 0 else self._neediest()
            if desk is None:
                break
            loan = self.ready.pop(0)[2]
            if loan.is_lost:
                continue
            if loan.expires is not None and loan.expires <= now:
                self.bury(loan)
                continue
            receipt = next(_receipts)
            held = seated(loan, desk, receipt)
            desk.held[receipt] = held
            desk.buffer.append(held.delivery)
            desk.bell.notify_all()
        if not self.is_open():
            self.give_up()

    def _neediest(self) -> SqsDesk | None:
        desks = [desk for desk in self.desks if desk.room > 0]
        return max(
            desks, key=lambda desk: (desk.waiting - len(desk.buffer), desk.room), default=None
        )

    # Going out

    def forget(self, loan: Loan) -> None:
        """It is settled, or lost."""
        self.loans.pop(loan.handle, None)

    def free(self, loan: Loan, now: float) -> None:
        """Let the next of its group go."""
        line = self.lines.get(loan.group)
        if line is None:
            return
        if line:
            self.place(line.popleft(), now)
        else:
            del self.lines[loan.group]

    def leave_line(self, loan: Loan) -> list[Loan]:
        """Return what stands behind *loan*, for all of it goes back to SQS."""
        return list(self.lines.pop(loan.group, ()))

    def give_up(self) -> None:
        """Hand back everything that lies at no desk."""
        waiting = [loan for _, _, loan in [*self.ready, *self.waits]]
        self.ready, self.waits = [], []
        for loan in waiting:
            self.rest(loan)

    # What pollers ask

    def is_open(self) -> bool:
        """Whether any desk takes deliveries."""
        return any(desk.is_open() for desk in self.desks)

    def credit(self) -> int:
        """Return how many more may be received."""
        if len(self.waits) > WAITING:
            return 0
        room = sum(max(0, desk.room) for desk in self.desks)
        return room - len(self.ready) - sum(map(len, self.lines.values()))

    def is_hungry(self) -> bool:
        """Whether a worker waits, or will soon: there was more than it got the last time."""
        desks = [desk for desk in self.desks if desk.room > 0]
        return any(
            desk.patient > len(desk.buffer)
            or (self.more and len(desk.buffer) <= desk.prefetch // 4)
            for desk in desks
        )

    def running(self) -> Iterator[Loan]:
        """Yield what has begun."""
        for loan in self.loans.values():
            if loan.held is not None and loan.held.started and not loan.held.settled:
                yield loan


Told = Callable[["Event"], None]
