"""A consumer that takes a step when its test says so, in the test's own thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from moonq.drivers.base import Subscription
from moonq.model import ACK, Ack, Delivery, Verdict
from moonq.run.consumer import Consumer
from moonq.run.judgement import Event
from moonq.run.worker import Worker
from moonq.sandbox.state import Fault
from moonq.testing.world.bench import Bench


class DrivenConsumer(Consumer):
    """See `Consumer`; one worker, no threads."""

    def __init__(self, *parts: Any, bench: Bench) -> None:
        super().__init__(*parts)
        self._settler.notes = None  # what a test sees does not depend on those before it
        self._bench = bench
        self._worker: Worker | None = None
        self._began = 0.0
        self._is_doomed = False

    def start(self) -> None:
        """Open the worker's state and take a place at the queue."""
        if self.settings.auto_ack:
            self._log.warning("auto_ack: a message that fails, or is running at a crash, is lost")
        worker = self._new_worker()
        worker.open()
        # One at a time: what waits in a buffer would have left the order of the queue.
        self._subscription = self._settler.subscription = Observed(self.subscribe(1), self)
        self._worker = worker

    def rest(self, *, is_over: bool = False) -> None:
        """Hold nothing while the test looks at the queue, or do so again."""
        if self._subscription is not None:
            (self._subscription.resume if is_over else self._subscription.pause)()

    def step(self, timeout: float = 0.0) -> bool:
        """Run the next delivery; False when there is none within *timeout* seconds."""
        worker = self._worker
        assert worker is not None
        deliveries = self._settler.subscription.take(1, timeout)
        if not deliveries:
            return False
        worker.open()
        worker.handle(deliveries)
        if self._is_doomed:
            self._is_doomed = False
            worker.close()
        return True

    def close(self) -> None:
        """Give the state and the place at the queue back."""
        if self._worker is not None:
            self._worker.close()
        if self._subscription is not None:
            self._subscription.close(self._clock.monotonic())
        self._policy.close()

    def sleep(self, seconds: float) -> bool:
        """Let virtual time pass on behalf of a handler, and its own limit with it."""
        if self._worker is not None:
            self._bench.sleep(seconds, self._began, self.settings.timeout, self._worker.fire)
        return True

    # What its subscription tells ------------------------------------------------------------------

    def begun(self, delivery: Delivery) -> None:
        """A handler begins."""
        self._began = self._clock.monotonic()
        self._is_doomed = self._bench.faults.takes_crash()
        self._bench.begun(delivery)
        self._bench.ledger.begun(self.route.spec.name, delivery.message.id)

    def amended(self, delivery: Delivery, verdict: Verdict) -> Verdict:
        """Let the faults that the test asked for have their way."""
        if self.settings.auto_ack and isinstance(verdict, Ack):
            return verdict
        if self._is_doomed:
            if self._worker is not None:
                self._worker.fire()
            return self._interrupted(delivery, "the worker died: test.crash_worker")
        if isinstance(verdict, Ack) and self._bench.faults.takes_ack():
            return self._interrupted(delivery, "the ack was lost: test.drop_ack")
        return verdict

    def _interrupted(self, delivery: Delivery, why: str) -> Verdict:
        event = Event("interrupted", Fault("INTERNAL", why))
        verdict = self._settler.judge(delivery, event).verdict
        assert verdict is not None
        return verdict

    def ended(self, delivery: Delivery, verdict: Verdict) -> None:
        """A delivery was settled."""
        self._bench.ended(delivery, verdict)
        self._bench.ledger.settled(self.route.spec, delivery.message.id, verdict)


class Observed:
    """A subscription whose deliveries are watched."""

    def __init__(self, inner: Subscription, watcher: DrivenConsumer) -> None:
        self._inner = inner
        self._watcher = watcher
        self.take, self.stop, self.close = inner.take, inner.stop, inner.close
        self.pause, self.resume, self.waiting = inner.pause, inner.resume, inner.waiting

    def start(self, delivery: Delivery) -> bool:
        """Say that the handler begins."""
        started = self._inner.start(delivery)
        if started:
            self._watcher.begun(delivery)
        return started

    def settle(self, delivery: Delivery, verdict: Verdict) -> bool:
        """End *delivery* as *verdict* says, unless a fault wants it otherwise."""
        verdict = self._watcher.amended(delivery, verdict)
        done = self._inner.settle(delivery, verdict)
        if done:
            self._watcher.ended(delivery, verdict)
        return done

    def ack(self, deliveries: Sequence[Delivery]) -> list[bool]:
        """Settle *deliveries* as done."""
        return [self.settle(delivery, ACK) for delivery in deliveries]
