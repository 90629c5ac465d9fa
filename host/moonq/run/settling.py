"""Ends deliveries: turns what became of them into a verdict, sends it, and tells who cares.

This is the only caller of `Subscription.settle`. Settling is single-shot: the driver answers
False to the second, whoever comes first: the handler itself, its result, the watchdog, or a stop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from moonq import durations, log
from moonq.clock import Clock
from moonq.drivers.base import Subscription, cut
from moonq.metrics import Metrics
from moonq.model import (
    ACK,
    RELEASE,
    Ack,
    Dead,
    DeadReason,
    Delivery,
    ErrorRecord,
    Interrupt,
    Retry,
    Snooze,
    Verdict,
)
from moonq.run.policy import Policy
from moonq.sandbox.state import Fault, Stopped


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


class Settler:
    """Settles the deliveries of one consumer."""

    def __init__(
        self,
        settings: ConsumerSettings,
        dead_letter: str | None,
        policy: Policy,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.last_error = ""
        self.last_error_at: float | None = None
        self.is_stopping = False
        """A wait that a stop cut short is no failure."""
        self._settings = settings
        self._dead_letter = dead_letter
        self._policy = policy
        self._clock = clock
        self._metrics = metrics
        self._log = log.get(settings.id)

    def failed(self, delivery: Delivery, fault: Fault, delay: float | None = None) -> Verdict:
        """Return what a failed attempt leads to."""
        if fault.kind == "CANCELED" and self.is_stopping:
            return RELEASE  # a deploy costs no attempt
        self.remember(f"{fault.kind} {fault.message}")
        return self._policy.failure(delivery, fault, self.record(fault), delay)

    def stopped(self, delivery: Delivery, stopped: Stopped) -> Verdict:
        """Return what it leads to that a handler was cut off."""
        settings = self._settings
        if stopped.reason == "timeout":
            limit = durations.show(settings.timeout or 0)
            fault = Fault("TIMEOUT", f"stopped after {limit} (timeout)", True, stopped.stack)
        elif stopped.reason == "memory":
            limit = f"{settings.memory / 1048576:g} MiB"
            text = f"{settings.function} used more than its {limit} of memory (memory)"
            fault = Fault("MEMORY", text, None, stopped.stack)
        else:
            return RELEASE
        return self.failed(delivery, fault)

    def interrupted(self, delivery: Delivery, why: str) -> Verdict:
        """Return what it leads to that a worker died."""
        return self._policy.interruption(delivery, self.record(Fault("INTERNAL", why)))

    def doomed(self, delivery: Delivery) -> Verdict | None:
        """Return the end of a message that was interrupted too often: its process died each time.

        Nobody is left in a dead process to count, so the next one asks before it begins.
        """
        if delivery.interruptions < self._policy.options.max_interruptions:
            return None
        times = f"{delivery.interruptions} times"
        fault = Fault("INTERNAL", f"its process died or lost its lease {times} while it ran")
        return self.dead(fault, "interrupted")

    def asked(self, delivery: Delivery, action: str, delay: float, reason: str) -> Verdict:
        """Return what a handler's own `msg:ack()`, `nack`, `retry`, `snooze` or `reject` means.

        A negative *delay* is none given.
        """
        fault = Fault("UNKNOWN", reason or f"the handler called {action}()")
        if action == "ack":
            return ACK
        if action == "snooze":
            return self._policy.snooze(delivery, max(delay, 0.0))
        if action == "reject":
            return self.dead(fault, "rejected")
        return self.failed(delivery, fault, delay if delay >= 0 else None)

    def dead(self, fault: Fault, reason: DeadReason) -> Verdict:
        """Return a dead letter's verdict."""
        self.remember(f"{fault.kind} {fault.message}")
        return Dead(reason, self.record(fault))

    def remember(self, error: str) -> None:
        """Keep *error* for whoever asks what went wrong last, and when."""
        self.last_error, self.last_error_at = error, self._clock.now()

    def record(self, fault: Fault) -> ErrorRecord:
        """Return *fault* as the dead letter will remember it."""
        return ErrorRecord(self._clock.now(), fault.kind, cut(fault.message), cut(fault.traceback))

    def settle(self, subscription: Subscription, delivery: Delivery, verdict: Verdict) -> bool:
        """Send the verdict. False: it was settled before, or its lease is lost."""
        done = subscription.settle(delivery, verdict)
        if not isinstance(verdict, Ack):
            self._tell(delivery, verdict, done)
        observer = self._metrics.observer
        if observer is not None and done:
            observer.settled(self._settings.id, delivery, verdict)
        return done

    def ack(self, subscription: Subscription, deliveries: Sequence[Delivery]) -> int:
        """Settle *deliveries* as done; returns how many were still ours."""
        answers = subscription.ack(deliveries)
        observer = self._metrics.observer
        if observer is not None:
            for delivery, done in zip(deliveries, answers, strict=True):
                if done:
                    observer.settled(self._settings.id, delivery, ACK)
        return sum(answers)

    def begun(self, deliveries: Sequence[Delivery]) -> None:
        """Tell whoever looks on that handlers begin."""
        observer = self._metrics.observer
        if observer is not None:
            for delivery in deliveries:
                observer.delivered(self._settings.id, delivery)

    def _tell(self, delivery: Delivery, verdict: Verdict, done: bool) -> None:
        extra = {
            "entry": self._settings.function,
            "message_id": delivery.message.id,
            "attempt": delivery.attempt,
        }
        if not done:
            self._log.warning("settled too late: the lease was over", extra=extra)
        elif isinstance(verdict, Retry | Interrupt):
            self._count("retried")
            wait = durations.show(verdict.delay)
            error = verdict.error
            why = f"{error.kind} {error.message}" if error else "interrupted"
            self._log.warning("nack → again in %s: %s", wait, why, extra=extra)
        elif isinstance(verdict, Dead):
            self._count("dead")
            text = verdict.error.message if verdict.error else ""
            target = self._dead_letter or "nowhere (dead_letter: none)"
            self._log.error("dead (%s) → %s: %s", verdict.reason, target, text, extra=extra)
        elif isinstance(verdict, Snooze):
            self._count("snoozed")
        else:
            self._count("handed_back")

    def _count(self, name: str) -> None:
        self._metrics.count(name, self._settings.id)
