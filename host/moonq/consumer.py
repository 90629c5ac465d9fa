"""Serves one queue with one function: takes, runs and settles deliveries.

Workers start on demand: as soon as the last idle worker has got a delivery, another one starts,
up to `concurrency`; the ones that find nothing to do for a while leave. The first worker opens
its state before `start` returns, so a handler that does not load is found there.

This is the only place that settles. Settling is single-shot: the driver answers False to the
second, whoever comes first: the handler itself, its result, the watchdog, or a stop.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from moonq import durations, log
from moonq.clock import Clock
from moonq.drivers.base import Subscription, cut
from moonq.errors import MoonqError, StopTimeout
from moonq.metrics import Metrics, Tally
from moonq.model import (
    ACK,
    RELEASE,
    Ack,
    Dead,
    Delivery,
    ErrorRecord,
    Headers,
    Interrupt,
    Retry,
    Snooze,
    Verdict,
)
from moonq.policy import Policy
from moonq.queues import Route
from moonq.sandbox.lend import Caller
from moonq.sandbox.state import THREAD_STACK, Fault, Outcome, ScriptFault, State, Stopped

#: A worker that found nothing to do for this long leaves, unless it is the last one.
IDLE = 10.0
#: How long the stop waits for handlers whose time was cut before it gives them up.
CUT_OFF = 2.5
#: After this many abandoned workers a consumer's health is red.
MANY_ABANDONED = 3


class ConsumerSettings(NamedTuple):
    """What the consumer's entry says."""

    id: str
    function: str
    concurrency: int = 1
    prefetch: int = 10
    auto_ack: bool = False
    timeout: float | None = 60.0
    memory: int = 64 * 1024 * 1024
    stop_timeout: float = 10.0


#: Makes a state for a worker of this consumer, with the function open.
StateMaker = Callable[[Caller, Callable[[], None]], State]


class Worker:
    """One thread with one Lua state, one delivery at a time."""

    def __init__(self, consumer: Consumer, number: int) -> None:
        self.number = number
        self.tally = Tally()
        self.delivery: Delivery | None = None
        self.settled = False
        self.is_idle = True
        self.abandoned = False
        self.state: State | None = None
        self.thread: threading.Thread | None = None
        self.caller = Caller(
            entry=consumer.settings.function,
            serves=consumer.route.id,
            actor=consumer.settings.id,
            is_stopping=consumer.is_stopping,
            sleep=consumer.sleep,
            settle=lambda action, delay, reason: consumer.settle_early(self, action, delay, reason),
        )

    def give_up_state(self) -> None:
        """Close the state; a stuck one is left to its thread."""
        if self.state is not None:
            self.state.close()
            self.state = None


