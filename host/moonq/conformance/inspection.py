"""Contract section 9 and the operations on what lies in a queue."""

from __future__ import annotations

from typing import Any

from moonq.conformance.case import each, exactly, needs
from moonq.conformance.scene import BOOM, Scene, dead, ids, refused, retry
from moonq.errors import NotFound
from moonq.model import Priority, QueueInfo


@exactly("exact_info")
def every_state_is_counted(scene: Scene) -> None:
    """§9 info: ready, delayed, leased, running, dead, consumers and the age of the oldest."""
    scene.publish("oldest", "failing", "running", "leased")
    scene.later(5)
    scene.publish("delayed", delay=60.0)
    consumer = scene.serving("dying", "b", "c", prefetch=6)
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
        bytes=counted.bytes,
        dead_bytes=counted.dead_bytes,
    )
    assert counted.message_count == 9
    assert counted.leased is not None
    assert 1 <= counted.leased <= 5


def the_sum_of_the_states_is_the_total(scene: Scene) -> None:
    """§9 message_count: ready + delayed + leased + running at every poll."""
    consumer = scene.serving(*(f"m{n}" for n in range(13)), prefetch=10)
    for _ in range(13):
        for delivery in consumer.run(2)[:1]:
            assert scene.info().message_count == 13
            consumer.settle(delivery, retry(1))
        scene.later(0.3)
        assert scene.info().message_count == 13


@exactly("exact_info")
def the_oldest_age_is_that_of_the_oldest_ready_message(scene: Scene) -> None:
    """§9 oldest_age: absent when nothing is ready."""
    assert scene.info().oldest_age is None
    scene.publish("a")
    scene.later(10)
    scene.publish("b")
    scene.later(5)
    assert scene.near(scene.info().oldest_age, 15)
    scene.consumer(prefetch=1).finish(limit=1)
    assert scene.near(scene.info().oldest_age, 5)
    scene.consumer().finish()
    assert scene.info().oldest_age is None


def the_age_of_a_message_that_came_back_is_counted_from_its_publish(scene: Scene) -> None:
    """§9 oldest_age: a failed message does not get younger."""
    scene.publish("a")
    scene.consumer().finish(retry(1), limit=1)
    scene.later(10)
    scene.publish("b")
    assert scene.near(scene.info().oldest_age, 10)


def consumers_are_counted(scene: Scene) -> None:
    """§9 consumer_count: those that have not left."""
    first, second = scene.consumer(), scene.consumer()
    assert scene.info().consumer_count == 2
    first.subscription.close(scene.clock.monotonic())
    assert scene.info().consumer_count == 1
    second.subscription.close(scene.clock.monotonic())
    assert scene.info().consumer_count == 0


@exactly("peek")
def peek_changes_nothing(scene: Scene) -> None:
    """§9 peek: not the order, not the attempts, not the counts."""
    scene.publish(*"abc")
    before = scene.shown()
    assert ids(scene.peek()) == ["a", "b", "c"]
    assert ids(scene.peek(limit=2)) == ["a", "b"]
    assert scene.peek(limit=0) == []
    assert scene.shown() == before
    taken = scene.consumer().take()
    assert [(d.message.id, d.attempt) for d in taken] == [("a", 1), ("b", 1), ("c", 1)]


def _in_all_places(scene: Scene) -> None:
    """Messages at work, of each priority, behind their group, and delayed: 36 in all."""
    consumer = scene.serving(*(f"work {n}" for n in range(6)), prefetch=4)
    for delivery in consumer.run(2):
        consumer.settle(delivery, retry(60))
    consumer.run(2)
    consumer.take(2)
    for level in Priority:
        scene.publish(*(f"{level.name} {n}" for n in range(5)), priority=level)
    scene.publish(*(f"grouped {n}" for n in range(5)), group="g")
    for n in range(5):
        scene.publish(f"delayed {n}", f"at once with it {n}", delay=50.0 - n)


