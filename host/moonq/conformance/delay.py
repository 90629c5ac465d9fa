"""Contract section 6: not too early."""

from __future__ import annotations

from moonq.conformance.case import each, exactly
from moonq.conformance.scene import Scene, Worker, ids

#: What a driver needs for any of these cases.
NEEDS = ("delay",)


@each("delay", [0.1, 5.0, 3600.0, 365 * 86400.0])
def a_delayed_message_is_never_early(scene: Scene, delay: float) -> None:
    """§6 delay: never early, at most a second late, from a tenth of a second to a year."""
    consumer = scene.serving("a", delay=delay)
    if delay > scene.pace.grain:
        scene.almost(delay)
        assert consumer.take() == []
    scene.later(min(delay, scene.pace.grain))
    assert ids(consumer.take()) == ["a"]


def delayed_messages_come_in_the_order_of_their_due_times(scene: Scene) -> None:
    """§6 delay: 5, 1 and 3 seconds come as 1, 3 and 5."""
    for delay in (5.0, 1.0, 3.0):
        scene.publish(f"after {delay:.0f}", delay=delay)
    scene.later(10)
    assert scene.consumer().finish() == ["after 1", "after 3", "after 5"]


def a_delay_in_the_past_is_no_delay(scene: Scene) -> None:
    """§6 at: a moment that is over means now."""
    scene.publish("a", delay=-60.0)
    assert scene.consumer().finish() == ["a"]


def a_delayed_message_holds_no_buffer_slot(scene: Scene) -> None:
    """§6 delay: prefetch 1 and a delayed message leave room for the next one."""
    scene.publish("late", delay=10.0)
    consumer = scene.serving("now", prefetch=1)
    assert ids(consumer.take()) == ["now"]
    assert scene.counts() == {"delayed": 1, "leased": 1}


@exactly("find")
def a_delayed_message_says_when_it_is_due(scene: Scene) -> None:
    """§6 delay: the time is shown in seconds since the epoch."""
    scene.publish("a", delay=60.0)
    stored = scene.find("a")
    assert stored.state == "delayed"
    assert scene.near(stored.due, scene.clock.now() + 60)


@each("waits_first", [True, False])
def a_waiting_worker_wakes_when_a_delay_is_over(scene: Scene, waits_first: bool) -> None:
    """§6 delay: no other publish is needed for it, whichever of the two came first."""
    consumer = scene.consumer()
    worker = Worker(consumer, 60.0) if waits_first else None
    scene.publish("a", delay=5.0)
    worker = worker or Worker(consumer, 60.0)
    scene.later(5)
    assert worker.took() == ["a"]


def an_earlier_delay_overtakes_the_one_a_worker_waits_for(scene: Scene) -> None:
    """§6 delay: the wait is shortened when something is due sooner."""
    consumer = scene.serving("late", delay=50.0)
    worker = Worker(consumer, 60.0)
    scene.publish("soon", delay=1.0)
    scene.later(1)
    assert worker.took() == ["soon"]
