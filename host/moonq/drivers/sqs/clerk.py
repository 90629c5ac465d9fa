"""The one thread of a queue that settles, keeps what is lent, and watches what is due.

    verdicts -> mailbox -> steps -> copies sent -> old ones deleted
                                 +-> put off here, or given back, on a FIFO queue

It collects verdicts until there are ten, or for a twentieth of a second: every call costs money.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from moonq import log, threads
from moonq.clock import Clock
from moonq.drivers.base import Event
from moonq.drivers.buffered import Abandon, Expire
from moonq.drivers.sqs.bounds import MANY, MOST_VISIBILITY
from moonq.drivers.sqs.loans import Held, Loan
from moonq.drivers.sqs.service import Answer, Service, batches
from moonq.drivers.sqs.steps import (
    LETTER_PAUSE,
    Step,
    buried,
    copied,
    delay_of,
    entry,
    story_after,
)
from moonq.errors import QueueError, Unavailable, Uncertain
from moonq.model import RELEASE, Ack, Dead, Release

if TYPE_CHECKING:
    from moonq.drivers.sqs.queue import SqsDesk, SqsQueue

_log = log.get("moonq.driver.sqs")
#: Real seconds for which verdicts are collected.
GATHER = 0.05
#: Real seconds of every sleep at most.
DOZE = 5.0


class Clerk:
    """See the module."""

    def __init__(self, queue: SqsQueue, service: Service, clock: Clock) -> None:
        self.queue = queue
        self.on_event: Callable[[Event], None] = lambda event: None
        self._service = service
        self._clock = clock
        self._box: SimpleQueue[Any] = SimpleQueue()
        self._verdicts: deque[tuple[Loan, Any, bool, float]] = deque()
        self._knows = False
        """Whether the thread was told of verdicts since it took any out."""
        self._late: list[Step] = []
        self._again_at = 0.0
        self._first_at = math.inf
        self._waiters: list[threading.Event] = []
        self._keep_at = 0.0
        """When to look for leases that are to be prolonged."""
        self._thread: threading.Thread | None = None
        self._over = threading.Event()
        self._guard = threading.Lock()
        self.problem = ""
        """Why a verdict could not be stored; empty: all were."""
        self.unburied = ""
        """Why a dead letter could not be stored; empty: the last one was."""
        queue.rest, queue.bury = self.rest, self.bury

    # For others; none of it waits but `flush`

    def end(self, held: Held, ending: Any) -> None:
        """Note the end of a delivery."""
        self._note((held.loan, ending, held.started, self._clock.monotonic()))

    def rest(self, loan: Loan) -> None:
        """Note that no desk will have a loan."""
        self._note((loan, RELEASE, False, self._clock.monotonic()))

    def bury(self, loan: Loan) -> None:
        """Note that a loan has expired before any desk had it."""
        self._note((loan, Expire(), False, self._clock.monotonic()))

    def _note(self, verdict: tuple[Loan, Any, bool, float]) -> None:
        """Wake the thread for the first verdict, which it then waits with, and for a batch."""
        self._verdicts.append(verdict)
        if not self._knows or self.queue.fifo or len(self._verdicts) % MANY == 0:
            self._knows = True
            self._box.put(None)
            self._start()

    def ring(self) -> None:
        """Look at what waits, and at who waits for it."""
        self._box.put(None)
        self._start()

    def orphan(self, desk: SqsDesk) -> None:
        """Note a desk whose subscription was dropped; takes no lock that others may hold."""
        self._box.put(desk)

    def flush(self, seconds: float) -> bool:
        """Wait, in real time, until all verdicts so far are stored; False: some are not."""
        if self._thread is None or not self._thread.is_alive():
            return not self._late
        done = threading.Event()
        self._box.put(done)
        return done.wait(max(0.0, seconds))

    def lag(self) -> int:
        """Return how many verdicts are not stored."""
        return len(self._late) + len(self._verdicts)

    def stop(self) -> None:
        """End, with what could be stored."""
        with self._guard:
            thread, self._thread = self._thread, None
            self._over.set()
        self._box.put(None)
        if thread is not None and thread is not threading.current_thread():
            thread.join(2.0)

    def _start(self) -> None:
        if self._thread is None:
            with self._guard:
                if self._thread is None:
                    name = f"moonq-sqs-{self.queue.name}"
                    self._over = threading.Event()
                    thread = threading.Thread(
                        target=self._run, args=(self._over,), name=name, daemon=True
                    )
                    threads.start(thread)
                    self._thread = thread

    # The thread

    def _run(self, over: threading.Event) -> None:
        while not over.is_set():
            try:
                self._collect(self._pause())
                self._turn()
            except Exception:  # noqa: BLE001 - its end would be the end of every lease
                _log.exception("%s: the clerk of this queue met a bug", self.queue.name)
                time.sleep(self._service.pause(1))

    def _pause(self) -> float:
        """Return how many real seconds there is nothing to do for."""
        now, queue = time.monotonic(), self.queue
        moments = [now + DOZE, self._first_at + GATHER]
        if self._late:
            moments.append(self._again_at)
        with queue.lock:
            if queue.loans:
                moments.append(self._keep_at)
            if queue.waits:
                left = queue.waits[0][0] - self._clock.monotonic()
                moments.append(now + left / self._clock.rate)
        return max(0.0, min(moments) - now)

    def _collect(self, seconds: float) -> None:
        """Take in what others have put there, waiting for it."""
        try:
            item = self._box.get(timeout=seconds) if seconds > 0 else self._box.get_nowait()
            while True:
                self._sort(item)
                item = self._box.get_nowait()
        except Empty:
            pass

    def _sort(self, item: Any) -> None:
        if isinstance(item, threading.Event):
            self._waiters.append(item)
        elif item is not None:
            item.leave(Abandon(), self._clock.monotonic())

    def _turn(self) -> None:
        queue = self.queue
        with queue.lock:
            moment = self._clock.monotonic()
            queue.ripen(moment)
            queue.serve(moment)
            if self._verdicts and queue.is_hungry():
                queue.hungry.notify()  # what ended has left room
        now = time.monotonic()
        if self._verdicts:
            self._first_at = min(self._first_at, now)
        self._keep(now)
        if self._is_time(now):
            self._first_at = math.inf
            steps = self._late + self._steps()
            self._late = []
            self._do(steps)
        if self._waiters and not self._verdicts and not self._late:
            waiters, self._waiters = self._waiters, []
            for done in waiters:
                done.set()

    def _is_time(self, now: float) -> bool:
        if self._late and now >= self._again_at:
            return True
        return bool(self._verdicts) and (
            len(self._verdicts) >= MANY
            or bool(self._waiters)
            or now >= self._first_at + GATHER
            or any(self.queue.lines.values())
        )

    # Verdicts

    def _steps(self) -> list[Step]:
        """Return what the verdicts make us ask of SQS; what can stay here, stays."""
        self._knows = False  # only then: none that comes now is overlooked
        verdicts = [self._verdicts.popleft() for _ in range(len(self._verdicts))]
        steps: list[Step] = []
        back: list[tuple[Loan, int]] = []
        for loan, verdict, ran, when in verdicts:
            if loan.is_lost:
                continue
            if ran:
                loan.expires = None
            ending = RELEASE if isinstance(verdict, Abandon) and not ran else verdict
            if isinstance(ending, Abandon):
                self._tell("interrupted", loan)
            if isinstance(ending, Ack):
                steps.append(Step(loan, is_ack=True))
            elif isinstance(ending, Dead | Expire):
                steps.append(buried(self.queue, loan, ending, ran=ran, now=self._clock.now()))
            elif self.queue.fifo:
                back += self._keep_or_return(loan, ending, when)
            else:
                steps.append(self._copy(loan, ending, when))
        self._return(back)
        return steps

    def _copy(self, loan: Loan, ending: Any, when: float) -> Step:
        now = self._clock.monotonic()
        story = story_after(loan, ending, self._clock.now())
        due = loan.due if isinstance(ending, Release) else when + delay_of(ending)
        delay = max(0.0, due - now)
        ttl = None if loan.expires is None else loan.expires - now
        return Step(loan, self.queue, copied(loan, story, delay, ttl))

    def _keep_or_return(self, loan: Loan, ending: Any, when: float) -> list[tuple[Loan, int]]:
        """Put a loan of a FIFO queue off here, or return for how long SQS is to do it."""
        queue, now = self.queue, self._clock.monotonic()
        story = story_after(loan, ending, self._clock.now())
        loan.parcel = loan.parcel._replace(story=story)
        if not isinstance(ending, Release):
            loan.due = when + delay_of(ending)
        seconds = math.ceil(max(0.0, loan.due - now) / self._clock.rate)
        with queue.lock:
            stays = queue.is_open() and not isinstance(ending, Abandon)
            if stays and seconds <= self.visibility():
                loan.held = None
                queue.place(loan, now)
                queue.serve(now)
                return []
            behind = queue.leave_line(loan)
            queue.forget(loan)
            for one in behind:
                queue.forget(one)
        for one in [loan, *behind]:
            queue.stories.remember(one, one.parcel.story, one.due)
        # The last of a group first: none is to overtake.
        return [*((one, 0) for one in reversed(behind)), (loan, loan.most(seconds))]

    def _return(self, back: Sequence[tuple[Loan, int]]) -> None:
        for first in range(0, len(back), MANY):
            part = [(loan.handle, seconds) for loan, seconds in back[first : first + MANY]]
            self._service.lend(self.queue.url, part)

    # Steps

    def _do(self, steps: Sequence[Step]) -> None:
        """Send what is to be sent, then delete what may be."""
        for target in {step.target for step in steps if step.target and not step.is_sent}:
            self._send(target, [one for one in steps if one.target is target and not one.is_sent])
        ready = [step for step in steps if step.target is None or step.is_sent]
        for first in range(0, len(ready), MANY):
            self._delete(ready[first : first + MANY])
        if self._late:
            tries = min(step.tries for step in self._late)
            self._again_at = time.monotonic() + self._service.pause(tries)
        else:
            self.problem = ""

    def _send(self, target: SqsQueue, steps: Sequence[Step]) -> None:
        rate, now = self._clock.rate, self._service.now()
        entries = [entry(target, step.parcel, rate, step.key, now) for step in steps if step.parcel]
        for numbers in batches(entries, target.most_bytes):
            answers = self._service.send(target.url, [entries[number] for number in numbers])
            for number, answer in zip(numbers, answers, strict=True):
                self._sent(steps[number], answer)

    def _sent(self, step: Step, answer: Answer) -> None:
        if answer is None:
            step.is_sent = True
            self.unburied = "" if step.is_letter else self.unburied
        elif isinstance(answer, Unavailable | Uncertain):
            self._retry(step, answer)
        elif step.is_letter:
            self._stay(step, answer)
        else:
            name = self.queue.spec.name
            self.problem = f"{name}: a message could not be sent again: {answer.message}"
            if not step.tries:
                _log.error("%s", self.problem)
            self._retry(step, answer)

    def _stay(self, step: Step, answer: QueueError) -> None:
        """Leave a message where it is, whose dead letter cannot be stored."""
        loan, queue = step.loan, self.queue
        self.unburied = f"{queue.spec.name}: dead letters cannot be stored: {answer.message}"
        self.on_event(Event("dead_letter_failed", queue.spec.name, detail=answer.message))
        seconds = math.ceil(LETTER_PAUSE / self._clock.rate)
        if queue.fifo:
            loan.due = self._clock.monotonic() + LETTER_PAUSE
            with queue.lock:
                loan.held = None
                queue.place(loan, self._clock.monotonic())
            return
        parcel = copied(loan, loan.parcel.story, LETTER_PAUSE, None)
        again = Step(loan, queue, parcel)
        made = entry(queue, parcel, self._clock.rate, again.key, self._service.now())
        if self._service.send(queue.url, [made]) == [None]:
            self._delete([again])
        else:
            self._service.lend(queue.url, [(loan.handle, seconds)])
            self._forget([loan])

    def _retry(self, step: Step, answer: QueueError) -> None:
        step.tries += 1
        if step.loan.until < time.monotonic():
            self._lose([step.loan])
        else:
            self.problem = self.problem or f"{self.queue.spec.name}: {answer.message}"
            self._late.append(step)

    def _delete(self, steps: Sequence[Step]) -> None:
        answers = self._service.delete(self.queue.url, [step.loan.handle for step in steps])
        done: list[Loan] = []
        for step, answer in zip(steps, answers, strict=True):
            if isinstance(answer, Unavailable):
                self._retry(step, answer)
                continue
            done.append(step.loan)
            if answer is not None and step.is_ack:
                self._tell("lease_lost", step.loan)
            elif step.event is not None:
                self.on_event(step.event)
        self._forget(done)

    def _forget(self, loans: Iterable[Loan]) -> None:
        queue, now = self.queue, self._clock.monotonic()
        with queue.lock:
            for loan in loans:
                queue.forget(loan)
                if queue.fifo:
                    queue.free(loan, now)
            queue.serve(now)
            if queue.is_hungry():
                queue.hungry.notify()

    # Leases

    def visibility(self) -> int:
        """Return the real seconds for which messages are lent to us at a time.

        Whoever vanishes is missed after its lease and half of the ten seconds that are granted.
        """
        lease = min((desk.lease for desk in self.queue.desks), default=30.0)
        return min(MOST_VISIBILITY, max(2, math.ceil((lease + 5.0) / self._clock.rate)))

    def _keep(self, now: float) -> None:
        """Prolong what is lent to us, when a third of the time is over, or half of it."""
        if now < self._keep_at:
            return
        queue, seconds = self.queue, self.visibility()
        self._keep_at = now + seconds / 6
        with queue.lock:
            near = now + seconds * 2 / 3
            due = [loan for loan in queue.loans.values() if loan.until <= near]
        for first in range(0, len(due), MANY):
            part = due[first : first + MANY]
            begun = time.monotonic()
            answers = self._service.lend(queue.url, [(loan.handle, seconds) for loan in part])
            lost = []
            for loan, answer in zip(part, answers, strict=True):
                if answer is None:
                    loan.until = begun + seconds
                elif isinstance(answer, Unavailable):
                    self._keep_at = min(self._keep_at, begun + self._service.pause(3))
                    lost += [loan] if loan.until <= time.monotonic() else []
                else:
                    lost.append(loan)
            self._lose(lost)

    def _lose(self, loans: Sequence[Loan]) -> None:
        """Forget what is not ours any more: it runs again, perhaps elsewhere."""
        for loan in loans:
            with self.queue.lock:
                if loan.handle not in self.queue.loans:
                    continue
                loan.is_lost = True
                if loan.held is not None:
                    loan.held.desk.held.pop(loan.held.row, None)
                # It will be delivered again: what stands behind it must not overtake it.
                behind = self.queue.leave_line(loan)
                for one in behind:
                    self.queue.forget(one)
            self._return([(one, 0) for one in reversed(behind)])
            self._tell("lease_lost", loan)
        self._forget(loans)

    def _tell(self, kind: Any, loan: Loan) -> None:
        self.on_event(Event(kind, self.queue.spec.name, detail=loan.parcel.message.id))
