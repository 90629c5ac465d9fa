"""Asks Lua what a failure leads to; Python only carries the answer to the driver."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Annotated, Any, cast

from pydantic import Field, model_validator

from moonq import log
from moonq.model import Dead, DeadReason, Delivery, ErrorRecord, Interrupt, Retry, Snooze, Verdict
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
from moonq.sandbox.state import Fault, LuaState, ScriptFault, Stopped

_log = log.get("moonq.policy")


class RetryOptions(Strict):
    """How often and how soon a message that failed runs again."""

    max_attempts: Count = 10
    max_interruptions: Count = 5
    initial_delay: Annotated[Wait, seconds_between(0.1, 365 * DAY)] = 2.0
    factor: Annotated[Number, between(1, 1000)] = 3.0
    max_delay: Annotated[Wait, seconds_between(0.1, 365 * DAY)] = 900.0
    jitter: Share = 0.2
    policy: Annotated[str | None, Ref(("function.lua",), called="policy")] = Field(
        None, description="a function from failure to decision, instead of the numbers above"
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
    """The retry policy of one queue, in a Lua state of its own.

    *make_state* gets whether the queue's own policy is to be opened in it, where there is one.
    Failures are rare beside successes, so all workers of a queue share the state under a lock.
    """

    def __init__(
        self,
        options: RetryOptions,
        make_state: Callable[[bool], LuaState],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.options = options
        self._make_state = make_state
        self._chance = chance
        self._lock = threading.Lock()
        self._state: LuaState | None = None

    def failure(
        self, delivery: Delivery, fault: Fault, record: ErrorRecord, delay: float | None
    ) -> Retry | Dead:
        """Decide about a failed attempt."""
        action, detail, *problem = self._ask(
            "decide",
            delivery.attempt,
            delivery.interruptions,
            delivery.snoozes,
            fault.kind.encode(),
            fault.message.encode(),
            fault.retryable,
            delay,
            self._chance(),
        )
        if problem and problem[0]:
            why = problem[0].decode("utf-8", "replace")
            _log.error("the queue's own retry policy failed, the default was used: %s", why)
        if action == b"dead":
            return Dead(_reason(detail), record)
        return Retry(float(detail), record)

    def interruption(self, delivery: Delivery, record: ErrorRecord) -> Interrupt | Dead:
        """Decide about a delivery whose worker died."""
        action, detail, *_ = self._ask("decide_interruption", delivery.interruptions + 1)
        if action == b"dead":
            return Dead(_reason(detail), record)
        return Interrupt(float(detail), record)

    def snooze(self, delivery: Delivery, delay: float) -> Verdict:
        """Decide about a message that was snoozed."""
        action, detail, *_ = self._ask("decide_snooze", delivery.snoozes + 1, delay)
        return Dead(_reason(detail)) if action == b"dead" else Snooze(float(detail))

    def close(self) -> None:
        """Give the state back."""
        with self._lock:
            self._drop()

    def _ask(self, question: str, *arguments: Any) -> tuple[Any, ...]:
        with self._lock:
            for own in (True, False):
                if self._state is None:
                    self._state = self._make_state(own)
                    numbers = self.options.model_dump(exclude={"policy"})
                    self._state.use_policy(*numbers.values())
                try:
                    answer = getattr(self._state, question)(*arguments)
                except (Stopped, ScriptFault) as problem:
                    _log.error("the queue's own retry policy was stopped: %s", problem)
                    self._drop()
                else:
                    if self._state.spent or not own:
                        self._drop()
                    return answer if isinstance(answer, tuple) else (answer,)
        # A policy that cannot be asked must not lose the message, nor hold up the queue.
        return (b"retry", self.options.max_delay)

    def _drop(self) -> None:
        if self._state is not None:
            self._state.close()
            self._state = None


def _reason(detail: bytes) -> DeadReason:
    return cast(DeadReason, detail.decode())
