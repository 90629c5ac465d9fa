"""A run that ends when all is done: what it waits for, what it says, when it gives up."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from moonq.clock import ManualClock
from moonq.errors import IdleTimeout, MoonqError, Refused, Unavailable, Unsupported
from moonq.host import Host
from moonq.kinds import load
from moonq.model import UNCOUNTED, QueueInfo
from moonq.run.patience import Left, Patience

from .conftest import MakeHost

JOBS = """
  - {name: jobs, kind: queue.queue, driver: memory}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work}
  - {name: work, kind: function.lua, source: file://work.lua}
"""


def wait(host: Host, limit: float | None = None) -> list[str]:
    """Wait until *host* is idle; what was said meanwhile."""
    said: list[str] = []
    host.wait(threading.Event(), until_idle=True, told=said.append, idle_timeout=limit)
    return said


@pytest.mark.parametrize(
    ("left", "due_in", "text"),
    [
        (Left(delayed=1), 479.2, "waiting: 1 delayed, next in 8m"),
        (Left(delayed=2), -3.0, "waiting: 2 delayed, next in 1s"),
        (Left(ready=3, paused=("app:orders",)), None, "waiting: 3 ready, app:orders is paused"),
        (Left(down=("app:db", "app:jobs")), None, "waiting: app:db is not up, app:jobs is not up"),
        (
            Left(down=("app:db", *"abcd")),
            None,
            "waiting: app:db is not up, a is not up, b is not up, 2 more are not up",
        ),
        (Left(uncounted=("app:q",)), None, "waiting: app:q cannot count its messages"),
    ],
)
def test_what_is_waited_for_is_one_line(left: Left, due_in: float | None, text: str) -> None:
    assert left.text(due_in) == text
    assert not left.is_nothing


def test_it_is_said_once_when_nothing_has_moved_for_a_second() -> None:
    clock, said = ManualClock(), list[str]()
    patience = Patience(clock, said.append, limit=None)
    for progress in (1, 1, 1, 1, 2, 2, 2):
        patience.look(Left(delayed=1), progress, lambda: 60.0)
        clock.advance(0.6)
    assert said == ["waiting: 1 delayed, next in 1m"] * 2


def test_what_runs_is_waited_for_without_a_word_and_without_a_limit() -> None:
    clock, said = ManualClock(), list[str]()
    patience = Patience(clock, said.append, limit=5.0)
    for _ in range(10):
        patience.look(Left(running=1), 0, lambda: None)
        clock.advance(60)
    assert said == []


def test_back_off_is_told_and_ends_at_the_idle_timeout(make_host: MakeHost) -> None:
    host = make_host(JOBS, work="return function() return nil, 'no' end")
    host.queues.publish(b"app:jobs", b"1", False, 0, 1, b"delay", 500)
    with pytest.raises(IdleTimeout) as raised:
        wait(host, 0.2)
    assert raised.value.message == (
        "nothing has moved for 200ms: waiting: 1 delayed, next in 8m20s"
    )
    assert raised.value.exit_code == 8


def test_a_paused_queue_and_a_paused_consumer_are_named(make_host: MakeHost) -> None:
    host = make_host(JOBS, work="return function() end")
    route = host.queues.route("app:jobs")
    route.driver.pause(route.spec.name)
    host.queues.publish(b"app:jobs", b"1")
    with pytest.raises(IdleTimeout, match="1 ready, app:jobs is paused"):
        wait(host, 0.1)
    host.consumers["app:worker"].pause()
    route.driver.resume(route.spec.name)
    with pytest.raises(IdleTimeout, match="1 ready, app:worker is paused"):
        wait(host, 0.1)
    host.consumers["app:worker"].resume()
    assert wait(host) == []


STORE = """\
namespace: app
entries:
  - {name: db, kind: queue.driver.sqlite, path: q.db, lifecycle: {start_timeout: %s}}
  - {name: jobs, kind: queue.queue, driver: db}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work}
  - {name: work, kind: function.lua, source: "return function() end"}
"""


def test_a_store_that_cannot_be_opened_is_not_idle(tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text(STORE % "100ms")
    (tmp_path / "q.db").mkdir()
    host = Host(load(tmp_path))
    host.start()
    try:
        with pytest.raises(Unavailable, match=r"app:db could not be started: .*q.db") as raised:
            wait(host)
    finally:
        host.stop()
    assert raised.value.exit_code == 5
    assert raised.value.hint


def test_a_store_that_opens_a_little_later_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text(
        (STORE % "30s").replace("30s}", "30s, restart: {initial_delay: 10ms}}")
    )
    (tmp_path / "q.db").mkdir()
    host = Host(load(tmp_path))
    host.start()
    try:
        opened = threading.Timer(0.1, (tmp_path / "q.db").rmdir)
        opened.start()
        wait(host)
        assert host.queues.info("app:jobs").message_count == 0
    finally:
        host.stop()


def test_a_slow_look_does_not_make_the_end_late(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = make_host(JOBS, work="return function() end")
    looks: list[float] = []
    left = host._building.left

    def slow() -> Left:
        looks.append(time.monotonic())
        time.sleep(0.2 if len(looks) == 1 else 0)
        return left()

    monkeypatch.setattr(host._building, "left", slow)
    wait(host)
    assert looks[1] - looks[0] < 2  # and not 20 times as long as the look took


@pytest.mark.parametrize("away", [None, Unavailable("the broker is away")])
def test_a_count_that_is_absent_is_not_taken_for_zero(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch, away: MoonqError | None
) -> None:
    """And what waits for it says so, also where nobody can look what is due next."""
    host = make_host(JOBS, work="return function() end")

    def info(name: str) -> QueueInfo:
        if away is not None:
            raise away
        return UNCOUNTED

    def peek(*asked: object, **more: object) -> object:
        raise away or Unsupported("no peek here")

    driver = host.drivers["app:memory"]
    with monkeypatch.context() as patch:
        patch.setattr(driver, "info", info)
        patch.setattr(driver, "peek", peek)
        with pytest.raises(IdleTimeout, match="app:jobs cannot count its messages"):
            wait(host, 0.2)
    assert wait(host) == []


def test_a_run_ends_at_once_where_the_broker_turns_it_away(
    make_host: MakeHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = make_host(JOBS, work="return function() end")

    def info(name: str) -> QueueInfo:
        raise Refused("no right to count")

    monkeypatch.setattr(host.drivers["app:memory"], "info", info)
    with pytest.raises(Refused):
        wait(host, 5.0)