@dataclass(slots=True)
class ConsumerStatus:
    """What a consumer is doing, for people and health checks."""

    workers: int
    busy: int
    abandoned: int
    paused: bool
    last_error: str


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
    ) -> None:
        self.settings = settings
        self.route = route
        self.last_error = ""
        self._policy = policy
        self._make_state = make_state
        self._clock = clock
        self._metrics = metrics
        self._on_failed = on_failed
        self._log = log.get(settings.id)
        self._subscription: Subscription | None = None
        self._changed = threading.Condition()
        self._workers: set[Worker] = set()
        self._idle = 0
        self._started = 0
        self._acked = 0
        self._abandoned = 0
        self._paused = False
        self._stopping = False
        self._cut_off = False

    # Life ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the first worker's state, then take deliveries.

        Raises:
            ScriptFault: The handler does not load.
            Stopped: Loading it took too much time or memory.
            QueueError: The driver refuses the subscription.
        """
        if self.settings.auto_ack:
            self._log.warning("auto_ack: a message that fails, or is running at a crash, is lost")
        first = self._new_worker()
        first.state = self._open_state(first)
        try:
            self._subscription = self.route.driver.subscribe(
                self.route.spec.name, self.settings.prefetch
            )
        except MoonqError:
            first.give_up_state()
            raise
        self._launch(first)

    def stop(self, timeout: float | None = None) -> None:
        """Stop as the contract says: take no more, hand back, let running handlers finish.

        Raises:
            StopTimeout: Some handlers did not finish in *timeout* seconds (default: the
                entry's `stop_timeout`); they were stopped and their messages handed back.
        """
        subscription = self._subscription
        if subscription is None:
            return
        limit = self.settings.stop_timeout if timeout is None else timeout
        deadline = self._clock.monotonic() + limit
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        subscription.stop()
        unfinished = [] if self._wait_for_workers(deadline) else self._cut_running()
        subscription.close(self._clock.monotonic() + self.route.publish_timeout)
        self._subscription = None
        self._policy.close()
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
            busy = sum(1 for worker in self._workers if worker.delivery is not None)
            return ConsumerStatus(
                len(self._workers), busy, self._abandoned, self._paused, self.last_error
            )

    def is_healthy(self) -> bool:
        """False after several workers had to be abandoned."""
        return self._abandoned < MANY_ABANDONED

    def acked(self) -> int:
        """How many messages were acknowledged since the start."""
        with self._changed:
            return self._acked + sum(worker.tally.acked for worker in self._workers)

    def running(self) -> list[str]:
        """The ids of the messages that handlers are at work on."""
        with self._changed:
            deliveries = [worker.delivery for worker in self._workers]
        return [delivery.message.id for delivery in deliveries if delivery is not None]

    # Workers ------------------------------------------------------------------------------------

    def _new_worker(self) -> Worker:
        with self._changed:
            self._started += 1
            worker = Worker(self, self._started)
            self._workers.add(worker)
            # It counts as idle from its birth, so that its starting asks for no other one.
            self._idle += 1
            return worker

    def _launch(self, worker: Worker) -> None:
        threading.stack_size(THREAD_STACK)
        worker.thread = threading.Thread(
            target=self._serve,
            args=(worker,),
            name=f"{self.settings.id}#{worker.number}",
            daemon=True,
        )
        worker.thread.start()

    def _open_state(self, worker: Worker) -> State:
        return self._make_state(worker.caller, lambda: self._abandon(worker))

    def _serve(self, worker: Worker) -> None:
        try:
            self._work(worker)
        except Exception as problem:  # noqa: BLE001 - a worker's death must not be silent
            self._died(worker, problem)
        finally:
            self._leave(worker)

    def _died(self, worker: Worker, problem: Exception) -> None:
        self.last_error = str(problem)
        delivery = worker.delivery
        if delivery is None:
            # It could not open a state, or not take: the next one would fail as well.
            self._on_failed(problem)
            return
        self._log.error("a worker ended: %s", problem, exc_info=problem)
        record = self._record(Fault("INTERNAL", f"the worker ended: {problem}"))
        self._settle(worker, delivery, self._policy.interruption(delivery, record))
        self._replace()

    def _work(self, worker: Worker) -> None:
        subscription = self._subscription
        assert subscription is not None
        while not self._stopping and not worker.abandoned:
            if worker.state is None:
                worker.state = self._open_state(worker)
            deliveries = subscription.take(1, IDLE)
            if deliveries:
                self._became_busy(worker)
                for delivery in deliveries:
                    self._handle(worker, subscription, delivery)
                self._became_idle(worker)
            elif self._may_leave():
                return

    def _may_leave(self) -> bool:
        with self._changed:
            return not self._paused and self._idle > 1

    def _became_busy(self, worker: Worker) -> None:
        with self._changed:
            worker.is_idle = False
            self._idle -= 1
            grow = self._idle < 1 and len(self._workers) < self.settings.concurrency
        if grow and not self._stopping:
            self._launch(self._new_worker())

    def _became_idle(self, worker: Worker) -> None:
        with self._changed:
            worker.is_idle = True
            self._idle += not worker.abandoned

    def _leave(self, worker: Worker) -> None:
        worker.give_up_state()
        with self._changed:
            if worker in self._workers:
                self._forget(worker)

    def _forget(self, worker: Worker) -> None:
        self._workers.discard(worker)
        self._idle -= worker.is_idle
        self._acked += worker.tally.acked
        self._changed.notify_all()

    # One delivery -------------------------------------------------------------------------------

    def _handle(self, worker: Worker, subscription: Subscription, delivery: Delivery) -> None:
        state = worker.state
        assert state is not None
        if not subscription.start(delivery):
            return
        message = delivery.message
        worker.settled = False
        worker.caller.message_id, worker.caller.attempt = message.id, delivery.attempt
        worker.delivery = delivery
        if self.settings.auto_ack:
            self._settle(worker, delivery, ACK)
        try:
            outcome = state.deliver(
                self.settings.timeout,
                message.body,
                message.id.encode(),
                delivery.attempt,
                delivery.interruptions,
                message.published_at,
                self.route.id.encode(),
                _headers(message.headers),
            )
        except Stopped as stopped:
            self._stopped(worker, delivery, stopped)
        except ScriptFault as raised:
            self._failed(worker, delivery, raised.fault)
        else:
            if outcome is not None:
                self._answered(worker, delivery, outcome)
            elif self._settle(worker, delivery, ACK):
                worker.tally.acked += 1
        worker.delivery = None
        worker.caller.message_id = ""
        if state.spent:
            worker.give_up_state()

    def _answered(self, worker: Worker, delivery: Delivery, outcome: Outcome) -> None:
        fault = outcome.fault
        if fault is None:
            return  # it settled its message itself
        if outcome.kind == "decode":
            self._settle(worker, delivery, Dead("decode", self._record(fault)))
        else:
            self._failed(worker, delivery, fault)

    def _stopped(self, worker: Worker, delivery: Delivery, stopped: Stopped) -> None:
        settings = self.settings
        if stopped.reason == "timeout":
            limit = durations.show(settings.timeout or 0)
            fault = Fault("TIMEOUT", f"stopped after {limit} (timeout)", True, stopped.stack)
        elif stopped.reason == "memory":
            limit = f"{settings.memory / 1048576:g} MiB"
            text = f"{settings.function} used more than its {limit} of memory"
            fault = Fault("MEMORY", text, None, stopped.stack)
        else:
            self._settle(worker, delivery, RELEASE)
            return
        self._failed(worker, delivery, fault)

    def _failed(self, worker: Worker, delivery: Delivery, fault: Fault) -> None:
        if fault.kind == "CANCELED" and self._stopping:
            # A wait was cut short by the stop: a deploy costs no attempt.
            self._settle(worker, delivery, RELEASE)
            return
        record = self._record(fault)
        self.last_error = f"{fault.kind} {fault.message}"
        self._settle(worker, delivery, self._policy.failure(delivery, fault, record, None))

    def _record(self, fault: Fault) -> ErrorRecord:
        return ErrorRecord(self._clock.now(), fault.kind, cut(fault.message), cut(fault.traceback))

    def settle_early(self, worker: Worker, action: str, delay: float, reason: str) -> bool:
        """Settle the message a handler is at work on, as the handler says.

        *action* is ack, nack, retry, snooze or reject; a negative *delay* is none given.
        """
        delivery = worker.delivery
        if delivery is None or worker.settled:
            return False
        fault = Fault("UNKNOWN", reason or f"the handler called {action}()")
        verdict: Verdict
        if action == "ack":
            verdict = ACK
        elif action == "snooze":
            verdict = self._policy.snooze(delivery, max(delay, 0.0))
        elif action == "reject":
            verdict = Dead("rejected", self._record(fault))
        else:
            wanted = delay if delay >= 0 else None
            verdict = self._policy.failure(delivery, fault, self._record(fault), wanted)
        done = self._settle(worker, delivery, verdict)
        if done and action == "ack":
            worker.tally.acked += 1
        return done

    def _settle(self, worker: Worker, delivery: Delivery, verdict: Verdict) -> bool:
        if worker.settled:
            return False
        worker.settled = True
        subscription = self._subscription
        assert subscription is not None
        done = subscription.settle(delivery, verdict)
        if not isinstance(verdict, Ack):
            self._tell(delivery, verdict, done)
        return done

    def _tell(self, delivery: Delivery, verdict: Verdict, done: bool) -> None:
        about = {"entry": self.settings.function, "message_id": delivery.message.id}
        extra = {**about, "attempt": delivery.attempt}
        if not done:
            self._log.warning("settled too late: the lease was over", extra=extra)
        elif isinstance(verdict, Retry | Interrupt):
            self._metrics.count("retried", self.settings.id)
            wait = durations.show(verdict.delay)
            text = verdict.error.message if verdict.error else "interrupted"
            kind = verdict.error.kind if verdict.error else "INTERNAL"
            self._log.warning("nack → again in %s: %s %s", wait, kind, text, extra=extra)
        elif isinstance(verdict, Dead):
            self._metrics.count("dead", self.settings.id)
            text = verdict.error.message if verdict.error else ""
            target = self.route.spec.dead_letter or "nowhere (dead_letter: none)"
            self._log.error("dead (%s) → %s: %s", verdict.reason, target, text, extra=extra)
        elif isinstance(verdict, Snooze):
            self._metrics.count("snoozed", self.settings.id)
        else:
            self._metrics.count("handed_back", self.settings.id)

    # Stopping -----------------------------------------------------------------------------------

    def sleep(self, seconds: float) -> bool:
        """Wait on behalf of a handler. False when a stop cut it short."""
        deadline = self._clock.monotonic() + seconds
        with self._changed:
            while not self._stopping:
                left = deadline - self._clock.monotonic()
                if left <= 0:
                    return True
                self._clock.wait(self._changed, left)
        return False

    def _wait_for_workers(self, deadline: float) -> bool:
        with self._changed:
            while self._workers:
                left = deadline - self._clock.monotonic()
                if left <= 0 or self._cut_off:
                    return False
                self._clock.wait(self._changed, left)
        return True

    def _cut_running(self) -> list[str]:
        """Stop what still runs and hand it back; names the messages."""
        unfinished = self.running()
        with self._changed:
            workers = list(self._workers)
        for worker in workers:
            if worker.state is not None:
                worker.state.guard.fire("stop")
        self._cut_off = False
        if not self._wait_for_workers(self._clock.monotonic() + CUT_OFF):
            for worker in workers:
                self._abandon(worker, stopping=True)
        return unfinished

    def _abandon(self, worker: Worker, *, stopping: bool = False) -> None:
        """Give up a worker that sits in a C function: its thread ends by itself, some day."""
        delivery = worker.delivery
        with self._changed:
            if worker not in self._workers or delivery is None:
                return
            worker.abandoned = True
            self._abandoned += 1
            self._forget(worker)
        self._metrics.count("abandoned", self.settings.id)
        self._log.error(
            "a worker could not be stopped and was abandoned; it keeps a core until it ends",
            extra={"entry": self.settings.function, "message_id": delivery.message.id},
        )
        if stopping:
            self._settle(worker, delivery, RELEASE)
        else:
            self._stopped(worker, delivery, Stopped("timeout"))
        self._replace()

    def _replace(self) -> None:
        if not self._stopping:
            self._launch(self._new_worker())


def _headers(headers: Headers) -> bytes:
    if not headers:
        return b""
    return json.dumps(dict(headers), ensure_ascii=False).encode()