@exactly("peek")
@needs("priority", "group", "delay")
@each("limit", [1, 2, 7, 36, 50])
def pages_show_each_message_once_and_in_order(scene: Scene, limit: int) -> None:
    """§9 peek: page by page, as one look would show it; no page comes behind the last one."""
    _in_all_places(scene)
    shown = list(scene.pages(limit))
    assert [name for page in shown for name in page] == ids(scene.peek())
    assert [len(page) for page in shown[:-1]] == [limit] * ((36 - 1) // limit)
    delayed = [name for page in scene.pages(limit, state="delayed") for name in page]
    assert delayed == [one.message.id for one in scene.peek() if one.state == "delayed"]


@exactly("select")
@exactly("peek")
@needs("purge")
@each("limit", [1, 3, 10])
def what_stays_is_shown_once_whatever_comes_and_goes(scene: Scene, limit: int) -> None:
    """§9 peek: a page begins where the last one ended, not at a count nor at a message."""
    consumer = scene.serving(*(f"m{n:02}" for n in range(40)), prefetch=1)
    shown: list[str] = []
    gone: list[str] = []
    for number, page in enumerate(scene.pages(limit)):
        shown += page
        gone += consumer.finish(limit=1)
        scene.driver.purge("q", shown[-1:])
        if number < 5:
            scene.publish(f"new {number}")
    stayed = {f"m{n:02}" for n in range(40)} - set(gone)
    assert stayed <= set(shown)
    assert len(shown) == len(set(shown))


@exactly("peek")
def a_cursor_of_another_queue_is_refused(scene: Scene) -> None:
    """§9 peek: and so is what is none, rather than to show the wrong messages."""
    scene.declare("other")
    scene.publish("a", "b")
    scene.publish("a", "b", queue="other")
    for cursor in (scene.driver.peek("other", 1).next, "a", "~", "~bm9uZQ"):
        with refused(NotFound, match="look again from the beginning"):
            scene.driver.peek("q", 1, cursor)


@exactly("peek")
@needs("ttl", "dedup")
def a_message_is_shown_with_its_promises(scene: Scene) -> None:
    """§9 peek: its key, and how long it may wait for its first run."""
    scene.publish("a", ttl=60.0, dedup_key="k")
    scene.later(20)
    (stored,) = scene.peek()
    assert stored.message.dedup_key == "k"
    assert scene.near(stored.expires, scene.clock.now() + 40)
    consumer = scene.consumer()
    (delivery,) = consumer.run()
    consumer.settle(delivery, retry(1))
    assert scene.find("a").expires is None


@exactly("peek")
def peek_shows_each_state(scene: Scene) -> None:
    """§9 peek: those at work first, then ready, then delayed by due time; or one state only."""
    consumer = scene.serving("leased", "running", "failed", "ready", prefetch=3)
    _leased, running, failed = consumer.take()
    consumer.subscription.start(running)
    consumer.settle(failed, retry(60))
    scene.publish("soon", delay=30.0)
    shown = {stored.message.id: stored.state for stored in scene.peek()}
    assert list(shown.items()) == [
        ("running", "running"),
        ("leased", "leased"),
        ("ready", "ready"),
        ("soon", "delayed"),
        ("failed", "delayed"),
    ]
    assert ids(scene.peek(limit=1, state="delayed")) == ["soon"]
    assert ids(scene.peek(limit=9, state="running")) == ["running"]


@exactly("find")
def a_message_is_found_in_every_state(scene: Scene) -> None:
    """§9 find: with its counters and its errors; what is gone is not found."""
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
    assert scene.near(stored.due, scene.clock.now() + 10)
    scene.later(10)
    consumer.finish()
    assert scene.driver.find("q", "a") is None


@needs("purge")
@exactly("purge")
def a_purge_drops_ready_and_delayed_and_nothing_at_work(scene: Scene) -> None:
    """§1 I1: an operator's purge, with a count."""
    consumer = scene.serving("running", "leased", "ready", prefetch=2)
    running, _ = consumer.take()
    consumer.subscription.start(running)
    waiting: dict[str, dict[str, Any]] = {"delay": {"delay": 10.0}, "group": {"group": "g"}}
    able = [wishes for ability, wishes in waiting.items() if scene.promises(ability)]
    for wishes in able:
        scene.publish("waiting", **wishes)
    assert scene.driver.purge("q") == 1 + len(able)
    assert scene.counts() == {"leased": 1, "running": 1}
    assert scene.driver.purge("q") == 0
    assert consumer.settle(running)
    scene.later(60)
    assert scene.consumer().take() == []


@exactly("select")
@needs("purge")
def a_purge_by_id_leaves_the_others(scene: Scene) -> None:
    """§1 I1: only what was named."""
    scene.publish(*"abcde")
    assert scene.driver.purge("q", ["b", "d", "unknown"]) == 2
    assert scene.driver.purge("q", []) == 0
    assert scene.consumer().finish() == ["a", "c", "e"]


@exactly("select")
@exactly("peek")
@needs("purge")
def messages_of_one_id_are_told_apart(scene: Scene) -> None:
    """§9 peek: by their numbers, which a purge and a redrive take as well."""
    scene.publish("a", "b", "a")
    numbers = [stored.number for stored in scene.peek()]
    assert len(set(numbers)) == 3
    assert scene.driver.purge("q", numbers[2:]) == 1
    assert [stored.number for stored in scene.peek()] == numbers[:2]
    assert scene.driver.purge("q", ["a"]) == 1
    scene.kill("c", "c")
    letters = [stored.number for stored in scene.peek("q.dead") if stored.message.id == "c"]
    assert scene.driver.redrive("q.dead", "", letters[:1]) == 1
    assert [stored.number for stored in scene.peek("q.dead")][-1:] == letters[1:]


@exactly("select")
@needs("purge")
def dead_letters_can_be_purged(scene: Scene) -> None:
    """§4 dead letters: dropped by hand only."""
    scene.kill("a", "b")
    assert scene.driver.purge("q.dead", ["a"]) == 1
    assert scene.info().dead == 1
