"""Contract section 6 when somebody sets the clock: lengths of time stay what they were."""

from __future__ import annotations

from moonq.conformance.case import each, exactly, needs
from moonq.conformance.scene import Scene, ids, retry
from moonq.model import Receipt

HOUR, YEAR = 3600.0, 365 * 86400.0


@needs("delay")
@each("shift", [-HOUR, HOUR, 3 * YEAR])
def a_delay_lasts_as_long_as_was_said(scene: Scene, shift: float) -> None:
    """§6 delay: whatever the wall clock shows meanwhile; it is shown by that clock."""
    consumer = scene.serving("a", delay=3.0)
    scene.clock.shift(shift)
    if scene.keeps("find"):
        assert scene.near(scene.find("a").due, scene.clock.now() + 3)
    scene.almost(3)
    assert consumer.take() == []
    scene.moment()
    assert consumer.finish() == ["a"]


@each("shift", [-HOUR, HOUR])
def a_backoff_lasts_as_long_as_was_said(scene: Scene, shift: float) -> None:
    """§4 backoff: the same."""
    consumer = scene.serving("a")
    consumer.finish(retry(3), limit=1)
    scene.clock.shift(shift)
    scene.almost(3)
    assert consumer.take() == []
    scene.moment()
    assert ids(consumer.take()) == ["a"]


@needs("ttl")
@each("shift", [-HOUR, HOUR])
def a_ttl_lasts_as_long_as_was_said(scene: Scene, shift: float) -> None:
    """§6 ttl: no message expires because of a clock, and none is kept by one."""
    scene.publish("a", "b", ttl=60.0)
    scene.clock.shift(shift)
    scene.later(59)
    (first,) = scene.consumer(prefetch=1).finish(limit=1)
    (other,) = {"a", "b"} - {first}
    scene.later(1)
    assert scene.consumer().finish() == []
    assert scene.reason(other) == "expired"


@exactly("dedup")
@each("shift", [-HOUR, HOUR, -3 * YEAR])
def a_key_is_known_for_its_window(scene: Scene, shift: float) -> None:
    """§6 dedup_window: not longer, and not shorter."""
    scene.publish("a", dedup_key="k")
    scene.clock.shift(shift)
    scene.later(299)
    assert scene.offer("b", dedup_key="k") == Receipt("a", duplicate=True)
    scene.later(1)
    assert scene.offer("c", dedup_key="k") == Receipt("c")


@exactly("dedup", "find")
@needs("durable", "delay")
def a_restart_behind_a_wrong_clock_keeps_no_key_for_years(scene: Scene) -> None:
    """§6 dedup_window: a host that began years ahead leaves nothing behind that lasts so long."""
    scene.clock.shift(3 * YEAR)
    scene.restart()
    scene.publish("key", dedup_key="k")
    scene.publish("late", delay=60.0)
    scene.clock.shift(0)
    scene.restart()
    assert scene.near(scene.find("late").due, scene.clock.now() + 60)
    scene.later(60)
    assert scene.consumer().finish() == ["key", "late"]
    scene.later(240)
    assert scene.offer("again", dedup_key="k") == Receipt("again")


@needs("durable", "delay")
def nothing_is_overtaken_after_the_clock_was_set_back(scene: Scene) -> None:
    """§6 order: what was first is served first, and a delay does not begin anew."""
    scene.publish("first")
    scene.consumer().finish(retry(3), limit=1)
    scene.publish("second")
    scene.clock.shift(-HOUR)
    scene.restart()
    scene.publish("third")
    consumer = scene.consumer()
    assert consumer.finish() == ["second", "third"]
    scene.later(3)
    assert consumer.finish() == ["first"]
