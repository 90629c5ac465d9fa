"""Contract section 9 and the operations on what lies in a queue."""

from __future__ import annotations

from moonq.conformance.scene import BOOM, Scene, dead, ids, near, refused, retry
from moonq.errors import NotFound
from moonq.model import QueueInfo


def every_state_is_counted(scene: Scene) -> None:
    """§9 info: ready, delayed, leased, running, dead, consumers and the age of the oldest."""
    if not scene.promises("exact_info"):
        return
    scene.publish("oldest", "failing", "running", "leased")
    scene.later(5)
    scene.publish("delayed", delay=60.0)
    scene.publish("dying", "b", "c")
    consumer = scene.consumer(prefetch=6)
    consumer.finish(limit=1)
    consumer.finish(retry(60), limit=1)
    consumer.run(1)
    consumer.take(1)
    (dying,) = consumer.run(1)
    consumer.settle(dying, dead())
    scene.later(2)
    scene.publish("late", "later", "latest")
    counted = scene.info()
    assert counted == QueueInfo(
        ready=counted.ready,
        delayed=2,
        leased=counted.leased,
        running=1,
        dead=1,
        consumer_count=1,
        oldest_age=counted.oldest_age,
    )
    assert counted.message_count == 9
    assert counted.leased is not None
    assert 1 <= counted.leased <= 5


def the_sum_of_the_states_is_the_total(scene: Scene) -> None:
    """§9 message_count: ready + delayed + leased + running at every poll."""
    scene.publish(*(f"m{n}" for n in range(13)))
    consumer = scene.consumer(prefetch=10)
    for _ in range(13):
        for delivery in consumer.run(2)[:1]:
            assert scene.info().message_count == 13
            consumer.settle(delivery, retry(1))
        scene.later(0.3)
        assert scene.info().message_count == 13


def the_oldest_age_is_that_of_the_oldest_ready_message(scene: Scene) -> None:
    """§9 oldest_age: absent when nothing is ready."""
    assert scene.info().oldest_age is None
    scene.publish("a")
    scene.later(10)
    scene.publish("b")
    scene.later(5)
    assert near(scene.info().oldest_age, 15)
    scene.consumer(prefetch=1).finish(limit=1)
    assert near(scene.info().oldest_age, 5)
    scene.consumer().finish()
    assert scene.info().oldest_age is None


def the_age_of_a_message_that_came_back_is_counted_from_its_publish(scene: Scene) -> None:
    """§9 oldest_age: a failed message does not get younger."""
    scene.publish("a")
    scene.consumer().finish(retry(1))
    scene.later(10)
    scene.publish("b")
    assert near(scene.info().oldest_age, 10)


def consumers_are_counted(scene: Scene) -> None:
    """§9 consumer_count: those that have not left."""
    first, second = scene.consumer(), scene.consumer()
    assert scene.info().consumer_count == 2
    first.subscription.close(scene.clock.monotonic())
    assert scene.info().consumer_count == 1
    second.subscription.close(scene.clock.monotonic())
    assert scene.info().consumer_count == 0


def peek_changes_nothing(scene: Scene) -> None:
    """§9 peek: not the order, not the attempts, not the counts."""
    if not scene.promises("peek"):
        return
    scene.publish(*"abc")
    before = scene.info()
    assert ids(scene.driver.peek("q", 10)) == ["a", "b", "c"]
    assert ids(scene.driver.peek("q", 2)) == ["a", "b"]
    assert scene.driver.peek("q", 0) == []
    assert scene.info() == before
    taken = scene.consumer().take()
    assert [(d.message.id, d.attempt) for d in taken] == [("a", 1), ("b", 1), ("c", 1)]


def peek_goes_on_behind_an_id(scene: Scene) -> None:
    """§9 peek: page by page."""
    if not scene.promises("peek"):
        return
    scene.publish(*"abcde")
    assert ids(scene.driver.peek("q", 2, after="b")) == ["c", "d"]
    assert scene.driver.peek("q", 2, after="e") == []
    with refused(NotFound, match="'gone'"):
        scene.driver.peek("q", 2, after="gone")


def peek_shows_each_state(scene: Scene) -> None:
    """§9 peek: those at work first, then ready, then delayed by due time; or one state only."""
    if not scene.promises("peek"):
        return
    scene.publish("leased", "running", "failed", "ready")
    consumer = scene.consumer(prefetch=3)
    _leased, running, failed = consumer.take()
    consumer.subscription.start(running)
    consumer.settle(failed, retry(60))
    scene.publish("soon", delay=30.0)
    shown = {stored.message.id: stored.state for stored in scene.driver.peek("q", 10)}
    assert list(shown.items()) == [
        ("running", "running"),
        ("leased", "leased"),
        ("ready", "ready"),
        ("soon", "delayed"),
        ("failed", "delayed"),
    ]
    assert ids(scene.driver.peek("q", 1, state="delayed")) == ["soon"]
    assert ids(scene.driver.peek("q", 9, state="running")) == ["running"]


def a_message_is_found_in_every_state(scene: Scene) -> None:
    """§9 find: with its counters and its errors; nobody finds what is gone."""
    scene.publish("a")
    assert scene.find("a").state == "ready"
    consumer = scene.consumer()
    (delivery,) = consumer.take()
    assert scene.find("a").state == "leased"
    consumer.subscription.start(delivery)
    assert scene.find("a").state == "running"
    consumer.settle(delivery, retry(10))
    stored = scene.find("a")
    assert (stored.state, stored.attempt, stored.errors) == ("delayed", 2, (BOOM,))
    assert near(stored.due, scene.clock.now() + 10)
    scene.later(10)
    consumer.finish()
    assert scene.driver.find("q", "a") is None


def a_purge_drops_ready_and_delayed_and_nothing_at_work(scene: Scene) -> None:
    """§1 I1: an operator's purge, with a count."""
    if not scene.promises("purge"):
        return
    scene.publish("running", "leased", "ready")
    consumer = scene.consumer(prefetch=2)
    running, _ = consumer.take()
    consumer.subscription.start(running)
    scene.publish("delayed", delay=10.0)
    scene.publish("grouped", group="g")
    assert scene.driver.purge("q") == 3
    assert scene.counts() == {"leased": 1, "running": 1}
    assert scene.driver.purge("q") == 0
    assert consumer.settle(running)
    scene.later(60)
    assert scene.consumer().take() == []


def a_purge_by_id_leaves_the_others(scene: Scene) -> None:
    """§1 I1: only what was named."""
    if not scene.promises("purge"):
        return
    scene.publish(*"abcde")
    assert scene.driver.purge("q", ["b", "d", "unknown"]) == 2
    assert scene.driver.purge("q", []) == 0
    assert scene.consumer().finish() == ["a", "c", "e"]


def dead_letters_can_be_purged(scene: Scene) -> None:
    """§4 dead letters: dropped by hand only."""
    if not scene.promises("purge"):
        return
    scene.publish("a", "b")
    scene.consumer().finish(dead())
    assert scene.driver.purge("q.dead", ["a"]) == 1
    assert scene.info().dead == 1
