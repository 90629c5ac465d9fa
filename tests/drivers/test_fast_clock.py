"""The suite in real time, which runs faster: as for a store that has a clock of its own."""

from __future__ import annotations

import threading
import time

import pytest

from moonq.clock import Clock
from moonq.conformance import CASES, holding
from moonq.conformance.fast import FastClock, TooLong
from moonq.drivers.memory.driver import MemoryDriver
from moonq.drivers.pace import FAST, VIRTUAL
from moonq.errors import Unavailable

#: A few short cases of each kind that needs time, for every run of the tests.
FEW = (
    "settling.what_is_put_off_comes_back_in_time_and_is_counted_as_what_it_was[0]",
    "settling.the_first_settle_wins[1][1]",
    "ttl.an_expired_message_is_a_dead_letter_and_never_delivered",
    "ttl.a_message_in_time_is_delivered",
    "delay.a_delayed_message_says_when_it_is_due",
    "overflow.a_publisher_waits_no_longer_than_its_limit",
    "flow.every_waiting_worker_gets_one_of_many[0]",
    "publishing.publishing_waits_for_the_driver_to_come_back",
    "settling.an_acknowledged_message_never_comes_again",
)


def test_time_passes_as_fast_as_it_is_said_to() -> None:
    clock, begun = FastClock(rate=100.0), time.monotonic()
    now, moment = clock.now(), clock.monotonic()
    clock.advance(5.0)
    assert 0.05 <= time.monotonic() - begun < 5.0
    assert clock.monotonic() - moment >= 5.0
    assert clock.now() - now >= 5.0
    condition = threading.Condition()
    with condition:
        assert not clock.wait(condition, 5.0)
    clock.shift(3600.0)
    assert clock.now() - now > 3600.0
    with pytest.raises(TooLong):
        clock.advance(3600.0)


def test_several_cases_are_proved_at_once_and_what_takes_hours_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cases = [case for case in CASES if str(case) in FEW]
    assert len(cases) == len(FEW)
    monkeypatch.setattr(holding, "CASES", cases)
    begun = time.monotonic()
    findings = list(holding.hold(lambda number: MemoryDriver, FAST))
    assert [(str(one.case), one.problem) for one in findings if one.problem] == []
    skipped = {str(one.case) for one in findings if one.skipped}
    assert skipped == {"settling.an_acknowledged_message_never_comes_again"}
    assert sum(one.took for one in findings) > time.monotonic() - begun


def test_a_driver_that_is_late_or_early_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hasty(FastClock):
        def monotonic(self) -> float:
            return 3 * super().monotonic()

    def early(clock: Clock) -> MemoryDriver:
        return MemoryDriver(Hasty())

    monkeypatch.setattr(holding, "CASES", [case for case in CASES if str(case) in FEW])
    failed = {str(one.case) for one in holding.hold(lambda number: early, FAST) if one.problem}
    assert FEW[0] in failed
    assert "ttl.a_message_in_time_is_delivered" in failed


def test_a_driver_scales_what_its_store_measures_on_every_clock_that_it_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    units: set[float] = set()

    class Scaled(MemoryDriver):
        def __init__(self, clock: Clock) -> None:
            super().__init__(clock)
            units.add(1 / clock.rate)

    monkeypatch.setattr(holding, "CASES", [case for case in CASES if str(case) in FEW[:1]])
    assert [one.problem for one in holding.hold(lambda number: Scaled, FAST)] == [""]
    assert units == {1.0, 0.2}


def test_what_fails_on_a_busy_machine_is_tried_once_more_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A driver that fails again has failed; so has one that fails in most cases."""
    made: list[int] = []

    class Moody(MemoryDriver):
        def open(self, on_event: object) -> None:
            made.append(1)
            if len(made) == 1:
                raise Unavailable("not now")
            super().open(lambda event: None)

    monkeypatch.setattr(holding, "CASES", [case for case in CASES if str(case) in FEW[:1]])
    (finding,) = holding.hold(lambda number: Moody, FAST)
    assert finding.problem == ""
    assert "not now" in finding.first
    made.clear()
    assert "not now" in next(holding.hold(lambda number: Moody, VIRTUAL)).problem
    made.clear()
    monkeypatch.setattr(holding, "FEW", 0)
    assert "not now" in next(holding.hold(lambda number: Moody, FAST)).problem


@pytest.mark.slow
def test_the_whole_suite_holds_in_real_time() -> None:
    findings = list(holding.hold(lambda number: MemoryDriver, FAST))
    assert [(str(one.case), one.problem) for one in findings if one.problem] == []
    assert sum(bool(one.skipped) for one in findings) < len(findings) / 10
