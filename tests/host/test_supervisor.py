"""Start order, restart with backoff, stop in reverse: with services that do as they are told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from moonq.clock import ManualClock
from moonq.errors import Invalid, Refused, StopTimeout, Unavailable
from moonq.registry.common import Lifecycle, Restart
from moonq.run.supervisor import Managed, ServiceStatus, Supervisor

from .conftest import until


class Service:
    """Writes into *diary* what is asked of it; fails as often as *failures* says."""

    def __init__(self, name: str, diary: list[str], failures: int = 0) -> None:
        self.name = name
        self.diary = diary
        self.failures = failures
        self.problem: Exception = Unavailable("the broker is away")
        self.slow_to_stop = False

    def start(self) -> None:
        if self.failures:
            self.failures -= 1
            self.diary.append(f"{self.name} fails")
            raise self.problem
        self.diary.append(f"{self.name} starts")

    def stop(self, timeout: float | None) -> None:
        self.diary.append(f"{self.name} stops")
        if self.slow_to_stop:
            raise StopTimeout(f"{self.name} is slow")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def supervisor(clock: ManualClock) -> Iterator[Supervisor]:
    made = Supervisor(clock)
    yield made
    made.stop_all()


STEADY = Restart(initial_delay=1, max_delay=8, backoff_factor=2, jitter=0)


def manage(
    supervisor: Supervisor,
    service: Service,
    *depends_on: str,
    restart: Restart = STEADY,
) -> Managed:
    managed = Managed(service.name, "test", service, depends_on, Lifecycle(restart=restart))
    supervisor.add(managed)
    return managed


def test_services_start_in_order_and_stop_in_reverse(supervisor: Supervisor) -> None:
    diary: list[str] = []
    for name in ("driver", "queue", "consumer"):
        manage(supervisor, Service(name, diary))
    told: list[ServiceStatus] = []
    supervisor.start_all(told.append)
    supervisor.stop_all()
    assert [status.id for status in told] == ["driver", "queue", "consumer"]
    assert diary == [
        "driver starts",
        "queue starts",
        "consumer starts",
        "consumer stops",
        "queue stops",
        "driver stops",
    ]


def test_a_failure_that_will_not_pass_stops_what_was_started(supervisor: Supervisor) -> None:
    diary: list[str] = []
    manage(supervisor, Service("driver", diary))
    bad = Service("queue", diary, failures=1)
    bad.problem = Invalid("no such option")
    manage(supervisor, bad)
    manage(supervisor, Service("consumer", diary))
    with pytest.raises(Invalid):
        supervisor.start_all(lambda _: None)
    assert diary == ["driver starts", "queue fails", "driver stops"]


def test_a_broker_that_is_away_is_asked_again_and_what_needs_it_waits(
    supervisor: Supervisor, clock: ManualClock
) -> None:
    diary: list[str] = []
    manage(supervisor, Service("driver", diary, failures=3))
    consumer = manage(supervisor, Service("consumer", diary), "driver")
    told: list[ServiceStatus] = []
    supervisor.start_all(told.append)
    assert [status.state for status in told] == ["waiting", "waiting"]
    for delay in (1, 2, 4):
        seen = len(diary)
        clock.advance(delay - 0.01)
        assert len(diary) == seen
        clock.advance(0.02)
        until(lambda seen=seen: len(diary) > seen)
    until(lambda: consumer.state == "running")
    starts = [line for line in diary if not line.endswith("stops")]
    assert starts == ["driver fails"] * 3 + ["driver starts", "consumer starts"]


def test_a_service_that_its_broker_turns_away_is_not_tried_again(
    supervisor: Supervisor, clock: ManualClock
) -> None:
    diary: list[str] = []
    driver = Service("driver", diary)
    managed = manage(supervisor, driver)
    supervisor.start_all(lambda _: None)
    driver.failures, driver.problem = 9, Refused("wrong password", hint="see to `password`")
    supervisor.failed("driver", Unavailable("the connection is gone"))
    clock.advance(1)
    until(lambda: managed.state == "failed")
    clock.advance(1000)
    assert diary == ["driver starts", "driver stops", "driver fails"]
    with pytest.raises(Unavailable, match="wrong password"):
        supervisor.check()


def test_a_host_whose_broker_turns_it_away_does_not_start(supervisor: Supervisor) -> None:
    diary: list[str] = []
    driver = Service("driver", diary, failures=9)
    driver.problem = Refused("wrong password")
    manage(supervisor, driver)
    with pytest.raises(Refused):
        supervisor.start_all(lambda _: None)
    assert diary == ["driver fails"]


def test_a_service_that_fails_later_is_started_again(
    supervisor: Supervisor, clock: ManualClock
) -> None:
    diary: list[str] = []
    managed = manage(supervisor, Service("consumer", diary))
    supervisor.start_all(lambda _: None)
    supervisor.failed("consumer", RuntimeError("no state"))
    assert managed.state == "waiting"
    clock.advance(1.1)
    until(lambda: managed.state == "running")
    assert diary == ["consumer starts", "consumer stops", "consumer starts"]


def test_a_failure_reported_by_a_stopped_service_changes_nothing(supervisor: Supervisor) -> None:
    managed = manage(supervisor, Service("consumer", []))
    supervisor.start_all(lambda _: None)
    supervisor.stop("consumer")
    supervisor.failed("consumer", RuntimeError("too late"))
    assert managed.state == "stopped"


def test_running_well_for_a_while_forgets_old_failures(
    supervisor: Supervisor, clock: ManualClock
) -> None:
    managed = manage(supervisor, Service("consumer", []))
    supervisor.start_all(lambda _: None)
    for _ in range(4):
        clock.advance(managed.lifecycle.stable_threshold + 1)
        supervisor.failed("consumer", RuntimeError("again"))
        assert managed.failures == 1
        clock.advance(1.1)
        until(lambda: managed.state == "running")


def test_a_service_is_given_up_after_max_attempts(
    supervisor: Supervisor, clock: ManualClock
) -> None:
    diary: list[str] = []
    policy = STEADY.model_copy(update={"max_attempts": 2})
    managed = manage(supervisor, Service("driver", diary, failures=99), restart=policy)
    supervisor.start_all(lambda _: None)
    for _ in range(2):
        clock.advance(10)
        until(lambda: managed.state == "failed" or managed.due > clock.monotonic())
    until(lambda: managed.state == "failed")
    assert diary.count("driver fails") == 3


def test_no_wait_is_longer_than_max_delay_and_jitter_stays_in_its_share() -> None:
    policy = Restart(initial_delay=1, max_delay=90, backoff_factor=2, jitter=0.1, max_attempts=0)
    assert policy.delay(1, 0.5) == 1
    assert policy.delay(4, 0.5) == 8
    assert policy.delay(1000, 0.5) == 90
    assert policy.delay(1, 0.0) == pytest.approx(0.9)
    assert policy.delay(1, 1.0) == pytest.approx(1.1)


def test_a_slow_service_does_not_keep_the_others_from_stopping(supervisor: Supervisor) -> None:
    diary: list[str] = []
    manage(supervisor, Service("driver", diary))
    slow = Service("consumer", diary)
    slow.slow_to_stop = True
    manage(supervisor, slow)
    supervisor.start_all(lambda _: None)
    problems = supervisor.stop_all()
    assert [str(problem) for problem in problems] == ["consumer is slow"]
    assert diary[-1] == "driver stops"
