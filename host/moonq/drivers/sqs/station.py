"""One queue at work: its clerk, who settles and keeps, and the pollers, who wait at SQS for more.

Polls are short while messages come and long while none do: a host that ends leaves an open poll
behind, and what SQS puts into it is not seen before its time is over.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from moonq import log, threads
from moonq.clock import Clock
from moonq.drivers.base import Event
from moonq.drivers.sqs.bounds import LONG_POLL, MANY
from moonq.drivers.sqs.clerk import Clerk
from moonq.drivers.sqs.intake import Intake
from moonq.drivers.sqs.queue import SqsDesk, SqsQueue
from moonq.drivers.sqs.service import Service
from moonq.errors import QueueError, QueueNotFound

if TYPE_CHECKING:
    from moonq.drivers.buffered import BufferedDesk, Held

_log = log.get("moonq.driver.sqs")
#: Pollers of a queue at most: one waits, the others come when there is more than it can carry.
POLLERS = 4
#: Real seconds that a stop waits for a poll that is about to end.
ENDING = 1.1


class Station:
    """See the module; it is what a subscription sends its words to."""

    def __init__(
        self,
        queue: SqsQueue,
        service: Service,
        clock: Clock,
        names: Callable[[str], str],
        settled: Callable[[], object],
        mend: Callable[[SqsQueue], None],
    ) -> None:
        self.queue = queue
        self.clerk = Clerk(queue, service, clock)
        self.intake = Intake(queue, service, clock, self.clerk, names)
        self.problem = ""
        """Why nothing could be received the last time."""
        self._service = service
        self._clock = clock
        self._settled = settled
        self._mend = mend
        self._pollers: list[threading.Thread] = []
        self._came_at = time.monotonic()
        self._poll_ends = 0.0
        self._life: object = object()
        """Another one after every close, so that an old poll knows that it is over."""
        self._is_open = True

    # As the sender of subscriptions

    @property
    def on_event(self) -> Callable[[Event], None]:
        """Whom to tell."""
        return self.clerk.on_event

    @on_event.setter
    def on_event(self, told: Callable[[Event], None]) -> None:
        self.clerk.on_event = told

    def begin(self, held: Held) -> None:
        """Note nothing: SQS need not know."""

    def ring(self) -> None:
        """Have the pollers look at who waits."""
        with self.queue.lock:
            self.stir()

    def stir(self) -> None:
        """Do that with the queue's lock held."""
        if self.queue.is_hungry():
            self.queue.hungry.notify()

    def ask(self, _desk: BufferedDesk) -> None:
        """Do the same for one desk."""
        self.stir()

    def leave(self, desk: BufferedDesk, when: float) -> None:
        """End everything at a desk that was left at *when*."""
        from moonq.drivers.buffered import Abandon

        desk.leave(Abandon(), when)
        self.clerk.ring()

    def orphan(self, desk: BufferedDesk) -> None:
        """Note a desk whose subscription was dropped; takes no lock."""
        self.clerk.orphan(desk)  # type: ignore[arg-type]

    def flush(self, seconds: float) -> bool:
        """Wait until everything asked for so far is stored; False: it is not yet."""
        return self.clerk.flush(seconds)

    def lag(self, _desk: BufferedDesk) -> int:
        """Return how many verdicts are not stored."""
        return self.clerk.lag()

    # Receiving

    def want(self) -> None:
        """Have somebody poll; the queue's lock is held."""
        queue = self.queue
        queue.serve(self._clock.monotonic())
        room = sum(desk.prefetch for desk in queue.desks)
        wanted = 1 if queue.fifo else min(POLLERS, math.ceil(room / MANY))
        while len(self._pollers) < wanted and self._is_open:
            name = f"moonq-sqs-{queue.name}-{len(self._pollers)}"
            thread = threading.Thread(
                target=self._poll, args=(self._life, len(self._pollers)), name=name, daemon=True
            )
            if not threads.has_started(thread):
                break  # the next who wants something tries again
            self._pollers.append(thread)
        self.stir()

    def look(self, desk: SqsDesk) -> None:
        """Receive what is there for *desk*, behind all verdicts that were given so far."""
        queue = self.queue
        self._settled()
        while True:
            with queue.lock:
                now = self._clock.monotonic()
                queue.ripen(now)
                queue.serve(now, desk)
                most = min(desk.room, queue.credit()) if self._is_open else 0
            if most <= 0:
                return
            try:
                if not queue.url:
                    self._mend(queue)
                came = self.intake.receive(most, 0, desk)
                self.problem = ""
                if not came:
                    return
            except QueueError as problem:
                self._failed(problem)
                return

    def _poll(self, life: object, number: int) -> None:
        failures = 0
        while True:
            bell = self.queue.crowded if number else self.queue.hungry
            with self.queue.lock:
                while self._life is life and not self._wants(number):
                    bell.wait(30.0)
                if self._life is not life:
                    return
                most = min(MANY, self.queue.credit())
            try:
                if not self.queue.url:
                    self._mend(self.queue)
                self._receive(most)
                self.problem, failures = "", 0
            except QueueError as problem:
                self._failed(problem)
                failures += 1
                self._sleep(self._service.pause(failures))
            except Exception:  # noqa: BLE001 - its end would leave the queue without anybody
                _log.exception("%s: a poller of this queue met a bug", self.queue.name)
                self._sleep(self._service.settings.patient)

    def _wants(self, number: int) -> bool:
        queue = self.queue
        is_needed = number == 0 or queue.more
        return is_needed and queue.credit() > 0 and queue.is_hungry()

    def _receive(self, most: int) -> None:
        queue = self.queue
        is_waited_for = any(desk.patient for desk in queue.desks)
        idle = int(time.monotonic() - self._came_at)
        longest = max(1, int(LONG_POLL / self._clock.rate))
        wait = min(max(1, idle), longest) if is_waited_for and not queue.more else 0
        self._poll_ends = time.monotonic() + wait
        found = self.intake.receive(most, wait)
        self._poll_ends = 0.0
        if found:
            self._came_at = time.monotonic()
        queue.more = found == most
        if queue.more:
            with queue.lock:
                queue.crowded.notify()

    def _failed(self, problem: QueueError) -> None:
        self.problem = f"{self.queue.spec.name}: {problem.message}"
        self.queue.more = False
        if isinstance(problem, QueueNotFound):
            self.queue.url = ""
            self.on_event(Event("cancelled", self.queue.spec.name, detail=problem.message))

    def _sleep(self, seconds: float) -> None:
        with self.queue.lock:
            if self._is_open:
                self.queue.crowded.wait(seconds)  # the other bell is to be heard

    # Life

    def open(self) -> None:
        """Work again."""
        self._is_open = True
        with self.queue.lock:
            if self.queue.desks:
                self.want()

    def stop(self) -> None:
        """Stop desks and pollers; what was not begun is handed back."""
        with self.queue.lock:
            self._is_open, self._life = False, object()
            for desk in self.queue.desks:
                desk.stop()
            self.queue.hungry.notify_all()
            self.queue.crowded.notify_all()

    def close(self, seconds: float) -> bool:
        """Store what was accepted, behind `stop`, within *seconds* of real time."""
        if 0 < self._poll_ends - time.monotonic() < ENDING:
            for thread in self._pollers:
                thread.join(ENDING)
        self._pollers = []
        is_done = self.clerk.flush(seconds)
        self.clerk.stop()
        return is_done
