"""Contract section 6: what goes first, and that nothing starves."""

from __future__ import annotations

from collections import Counter

from moonq.conformance.case import exactly
from moonq.conformance.scene import Scene, ids, retry
from moonq.model import RELEASE, Priority

#: What a driver needs for any of these cases.
NEEDS = ("priority",)
HIGH, NORMAL, LOW = Priority.HIGH, Priority.NORMAL, Priority.LOW


def high_published_last_is_delivered_before_waiting_normal(scene: Scene) -> None:
    """§6 priority: high before normal before low."""
    scene.publish("low", priority=LOW)
    scene.publish("normal")
    scene.publish("high", priority=HIGH)
    assert scene.consumer().finish() == ["high", "normal", "low"]


def one_level_is_served_in_publish_order(scene: Scene) -> None:
    """§6 priority: within a level the order is that of publishing."""
    scene.publish(*"abcdef", priority=HIGH)
    assert scene.consumer(prefetch=2).finish() == list("abcdef")


def levels_are_served_nine_three_one(scene: Scene) -> None:
    """§6 priority: when all wait, in every run of 13."""
    for level in Priority:
        scene.publish(*(f"{level.name} {n}" for n in range(90)), priority=level)
    consumer = scene.consumer(prefetch=1)
    for _ in range(5):
        served = Counter(name.split()[0] for name in consumer.finish(limit=13))
        assert served == {"HIGH": 9, "NORMAL": 3, "LOW": 1}


def two_levels_share_by_their_own_weights(scene: Scene) -> None:
    """§6 priority: a level without messages gives its turns away."""
    scene.publish(*(f"normal {n}" for n in range(40)))
    scene.publish(*(f"low {n}" for n in range(40)), priority=LOW)
    served = Counter(name.split()[0] for name in scene.consumer().finish(limit=40))
    assert served == {"normal": 30, "low": 10}


def a_stream_of_high_does_not_starve_low(scene: Scene) -> None:
    """§6 priority: none starves while high is published without end."""
    consumer = scene.serving("low", priority=LOW, prefetch=1)
    served: list[str] = []
    for number in range(20):
        scene.publish(f"high {number}", f"high {number} too", priority=HIGH)
        served += consumer.finish(limit=1)
    assert "low" in served


def a_failure_keeps_its_priority(scene: Scene) -> None:
    """§6 priority: also after backoff, a hand-back and a redrive."""
    consumer = scene.serving("high", priority=HIGH, prefetch=1)
    consumer.finish(retry(1))
    scene.publish("a", "b")
    scene.later(1)
    (delivery,) = consumer.run()
    assert delivery.message.id == "high"
    consumer.settle(delivery, RELEASE)
    assert ids(consumer.take()) == ["high"]


@exactly("peek")
def peek_shows_the_order_of_delivery(scene: Scene) -> None:
    """§6 priority: what is shown first is delivered first, turns and all."""
    for level in Priority:
        scene.publish(*(f"{level.name} {n}" for n in range(12)), priority=level)
    consumer = scene.consumer(prefetch=1)
    consumer.finish(limit=5)
    shown = ids(scene.peek())
    assert consumer.finish(limit=100) == shown


def high_is_served_first_whenever_it_comes(scene: Scene) -> None:
    """§6 priority: whatever was served before, once nothing competed."""
    consumer = scene.consumer(prefetch=1)
    for turn in range(13):
        scene.publish(*(f"normal {n}" for n in range(turn)))
        scene.publish(*(f"high {n}" for n in range(turn)), priority=HIGH)
        consumer.finish(limit=100)
        scene.publish("normal", "normal")
        consumer.finish(limit=1)
        scene.publish("high", priority=HIGH)
        assert consumer.finish() == ["high", "normal"]
