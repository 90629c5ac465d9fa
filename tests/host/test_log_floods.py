"""What scripts write into the log is bounded in lines and bytes; what is left out is counted."""

from __future__ import annotations

import logging
import threading

import pytest

from moonq.clock import ManualClock
from moonq.metrics import Metrics
from moonq.run.calling import sinks
from moonq.run.calling.sinks import HostSink, Line
from moonq.run.queues import Queues


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sink(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> HostSink:
    caplog.set_level(logging.INFO)
    return HostSink(Queues(clock, Metrics()), clock)


def line(message: str, entry: str = "app:flooder") -> Line:
    return Line(2, entry, message, b"", entry, {})


def size(caplog: pytest.LogCaptureFixture) -> int:
    return sum(len(message) for message in caplog.messages)


def test_a_worker_writes_a_mebibyte_a_second_and_is_told_what_was_dropped(
    sink: HostSink, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(1000):
        sink.write_log(line("x" * 8000))
    assert 1_000_000 < size(caplog) <= sinks.MAX_BYTES
    written = len(caplog.messages)
    clock.advance(1)
    sink.write_log(line("calm"))
    dropped, calm = caplog.messages[-2:]
    assert dropped == (
        f"{1000 - written} log lines were dropped: more than 1048576 bytes a second from one worker"
    )
    assert calm == "calm"


def test_characters_that_are_written_out_count_as_they_are_written(
    sink: HostSink, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(100):
        sink.write_log(line("\0" * 8000))
    assert size(caplog) * 6 <= sinks.MAX_BYTES


def test_one_worker_does_not_take_the_room_of_another(
    sink: HostSink, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(1000):
        sink.write_log(line("x" * 8000))
    before = size(caplog)
    other = threading.Thread(target=lambda: [sink.write_log(line("y" * 8000)) for _ in range(10)])
    other.start()
    other.join()
    assert size(caplog) - before == 80_000


def test_lines_are_counted_too(
    sink: HostSink, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(6000):
        sink.write_log(line("short"))
    clock.advance(1)
    sink.write_log(line("calm"))
    assert caplog.messages[-2:] == [
        "1000 log lines were dropped: more than 5000 a second",
        "calm",
    ]


def test_denials_of_ever_other_things_fill_no_memory(
    sink: HostSink, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    for second in range(3):
        for number in range(2 * sinks.MAX_SPEAKERS):
            sink.write_denial(line(f"denied: {second} {number}"))
        clock.advance(1)
    assert len(caplog.messages) == 3 * sinks.MAX_SPEAKERS
    assert len(sink._denials._seen) <= sinks.MAX_SPEAKERS
