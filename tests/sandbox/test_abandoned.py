"""A worker that sits in C where no hook reaches it is given up; what only waits is not."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from moonq.errors import StopTimeout
from moonq.host import Host
from moonq.kinds import load
from moonq.sandbox import watchdog

ENTRIES = """
namespace: app
entries:
  - {name: memory, kind: queue.driver.memory}
  - name: tasks
    kind: queue.queue
    driver: memory
    retry: {max_attempts: 1, %(retry)s}
  - name: worker
    kind: queue.consumer
    queue: tasks
    func: handler
    concurrency: %(concurrency)s
    prefetch: %(concurrency)s
    timeout: %(timeout)s
  - name: handler
    kind: function.lua
    source: file://handler.lua
    modules: [funcs, time, queue]
  - {name: endless, kind: function.lua, source: "return function() while true do end end"}
  - {name: endless_file, kind: function.lua, source: "while true do end"}
"""
# One rehash of a table whose keys all fall on one place of the new size: seconds of C.
STUCK = """
return function(body)
  local t, size = {}, 1 << 16
  for index = 1, body == "stuck" and size // 2 + 1 or 0 do
    t[index * (size - 1)] = true
  end
end
"""
MakeHost = Callable[..., Host]


@pytest.fixture
def make_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeHost]:
    monkeypatch.setattr(watchdog, "ABANDON_AFTER", 0.3)
    made: list[Host] = []

    def make(
        handler: str,
        *,
        retry: str = "initial_delay: 100ms",
        concurrency: int = 1,
        timeout: str = "100ms",
    ) -> Host:
        text = ENTRIES % {"retry": retry, "concurrency": concurrency, "timeout": timeout}
        (tmp_path / "_index.yaml").write_text(text)
        (tmp_path / "handler.lua").write_text(handler)
        host = Host(load(tmp_path))
        made.append(host)
        host.start()
        return host

    yield make
    for host in made:
        with suppress(StopTimeout):
            host.stop(timeout=1)


def publish(host: Host, *bodies: str) -> None:
    for body in bodies:
        host.queues.publish(b"app:tasks", json.dumps(body).encode())


def until(holds: Callable[[], bool], limit: float = 15.0) -> None:
    deadline = time.monotonic() + limit
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        pause.wait(0.005)


def last_errors(host: Host) -> list[str]:
    """Kind and text of each dead letter's last error."""
    letters = host.queues.route("app:tasks.dead").driver.peek("app:tasks.dead", 100).items
    errors = [letter.errors[-1] for letter in letters]
    return [f"{error.kind} {error.message}" for error in errors]


def test_a_worker_stuck_in_c_is_given_up_and_replaced(
    make_host: MakeHost, caplog: pytest.LogCaptureFixture
) -> None:
    host = make_host(STUCK)
    publish(host, "stuck", "fine")
    consumer = host.consumers["app:worker"]
    until(lambda: consumer.acked() == 1)
    assert last_errors(host) == ["TIMEOUT stopped after 100ms (timeout)"]
    assert consumer.status().abandoned == host.metrics.get("abandoned", "app:worker") == 1
    assert consumer.status().healthy
    assert [
        record.levelno for record in caplog.records if "was abandoned" in record.getMessage()
    ] == [logging.ERROR]


def test_three_abandoned_workers_turn_health_red(make_host: MakeHost) -> None:
    host = make_host(STUCK, concurrency=3)
    publish(host, "stuck", "stuck", "stuck")
    consumer = host.consumers["app:worker"]
    until(lambda: consumer.status().abandoned == 3)
    assert not consumer.status().healthy
    publish(host, "fine")
    until(lambda: consumer.acked() == 1)


def test_one_that_a_stop_could_not_cut_off_costs_its_message_no_attempt(
    make_host: MakeHost,
) -> None:
    host = make_host(STUCK, timeout="1m")
    publish(host, "stuck")
    consumer = host.consumers["app:worker"]
    until(lambda: bool(consumer.running()))
    with pytest.raises(StopTimeout):
        host.stop(timeout=0.05)
    assert consumer.status().abandoned == 1
    report = host.report()
    assert (report.handed_back, report.retried, report.dead) == (1, 0, 0)


def test_a_policy_that_never_ends_does_not_hold_up_the_watchdog(make_host: MakeHost) -> None:
    host = make_host(STUCK, retry="policy: endless")
    publish(host, "stuck", "fine")
    until(lambda: host.consumers["app:worker"].acked() == 1)
    assert last_errors(host) == ["TIMEOUT stopped after 100ms (timeout)"]


@pytest.mark.parametrize(
    "handler",
    [
        "local time = require('time') return function() time.sleep('1h') end",
        "local time = require('time') return function() while true do time.sleep('1h') end end",
        "local funcs = require('funcs') return function() funcs.call('app:endless') end",
        "local funcs = require('funcs') return function() funcs.call('app:endless_file') end",
    ],
)
def test_a_handler_that_waits_is_stopped_and_not_given_up(
    make_host: MakeHost, handler: str
) -> None:
    host = make_host(handler)
    publish(host, "any")
    until(lambda: bool(last_errors(host)))
    assert last_errors(host) == ["TIMEOUT stopped after 100ms (timeout)"]
    assert host.consumers["app:worker"].status().abandoned == 0


def test_the_watchdog_outlives_whoever_fails_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "ABANDON_AFTER", 0.05)
    told = threading.Event()
    failures: list[object] = []

    def fail() -> None:
        told.set()
        raise ValueError("no")

    monkeypatch.setattr(threading, "excepthook", failures.append)
    guard = watchdog.Guard(None, fail)
    watchdog.WATCHDOG.add(guard)
    guard.begin(0.01)
    assert told.wait(5)
    guard.end()
    watchdog.WATCHDOG.remove(guard)
    other = watchdog.Guard(None, lambda: None)
    watchdog.WATCHDOG.add(other)
    other.begin(0.01)
    until(other.is_over)
    assert other.end() == "timeout"
    watchdog.WATCHDOG.remove(other)
