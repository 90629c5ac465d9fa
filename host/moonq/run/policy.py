"""Asks Lua what became of a delivery leads to; Python only carries the answer to the driver."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from moonq import durations, log
from moonq.clock import Clock
from moonq.drivers.base import cut
from moonq.model import Delivery, ErrorRecord
from moonq.registry.common import Strict
from moonq.registry.fields import (
    DAY,
    Count,
    Number,
    Ref,
    Share,
    Wait,
    between,
    seconds_between,
    wrong,
)
from moonq.run.judgement import ACKED, Event, Judgement, stopped
from moonq.sandbox.state import Stopped
from moonq.sandbox.states import State

_FAULTY = "the queue's own retry policy failed, the default was used: %s"


class RetryOptions(Strict):
    """How often and how soon a message that failed runs again."""

    max_attempts: Count = Field(10, description="Attempts before a message is a dead letter.")
    max_interruptions: Count = Field(
        5, description="How many deaths of its process make a message a dead letter."
    )
    initial_delay: Annotated[Wait, seconds_between(0.1, 365 * DAY)] = Field(
        2.0, description="The wait after the first failure."
    )
    factor: Annotated[Number, between(1, 1000)] = Field(
        3.0, description="By what the wait grows with each failure."
    )
    max_delay: Annotated[Wait, seconds_between(0.1, 365 * DAY)] = Field(
        900.0, description="The longest wait."
    )
    jitter: Share = Field(0.2, description="Which share of the wait is left to chance.")
    policy: Annotated[str | None, Ref(("function.lua",), called="policy")] = Field(
        None,
        description="A function that decides from the failure, instead of these numbers.",
    )

    @model_validator(mode="after")
    def _grows(self) -> RetryOptions:
        if self.initial_delay > self.max_delay:
            raise wrong(
                "`initial_delay` is longer than `max_delay`",
                help="a retry waits initial_delay first and max_delay at most",
            )
        return self


class Policy:
    """The judge of one consumer's deliveries, in its own Lua state.

    *queue* is a `verdict.Queue`. *make_state* gets whether the queue's own policy is to be opened
    in the state, where there is one. Failures are rare beside successes, so all workers of a
    consumer share the state under a lock. What goes wrong is logged as *logger*.
    """

    def __init__(
        self,
        queue: Mapping[str, Any],
        make_state: Callable[[bool], State],
        clock: Clock,
        chance: Callable[[], float] = random.random,
        logger: str = "moonq.policy",
    ) -> None:
        self._queue = queue
        self._make_state = make_state
        self._clock = clock
        self._chance = chance
        self._log = log.get(logger)
        self._lock = threading.Lock()
        self._state: State | None = None

    def judge(self, delivery: Delivery, event: Event, *, is_stopping: bool = False) -> Judgement:
        """Return what *event* leads to."""
        if event.what == "ack":
            return ACKED  # so that no success waits for a failure's turn
        about = {
            "entry": self._queue["function"],
            "message_id": delivery.message.id,
            "attempt": delivery.attempt,
        }
        answer = self._ask(self._told(delivery, event, is_stopping), about)
        if answer is None:
            # A policy that cannot be asked must not lose the message, nor hold up the queue.
            delay, fault = self._queue["max_delay"], event.fault
            again = durations.show(delay)
            self._log.error("the failure could not be judged: again in %s", again, extra=about)
            answer = ("retry", delay, None, fault.kind, fault.message, None)
        action, delay, reason, kind, message, words = answer
        error = None if kind is None else self._record(kind, message, event.fault.traceback)
        return Judgement(action, delay or 0.0, reason or "", error, words or "")

    def close(self) -> None:
        """Give the state back."""
        with self._lock:
            self._drop()

    def _told(self, delivery: Delivery, event: Event, is_stopping: bool) -> tuple[Any, ...]:
        """Return the fields of a `verdict.Event`, in their order."""
        fault, lost_at = event.fault, delivery.lost_at
        return (
            event.what.encode(),
            fault.kind.encode("utf-8", "replace"),
            fault.message.encode("utf-8", "replace"),
            delivery.attempt,
            delivery.interruptions,
            delivery.snoozes,
            self._chance(),
            fault.retryable,
            event.delay,
            0.0 if lost_at is None else self._clock.now() - lost_at,
            is_stopping,
        )

    def _record(self, kind: str, message: str, traceback: str) -> ErrorRecord:
        """Return the error as the message will remember it."""
        return ErrorRecord(self._clock.now(), kind, cut(message), cut(traceback))

    def _ask(self, event: tuple[Any, ...], about: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Return the fields of the `verdict.Verdict` in their order; None when Lua has none."""
        with self._lock:
            for own in (True, False):
                try:
                    *answer, wrong = _read(self._opened(own).decide(*event))
                except Exception as problem:  # noqa: BLE001 - the message must go on, whatever it is
                    self._drop()
                    if isinstance(problem, Stopped) and problem.reason == "unknown":
                        fault = stopped(problem).fault
                        return ("unknown", None, None, fault.kind, fault.message, None)
                    self._log.error("the retry policy was stopped: %s", problem, extra=about)
                    continue
                if wrong:
                    self._log.error(_FAULTY, wrong, extra=about)
                if self._state is None or self._state.spent or not own:
                    self._drop()
                return tuple(answer)
        return None

    def _opened(self, own: bool) -> State:
        if self._state is None:
            self._state = self._make_state(own)
            # What is None is absent in Lua.
            told = {name: value for name, value in self._queue.items() if value is not None}
            self._state.use_policy(json.dumps(told).encode())
        return self._state

    def _drop(self) -> None:
        if self._state is not None:
            self._state.close()
            self._state = None


def _read(values: Iterable[Any]) -> list[Any]:
    """Return *values* with texts of Lua as texts."""
    return [one.decode("utf-8", "replace") if type(one) is bytes else one for one in values]
