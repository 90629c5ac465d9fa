"""The running test as the parts of its world see it: clock, stubs, faults, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from moonq import durations
from moonq.errors import Unsupported
from moonq.model import Delivery, Verdict, Wait
from moonq.run.calling.stubbed import Stub
from moonq.sandbox.lend import text
from moonq.testing.coverage import Hit
from moonq.testing.world.clock import TimeOfTests
from moonq.testing.world.faults import Faults
from moonq.testing.world.ledger import Ledger
from moonq.testing.world.runs import Run


class Returned(NamedTuple):
    """What a handler returned."""

    values: bytes = b""
    """As `lua/run/crossing.lua` writes values; empty for nothing."""
    problem: str = ""
    """What of it JSON cannot carry: then there are no values."""


class Bench:
    """What belongs to one test.

    *answer* calls the function of a stub, *time_left* says how much real time the test has left.
    """

    def __init__(
        self,
        clock: TimeOfTests,
        hit: Hit | None,
        answer: Callable[[int, bytes], bytes],
        time_left: Callable[[], float | None],
    ) -> None:
        self.clock = clock
        self.hit = hit
        """Gathers the lines that run; None without coverage."""
        self.answer = answer
        self.stubs: list[Stub] = []
        self.states: set[Any] = set()
        """The states under test that are open."""
        self.faults = Faults(clock)
        self.ledger = Ledger(clock)
        self.run: Run | None = None
        self._time_left = time_left
        self.refused: list[str] = []
        """What reached for the outside and was not stubbed, in words."""
        self._running = ""
        self._returned = Returned()
        self._ended_at: dict[str, float] = {}

    def is_out_of_time(self) -> bool:
        """Whether the test has no real time left."""
        left = self._time_left()
        return left is not None and left <= 0

    def advance(self, seconds: float) -> None:
        """Let time pass, unless it takes more real time than the test has.

        Raises:
            Unsupported: It does.
        """
        left = self._time_left()
        real = seconds / self.clock.rate
        if left is not None and not self.clock.is_virtual and real > left:
            raise Unsupported(
                f"{durations.show(seconds)} take {durations.show(real)} on the declared drivers,"
                f" and the test has {durations.show(left)} left",
                hint="give it more with --timeout, or wait for less",
            )
        self.clock.advance(seconds)

    def within_test(self, limit: float | None) -> float | None:
        """Return *limit*, or what the test has left where that is less."""
        left = self._time_left()
        if left is None or limit is None:
            return limit if left is None else left
        return min(limit, left)

    def sleep(
        self, seconds: float, began: float, limit: float | None, fire: Callable[[str], object]
    ) -> None:
        """Let time pass on behalf of a handler that *began* then and may take *limit* seconds."""
        left = None if limit is None else began + limit - self.clock.monotonic()
        if left is None or seconds <= left:
            self.advance(seconds)
        else:
            self.advance(left)
            fire("timeout")

    def begun(self, delivery: Delivery) -> None:
        """A handler begins."""
        message, now = delivery.message.id, self.clock.monotonic()
        self._running = message
        if self.run is not None:
            self.run.deliveries += 1
            wait = now - self._ended_at.get(message, now)
            self.run.waits.setdefault(message, []).append(round(wait, 6))

    def ended(self, delivery: Delivery, verdict: Verdict) -> None:
        """A delivery was settled."""
        if not isinstance(verdict, Wait):
            self._ended_at[delivery.message.id] = self.clock.monotonic()
        if self.run is not None:
            self.run.settled(delivery.message.id, verdict)

    def returned(self, values: bytes, problem: bytes) -> None:
        """A handler returned *values*, or something with a *problem*; see `Returned`."""
        self._returned = Returned(values, text(problem))
        if self.run is not None:
            told = {"problem": text(problem)} if problem else {"values": values.decode()}
            self.run.results[self._running] = told

    def take_returned(self) -> Returned:
        """Return what was returned last, and forget it."""
        found, self._returned = self._returned, Returned()
        return found
