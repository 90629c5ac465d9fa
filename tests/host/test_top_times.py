from __future__ import annotations

import pytest

from moonq.run.times import Times, merged, quantile, since

from .conftest import MakeHost, until

ENTRIES = """
  - {name: jobs, kind: queue.queue, driver: memory}
  - {name: worker, kind: queue.consumer, queue: jobs, func: work}
  - {name: work, kind: function.lua, source: file://work.lua, modules: [time]}
"""


def counted(*notes: tuple[float, int]) -> Times:
    times = Times()
    for seconds, number in notes:
        times.note(seconds, number)
    return times


@pytest.mark.parametrize("seconds", [0.000004, 0.003, 0.25, 1.0, 59.0, 3000.0])
def test_a_time_comes_back_within_a_tenth(seconds: float) -> None:
    assert quantile(counted((seconds, 1)).pairs(), 0.5) == pytest.approx(seconds, rel=0.1)


def test_times_beyond_the_ends_are_counted_at_the_ends() -> None:
    pairs = counted((0.0, 2), (1e9, 3)).pairs()
    assert [count for _, count in pairs] == [2, 3]


def test_a_quantile_is_what_that_share_stayed_below() -> None:
    pairs = counted((0.001, 94), (0.1, 5), (10.0, 1)).pairs()
    shown = [quantile(pairs, share) for share in (0.5, 0.95, 1.0)]
    assert shown == pytest.approx([0.001, 0.1, 10.0], rel=0.1)
    assert quantile([], 0.95) is None


def test_several_counts_are_one() -> None:
    one, two = counted((0.001, 1)).pairs(), counted((0.001, 2), (0.2, 4)).pairs()
    assert merged([one, two]) == counted((0.001, 3), (0.2, 4)).pairs()


def test_two_readings_tell_what_came_between() -> None:
    times = counted((0.001, 5))
    before = times.pairs()
    times.note(0.2, 3)
    assert since(before, times.pairs()) == counted((0.2, 3)).pairs()
    assert since(times.pairs(), before) == before, "a smaller count is a new beginning"


def test_a_consumer_knows_how_long_its_handler_takes(make_host: MakeHost) -> None:
    work = 'local time = require("time")\nreturn function() time.sleep(0.03) end'
    host = make_host(ENTRIES, work=work)
    host.queues.publish(b"app:jobs", b"1")
    consumer = host.consumers["app:worker"]
    until(lambda: consumer.acked() == 1)
    ((seconds, number),) = consumer.times()
    assert number == 1
    assert 0.025 < seconds < 0.5
    host.stop()
    assert sum(count for _, count in consumer.times()) == 1, "it outlives the worker"
