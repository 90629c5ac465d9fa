"""A host that gets no further thread does with those it has, says so, and tries again."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from moonq.host import Host
from moonq.kinds import load
from moonq.log.outlet import Outlet
from moonq.operations import overview
from moonq.run import consumer as running
from moonq.sandbox.watchdog import ABANDON_AFTER, Guard, Watchdog

from .conftest import until

INDEX = """
namespace: app
entries:
  - {name: mem, kind: queue.driver.memory}
  - {name: tasks, kind: queue.queue, driver: mem}
  - {name: work, kind: function.lua, modules: [time], source: "SOURCE"}
  - name: worker
    kind: queue.consumer
    queue: tasks
    func: work
    concurrency: 4
    prefetch: 8
    lifecycle: {restart: {initial_delay: 10ms, max_delay: 10ms}}
"""
SLOW = "local time = require('time') return function() time.sleep('20ms') end"
Refuse = Callable[[Callable[[str], bool]], None]


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """Let no thread start whose name fits."""
    start = threading.Thread.start
    fits: list[Callable[[str], bool]] = [lambda _: False]

    def tried(thread: threading.Thread) -> None:
        if fits[0](thread.name):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", tried)

    def change(which: Callable[[str], bool]) -> None:
        fits[0] = which

    return change


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    (tmp_path / "_index.yaml").write_text(INDEX.replace("SOURCE", SLOW))
    host = Host(load(tmp_path))
    yield host
    assert host.stop().unfinished == ()


def publish(host: Host, count: int) -> None:
    for _ in range(count):
        host.queues.publish(b"app:tasks", b"1")


def is_done(host: Host) -> bool:
    return not host.queues.info("app:tasks").message_count


def told(host: Host) -> dict[str, object]:
    return overview.consumers(host, None)[0]


def test_workers_that_cannot_start_are_told_of_once_and_tried_again(
    host: Host, refuse: Refuse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(running, "AGAIN", 0.0)
    refuse(lambda name: name.startswith("app:worker#") and name != "app:worker#1")
    host.start()
    publish(host, 10)
    until(lambda: is_done(host))
    lines = [one.getMessage() for one in caplog.records if one.name == "app:worker"]
    assert len(lines) == 1
    assert lines[0].startswith("1 of 4 workers: the system lets this process have no thread more")
    assert told(host)["problem"] == told(host)["shortage"]
    assert told(host)["workers"] == 1
    refuse(lambda _: False)
    publish(host, 20)
    until(lambda: is_done(host))
    assert "shortage" not in told(host)
    assert "problem" not in told(host)


def test_a_consumer_without_any_worker_is_started_again(host: Host, refuse: Refuse) -> None:
    refuse(lambda name: name.startswith("app:worker#"))
    host.start()
    publish(host, 3)
    assert "no thread more" in str(told(host)["problem"])
    until(lambda: host.supervisor._services["app:worker"].failures > 3)
    refuse(lambda _: False)
    until(lambda: is_done(host))
    assert told(host)["state"] == "running"


def test_the_last_worker_that_dies_without_a_successor_is_started_again(
    host: Host, refuse: Refuse, caplog: pytest.LogCaptureFixture
) -> None:
    host.start()
    refuse(lambda name: name.startswith("app:worker#"))
    caplog.set_level(logging.CRITICAL, "app:worker")
    [worker] = host.consumers["app:worker"]._workers
    worker.handle = None  # type: ignore[assignment, method-assign]
    publish(host, 1)
    until(lambda: host.supervisor._services["app:worker"].failures > 3)
    refuse(lambda _: False)
    until(lambda: is_done(host))


def test_a_host_that_could_start_nothing_again_does_not_start(host: Host, refuse: Refuse) -> None:
    refuse(lambda name: name == "moonq-supervisor")
    with pytest.raises(Exception, match="the system lets this process have no thread more"):
        host.start()
    refuse(lambda _: False)


def test_a_watchdog_that_got_no_thread_gets_one_with_the_next_state(refuse: Refuse) -> None:
    watchdog, guard = Watchdog(), Guard(None, lambda: None)
    refuse(lambda name: name == "moonq-watchdog")
    with pytest.raises(Exception, match="no thread more"):
        watchdog.add(guard)
    refuse(lambda _: False)
    guard.begin(0.0)
    watchdog.add(guard)
    until(guard.is_over)
    watchdog.remove(guard)


def test_an_abandoned_worker_is_told_of_when_there_is_a_thread_for_it(refuse: Refuse) -> None:
    told = threading.Event()
    guard = Guard(None, told.set)
    guard.begin(0.0)
    guard.fire("timeout")
    assert guard.fired_at is not None
    late = guard.fired_at + ABANDON_AFTER + 1
    refuse(lambda name: name == "moonq-abandoned")
    guard.look(late)
    assert not told.is_set()
    refuse(lambda _: False)
    guard.look(late)
    assert told.wait(5)


def test_a_stream_without_a_thread_is_written_at_its_end(refuse: Refuse) -> None:
    reading, writing = os.pipe()
    refuse(lambda name: name == "moonq-log")
    stream = Outlet(writing)
    stream.write("one\n")
    stream.write("two\n")
    stream.end()
    os.close(writing)
    with os.fdopen(reading) as file:
        assert file.read() == "one\ntwo\n"
