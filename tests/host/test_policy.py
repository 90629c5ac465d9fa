"""What Lua makes of a delivery, as consumers and dry runs ask it; see `verdict_test.lua`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as some

from moonq.clock import ManualClock
from moonq.host import Host
from moonq.kinds import load
from moonq.model import ACK, Delivery, ErrorRecord, Interrupt, Message, Retry, Snooze, Wait
from moonq.run.judgement import ACKED, RETURNED, Event
from moonq.run.policy import Policy, RetryOptions
from moonq.sandbox.state import Fault, Limits, LuaState

CLOCK = ManualClock()
MESSAGE = Message("a", b"", 0.0)
FAILED = Event("failed", Fault("TIMEOUT", "bank is down", None, "charge.lua:3"))


def policy(make: Callable[[bool], LuaState] | None = None, **retry: Any) -> Policy:
    queue = {
        **RetryOptions(**retry).model_dump(exclude={"policy"}),
        "function": "app:charge",
        **Limits()._asdict(),
    }
    return Policy(queue, make or (lambda _: LuaState({})), CLOCK, logger="app:worker")


def test_the_defaults_ride_out_an_hour_and_still_reach_a_human_the_same_day() -> None:
    assert RetryOptions().model_dump() == {
        "max_attempts": 10,
        "max_interruptions": 5,
        "initial_delay": 2.0,
        "factor": 3.0,
        "max_delay": 900.0,
        "jitter": 0.2,
        "policy": None,
    }


def test_a_failure_is_remembered_with_the_place_where_it_was_raised() -> None:
    judge = policy(jitter=0)
    error = ErrorRecord(CLOCK.now(), "TIMEOUT", "bank is down", "charge.lua:3")
    assert judge.judge(Delivery(MESSAGE, None), FAILED).verdict == Retry(2.0, error)
    judge.close()


def test_an_interruption_is_counted_and_then_waits_for_what_is_left_of_its_delay() -> None:
    judge = policy(max_interruptions=2)
    fresh = Delivery(MESSAGE, None)
    error = ErrorRecord(CLOCK.now(), "INTERNAL", "it ended")
    event = Event("interrupted", Fault("INTERNAL", "it ended"))
    assert judge.judge(fresh, event).verdict == Interrupt(error)
    just_now = fresh._replace(interruptions=1, lost_at=CLOCK.now() - 0.25)
    assert judge.judge(just_now, RETURNED).verdict == Wait(0.75)
    long_ago = just_now._replace(lost_at=CLOCK.now() - 60)
    assert judge.judge(long_ago, RETURNED).verdict is None
    too_often = judge.judge(long_ago._replace(interruptions=2), RETURNED)
    assert (too_often.action, too_often.reason) == ("dead", "interrupted")
    judge.close()


def refuse(_: bool) -> NoReturn:
    raise MemoryError("no state")


def test_an_ack_asks_nobody() -> None:
    judgement = policy(refuse).judge(Delivery(MESSAGE, None), Event("ack"))
    assert (judgement, judgement.verdict) == (ACKED, ACK)


@pytest.mark.parametrize("event", [FAILED, RETURNED, Event("nonsense"), Event("snooze")])
def test_what_lua_cannot_judge_comes_again_after_the_longest_delay(
    event: Event, caplog: pytest.LogCaptureFixture
) -> None:
    make = None if event.what == "nonsense" else refuse
    judge = policy(make, max_delay=60)
    verdict = judge.judge(Delivery(MESSAGE, None), event).verdict
    assert isinstance(verdict, Retry)
    assert verdict.delay == 60
    assert verdict.error == ErrorRecord(CLOCK.now(), *event.fault[:2], event.fault.traceback)
    (*_, last) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert last.getMessage() == "the failure could not be judged: again in 1m"
    assert (last.name, last.__dict__["message_id"]) == ("app:worker", "a")


def test_what_is_broken_in_the_queues_own_policy_is_no_reason_to_lose_a_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    judge = policy(lambda own: refuse(own) if own else LuaState({}), jitter=0)
    assert judge.judge(Delivery(MESSAGE, None), FAILED).delay == 2.0
    assert "the retry policy was stopped: no state" in caplog.text


delays = some.floats(0.1, 3600)
retries = some.fixed_dictionaries(
    {
        "initial_delay": delays,
        "max_delay": some.floats(3600, 7200),
        "factor": some.floats(1, 1000),
        "jitter": some.floats(0, 1),
    }
)
events = some.builds(
    Event,
    some.sampled_from(["failed", "timeout", "memory", "nack", "retry", "snooze"]),
    fault=some.just(Fault("UNKNOWN", "no")),
    delay=some.none() | some.floats(0, 0.2),
)


@given(retries, events, some.integers(1, 9))
def test_nothing_that_failed_comes_back_within_a_tenth_of_a_second(
    retry: dict[str, float], event: Event, attempt: int
) -> None:
    """§1 I4: only a hand-back may be sooner; drivers keep the delay that they are given."""
    judge = policy(**retry)
    verdict = judge.judge(Delivery(MESSAGE, None, attempt), event).verdict
    judge.close()
    assert isinstance(verdict, Retry | Snooze)
    assert verdict.delay >= 0.1


PROJECT = """\
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: quick, kind: queue.queue, driver: mem, retry: {initial_delay: 5s, max_attempts: 3}}
  - {name: last, kind: queue.queue, driver: mem, retry: {max_attempts: 1}}
  - {name: one, kind: function.lua, source: "return function() return false end"}
  - {name: two, kind: function.lua, source: "return function() return false end"}
  - {name: none, kind: function.lua, source: "return function() return false end"}
  - {name: a, kind: queue.consumer, queue: quick, func: one}
  - {name: b, kind: queue.consumer, queue: quick, func: two}
  - {name: c, kind: queue.consumer, queue: last, func: two}
"""


@pytest.mark.parametrize(
    ("function", "consumer", "told"),
    [
        ("one", "", {"verdict": "retry", "delay": 5.0, "reason": ""}),
        ("two", "app:b", {"verdict": "retry", "delay": 5.0, "reason": ""}),
        ("two", "app:c", {"verdict": "dead", "delay": None, "reason": "max_attempts"}),
        ("none", "", {"verdict": "retry", "delay": 2.0, "reason": ""}),
    ],
)
def test_a_dry_run_tells_what_the_queue_would_do(
    tmp_path: Path, function: str, consumer: str, told: dict[str, object]
) -> None:
    """The queue of the consumer that is named, or of the only one; without any, the defaults."""
    (tmp_path / "_index.yaml").write_text(PROJECT)
    host = Host(load(tmp_path))
    result = host.call(f"app:{function}", "1", as_message=True, send=False, consumer=consumer)
    assert result.verdict is not None
    assert result.verdict.told() == told
