"""Ends deliveries: has what became of them judged, sends the verdict, and tells of it.

This is the only caller of `Subscription.settle`. Settling is single-shot: the driver answers
False to the second. Any may be the first: the handler itself, its result, the watchdog, or a stop.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple

from moonq import log
from moonq.clock import Clock
from moonq.drivers.base import Subscription
from moonq.metrics import Metrics
from moonq.model import ACK, Delivery
from moonq.run.judgement import Event, Judgement
from moonq.run.notes import Notes
from moonq.run.policy import Policy
from moonq.sandbox.states import THREAD, Isolation

#: What is counted for an action, beside acks.
_COUNTS = {
    "retry": "retried",
    "interrupt": "retried",
    "dead": "dead",
    "snooze": "snoozed",
    "release": "handed_back",
}


class ConsumerSettings(NamedTuple):
    """What the consumer's entry says."""

    id: str
    function: str
    concurrency: int
    prefetch: int
    auto_ack: bool
    timeout: float | None
    lease: float
    memory: int
    stop_timeout: float
    isolation: Isolation = THREAD
    """Where its workers live."""


class Settler:
    """Settles the deliveries of one consumer."""

    subscription: Subscription
    """The consumer's place at its queue, from its start on."""

    def __init__(
        self, settings: ConsumerSettings, policy: Policy, clock: Clock, metrics: Metrics
    ) -> None:
        self.last_error = ""
        self.last_error_at: float | None = None
        self.is_stopping = False
        """A wait that a stop cut short is no failure."""
        self.settings = settings
        self.notes: Notes | None = Notes(settings.function)
        self._policy = policy
        self._clock = clock
        self._metrics = metrics
        self._log = log.get(settings.id)

    def judge(self, delivery: Delivery, event: Event) -> Judgement:
        """Return what *event* leads to."""
        judgement = self._policy.judge(delivery, event, is_stopping=self.is_stopping)
        error = judgement.error
        if error is not None and judgement.action in ("retry", "dead"):
            self.remember(f"{error.kind} {error.message}")
        return judgement

    def remember(self, error: str) -> None:
        """Keep *error* for those who ask what went wrong last, and when."""
        self.last_error, self.last_error_at = error, self._clock.now()

    def settle(self, delivery: Delivery, judgement: Judgement) -> bool:
        """Send the verdict. False: it was settled before, or its lease is lost."""
        verdict = judgement.verdict
        assert verdict is not None
        done = self.subscription.settle(delivery, verdict)
        if judgement.action != "ack":
            self._tell(delivery, judgement, done)
        observer = self._metrics.observer
        if observer is not None and done:
            observer.settled(self.settings.id, delivery, verdict)
        return done

    def ack(self, deliveries: Sequence[Delivery]) -> int:
        """Settle *deliveries* as done; returns how many were still ours."""
        answers = self.subscription.ack(deliveries)
        observer = self._metrics.observer
        if observer is not None:
            for delivery, done in zip(deliveries, answers, strict=True):
                if done:
                    observer.settled(self.settings.id, delivery, ACK)
        return sum(answers)

    def killed(self) -> None:
        """Count that a worker's process was killed, or ended by itself."""
        self._metrics.count("killed", self.settings.id)

    def begun(self, deliveries: Sequence[Delivery]) -> None:
        """Tell the observer that handlers begin."""
        observer = self._metrics.observer
        if observer is not None:
            for delivery in deliveries:
                observer.delivered(self.settings.id, delivery)

    def _tell(self, delivery: Delivery, judgement: Judgement, done: bool) -> None:
        extra = {
            "entry": self.settings.function,
            "message_id": delivery.message.id,
            "attempt": delivery.attempt,
        }
        if not done:
            self._log.warning("settled too late: the lease was over", extra=extra)
            return
        if judgement.words:
            level = logging.ERROR if judgement.action == "dead" else logging.WARNING
            self._log.log(level, "%s", judgement.words, extra=extra)
        # Last: whoever waits for the count finds the line in the log.
        if judgement.action in _COUNTS:
            self._metrics.count(_COUNTS[judgement.action], self.settings.id)
