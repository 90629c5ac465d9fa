"""Serves one queue with one function.

Workers start on demand: as soon as the last idle worker has got something to do, another one
starts, up to `concurrency`; those that find nothing to do for a while leave. The first worker
opens its state before `start` returns, so a handler that does not load is found there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from moonq import durations, log, threads
from moonq.clock import Clock, pause
from moonq.drivers.base import Subscription
from moonq.errors import MoonqError, StopTimeout
from moonq.metrics import Metrics
from moonq.model import Delivery
from moonq.run import room
from moonq.run.calling.context import CallContext
from moonq.run.calling.lending import Caller
from moonq.run.judgement import RELEASED, Event, Judgement, stopped
from moonq.run.policy import Policy
from moonq.run.queues import Route
from moonq.run.security import Rights
from moonq.run.settling import ConsumerSettings, Settler
from moonq.run.times import Times
from moonq.run.turns import Turns
from moonq.run.worker import StateMaker, Worker
from moonq.sandbox.state import THREAD_STACK, Fault, Stopped
from moonq.sandbox.states import THREAD
from moonq.threads import NoThread

#: A worker that found nothing to do for this long leaves, unless it is the last one.
IDLE = 10.0
#: Where messages come faster than one by one, a worker lets them gather for this long before it
#: looks: to wake up for each would cost its publisher more than the message itself.
GATHER = 0.001
#: The most workers that one starts before it begins its own work.
AT_ONCE = 8
#: How long a stop waits for handlers that it cut off before it gives them up.
CUT_OFF = 2.5
#: Seconds after which a worker that got no thread is tried again.
AGAIN = 1.0
#: After this many abandoned workers a consumer's health is red.
MANY_ABANDONED = 3
#: Those of a consumer that declares none.
NO_RIGHTS = Rights()
_starting = threading.Lock()


@dataclass(frozen=True, slots=True)
class ConsumerStatus:
    """What a consumer is doing, for people and health checks."""

    workers: int
    busy: int
    abandoned: int
    paused: bool
    healthy: bool
    last_error: str
    last_error_at: float | None = None
    """Seconds since the epoch; None while nothing has failed."""
    shortage: str | None = None
    """Why there are fewer workers than there should be; None when there are not."""


class Consumer:
    """Serves one queue with one function."""

    def __init__(
        self,
        settings: ConsumerSettings,
        route: Route,
        policy: Policy,
        make_state: StateMaker,
        clock: Clock,
        metrics: Metrics,
        on_failed: Callable[[Exception], None] = lambda _: None,
        rights: Rights = NO_RIGHTS,
    ) -> None:
        self.settings = settings
        self.route = route
        self._policy = policy
        self._make_state = make_state
        self._clock = clock
        self._metrics = metrics
        self._on_failed = on_failed
        self._rights = rights
        self._settler = Settler(settings, policy, clock, metrics)
        self._log = log.get(settings.id)
        self._subscription: Subscription | None = None
        self._changed = threading.Condition()
        self._workers: set[Worker] = set()
        self._idle = 0
        self._turns = Turns(settings.concurrency, settings.prefetch)
        self._is_brisk = False
        self._born = 0
        self._acked = 0
        self._times = Times()
        self._abandoned = 0
        self._shortage = ""
        self._short_since = 0.0
        self._paused = False
        self._stopping = False
        self._retiring = False
        self._cut_off = False
        # Held while it ends: a stop may come while it retires.
        self._ending = threading.Lock()
        self._first: Worker | None = None

    # Life ---------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Open the first worker's state: a handler that does not load is found here.

        Raises:
            ScriptFault: The handler does not load.
            Stopped: Loading it took too much time or memory.
            Hopeless: Its workers do not fit into what the process may have.
        """
        if self._first is not None:
            return
        if self.settings.isolation == THREAD:  # a process has addresses of its own
            room.take(self, self.settings.id, self.settings.concurrency, self.settings.memory)
        first = self._new_worker()
        try:
            first.open()
        except BaseException:
            self._leave(first)
            room.give_back(self)
            raise
        self._first = first

    def discard(self) -> None:
        """Give back what `prepare` has opened; it is not to be started."""
        if self._first is not None:
            self._leave(self._first)
            self._first = None
        room.give_back(self)

    def start(self) -> None:
        """Open the first worker's state, then take deliveries.

        Raises:
            ScriptFault: The handler does not load.
            Stopped: Loading it took too much time or memory.
            QueueError: The driver refuses the subscription, or there is no thread for a worker.
        """
        if self.settings.auto_ack:
            self._log.warning("auto_ack: a message that fails, or is running at a crash, is lost")
        self.prepare()
        first = self._first
        assert first is not None
        try:
            subscription = self.subscribe(self.settings.prefetch)
        except MoonqError:
            self.discard()
            raise
        self._subscription = self._settler.subscription = subscription
        if self._paused:
            subscription.pause()
        self._first = None
        try:
            self._launch(first)
        except MoonqError:
            subscription.stop()
            subscription.close(self._clock.monotonic() + self.route.publish_timeout)
            self._subscription = None
            raise

    def subscribe(self, prefetch: int) -> Subscription:
        """Return a place at the queue, with the consumer's own lease."""
        settings = self.settings
        return self.route.driver.subscribe(
            self.route.spec.name,
            prefetch,
            lease=settings.lease,
            timeout=settings.timeout,
            name=settings.id,
        )

    def retire(self) -> None:
        """Take no more and hand the buffer back; what runs may finish, undisturbed by any limit."""
        subscription = self._subscription
        if subscription is not None:
            self._retiring = True
            subscription.stop()
            self._turns.close()

    def outlast(self) -> None:
        """Wait until what runs in a retired consumer has ended, then end it too."""
        with self._changed:
            while self._workers and not self._stopping:
                self._clock.wait(self._changed, None)
        self.stop()

    def stop(self, timeout: float | None = None) -> None:
        """Stop as the contract says: take no more, hand back, let running handlers finish.

        Raises:
            StopTimeout: Some handlers did not finish in *timeout* seconds (default: the
                entry's `stop_timeout`); they were cut off and their messages handed back.
        """
        with self._ending:
            self._stop(timeout)

    def _stop(self, timeout: float | None) -> None:
        subscription = self._subscription
        if subscription is None:
            return
        limit = self.settings.stop_timeout if timeout is None else timeout
        deadline = self._clock.monotonic() + limit
        with self._changed:
            self._stopping = self._settler.is_stopping = True
            self._changed.notify_all()
        subscription.stop()
        self._turns.close()
        unfinished = [] if self._wait_for_workers(deadline) else self._cut_running()
        subscription.close(self._clock.monotonic() + self.route.publish_timeout)
        self._subscription = None
        self._policy.close()
        room.give_back(self)
        if unfinished:
            raise StopTimeout(
                f"{self.settings.id}: {len(unfinished)} handlers did not finish within "
                f"{durations.show(limit)}; handed back: {', '.join(unfinished)}",
                hint="raise `lifecycle.stop_timeout`, or end early when queue.stopping() is true",
            )

    def stop_now(self) -> None:
        """Do not wait for running handlers any longer: a `stop` under way jumps to its end."""
        with self._changed:
            self._cut_off = True
            self._changed.notify_all()

    def pause(self) -> None:
        """Take nothing for now; what is buffered goes back."""
        self._paused = True
        if self._subscription is not None:
            self._subscription.pause()

    def resume(self) -> None:
        """Take again."""
        self._paused = False
        if self._subscription is not None:
            self._subscription.resume()

    # For looking --------------------------------------------------------------------------------

    def is_stopping(self) -> bool:
        """Whether handlers should come to an end."""
        return self._stopping

    def status(self) -> ConsumerStatus:
        """What is going on now."""
        with self._changed:
            return ConsumerStatus(
                workers=len(self._workers),
                busy=sum(1 for worker in self._workers if worker.running()),
                abandoned=self._abandoned,
                paused=self._paused,
                healthy=self._abandoned < MANY_ABANDONED,
                last_error=self._settler.last_error,
                last_error_at=self._settler.last_error_at,
                shortage=self._shortage or None,
            )

    def acked(self) -> int:
        """How many messages were acknowledged since the start."""
        with self._changed:
            return self._acked + sum(worker.acked for worker in self._workers)

    def times(self) -> list[tuple[float, int]]:
        """How long handlers took since the start: seconds, and how many took about as long."""
        total = Times()
        with self._changed:
            for counted in (self._times, *(worker.times for worker in self._workers)):
                total.add(counted)
        return total.pairs()

    def running(self) -> list[str]:
        """The ids of the messages that handlers are at work on."""
        with self._changed:
            workers = list(self._workers)
        return [delivery.message.id for worker in workers for delivery in worker.running()]

    # Workers ------------------------------------------------------------------------------------

    def _new_worker(self) -> Worker:
        settings = self.settings
        context = CallContext(
            settings.function,
            serves=self.route.id.encode(),
            actor=self._rights.actor,
            scope=self._rights.scope,
            is_stopping=self.is_stopping,
            sleep=self.sleep,
        )
        with self._changed:
            self._born += 1
            worker = Worker(
                self._born,
                Caller(context),
                self._make_state,
                self._settler,
                self._abandon,
                self._turns.expect_no_longer,
            )
            self._workers.add(worker)
            # It counts as idle from its birth, so that its starting asks for no other one.
            self._idle += 1
            return worker

    def _launch(self, worker: Worker) -> None:
        """Let *worker* work.

        Raises:
            Unavailable: There is no thread for it; it has left.
        """
        worker.thread = threading.Thread(
            target=self._serve,
            args=(worker,),
            name=f"{self.settings.id}#{worker.number}",
            daemon=True,
        )
        try:
            _start(worker.thread)
        except MoonqError:
            self._leave(worker)
            raise

    def _add_worker(self) -> None:
        """Have one worker more; without a thread for it those that are there go on."""
        self._launch_all([self._new_worker()])

    def _launch_all(self, workers: list[Worker]) -> None:
        """Let all of *workers* work, or as many as there are threads for."""
        try:
            while workers:
                self._launch(workers.pop())
        except NoThread as problem:
            for worker in workers:
                self._leave(worker)
            self._lack(problem)
            return
        with self._changed:
            self._shortage = ""

    def _lack(self, problem: NoThread) -> None:
        """Go on without the thread that there was not."""
        self._settler.remember(str(problem))
        with self._changed:
            is_first, self._shortage = not self._shortage, problem.message
            self._short_since = self._clock.monotonic()
            left = len(self._workers)
        if is_first:
            wanted = self.settings.concurrency
            self._log.warning("%d of %d workers: %s", left, wanted, problem.message)
        if not left:
            self._on_failed(problem)

    def _serve(self, worker: Worker) -> None:
        try:
            self._work(worker)
        except Exception as problem:  # noqa: BLE001 - a worker's death must not be silent
            self._died(worker, problem)
        finally:
            self._leave(worker)

    def _work(self, worker: Worker) -> None:
        while not (self._stopping or self._retiring or worker.abandoned):
            worker.open()
            deliveries = self._take(worker)
            if deliveries:
                self._became_busy(worker)
                worker.handle(deliveries)
                self._became_idle(worker)
            elif self._may_leave(worker):
                return

    def _take(self, worker: Worker) -> list[Delivery]:
        """Wait for deliveries, one worker at a time: a crowd would take them one by one."""
        subscription, turns = self._settler.subscription, self._turns
        limit, deliveries = turns.enter(worker, IDLE), list[Delivery]()
        if not limit:
            return deliveries
        try:
            if self._is_brisk:
                time.sleep(GATHER)
                deliveries = subscription.take(limit, 0)
            if not (deliveries or self._stopping or self._retiring):
                deliveries = subscription.take(limit, IDLE)
            self._is_brisk = 1 < len(deliveries) < limit
            return deliveries
        finally:
            turns.leave(worker, len(deliveries), limit)

    def _died(self, worker: Worker, problem: Exception) -> None:
        self._settler.remember(str(problem))
        if not worker.running():
            # It could not open a state, or not take: the next one would fail as well.
            self._on_failed(problem)
            return
        self._log.error("a worker ended: %s", problem, exc_info=problem)
        event = Event("interrupted", Fault("INTERNAL", f"the worker ended: {problem}"))
        worker.give_up(lambda one: self._settler.judge(one, event))
        self._replace()

    def _may_leave(self, worker: Worker) -> bool:
        """Whether it is one too many; then it counts no longer, so that the last one stays."""
        with self._changed:
            leaves = not self._paused and self._idle > 1
            if leaves:
                worker.is_idle = False
                self._idle -= 1
            return leaves

    def _became_busy(self, worker: Worker) -> None:
        with self._changed:
            worker.is_idle = False
            self._idle -= 1
            if self._idle and worker.pace.is_quick():
                return
            born = [self._new_worker() for _ in range(self._wanted(worker))]
        if born:
            self._launch_all(born)

    def _wanted(self, worker: Worker) -> int:
        """Return how many workers to start: one to take next, and more for slow handlers."""
        if self._stopping or self._retiring:
            return 0
        if self._shortage and self._clock.monotonic() < self._short_since + AGAIN:
            return 0
        count, wanted = len(self._workers), 1
        if not worker.pace.is_quick():
            # Not more than there are: the first ones show how quick the handler is.
            wanted = max(1, min(self._settler.subscription.waiting(), AT_ONCE, count))
        return max(0, min(wanted - self._idle, self.settings.concurrency - count))

    def _became_idle(self, worker: Worker) -> None:
        with self._changed:
            if not worker.abandoned:
                worker.is_idle = True
                self._idle += 1

    def _leave(self, worker: Worker) -> None:
        worker.close()
        self._turns.forget(worker)
        with self._changed:
            if worker in self._workers:
                self._forget(worker)

    def _forget(self, worker: Worker) -> None:
        self._workers.discard(worker)
        self._idle -= worker.is_idle
        self._acked += worker.acked
        self._times.add(worker.times)
        self._changed.notify_all()

    def _replace(self) -> None:
        if not self._stopping:
            self._add_worker()

    # Stopping -----------------------------------------------------------------------------------

    def sleep(self, seconds: float) -> bool:
        """Wait on behalf of a handler. False when a stop cut it short."""
        return pause(self._clock, self._changed, seconds, self.is_stopping)

    def _wait_for_workers(self, deadline: float) -> bool:
        with self._changed:
            while self._workers:
                left = deadline - self._clock.monotonic()
                if left <= 0 or self._cut_off:
                    return False
                self._clock.wait(self._changed, left)
        return True

    def _cut_running(self) -> list[str]:
        """Cut off what still runs and hand it back; names the messages."""
        unfinished = self.running()
        with self._changed:
            workers = list(self._workers)
        for worker in workers:
            worker.fire()
        self._cut_off = False
        if not self._wait_for_workers(self._clock.monotonic() + CUT_OFF):
            for worker in workers:
                self._give_up(worker, lambda _: RELEASED)
        return unfinished

    def _abandon(self, worker: Worker) -> None:
        """Give up a worker that sits in a C function: its thread ends by itself, some day."""
        event = stopped(Stopped(worker.fired_for() or "timeout"))
        self._give_up(worker, lambda one: self._settler.judge(one, event))
        self._replace()

    def _give_up(self, worker: Worker, judge: Callable[[Delivery], Judgement]) -> None:
        with self._changed:
            if worker not in self._workers or worker.abandoned:
                return
            worker.abandoned = True
            self._abandoned += 1
        stuck = worker.give_up(judge)
        self._turns.forget(worker)
        with self._changed:
            # Only now: a stop that waits for the last worker then closes the subscription.
            if worker in self._workers:
                self._forget(worker)
        self._metrics.count("abandoned", self.settings.id)
        self._log.error(
            "a worker could not be stopped and was abandoned; it keeps a core until it ends",
            extra={"entry": self.settings.function, "message_id": ", ".join(stuck)},
        )


def _start(thread: threading.Thread) -> None:
    """Start a worker's thread with a small stack, for there may be a thousand of them.

    The size is that of whatever the process starts next: nobody else is to get it.
    """
    with _starting:
        before = threading.stack_size(THREAD_STACK)
        try:
            threads.start(thread)
        finally:
            threading.stack_size(before)
