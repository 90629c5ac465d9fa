"""Contract section 6: the same thing once."""

from __future__ import annotations

from moonq.conformance.case import each, exactly, needs
from moonq.conformance.scene import Scene, dead, retry
from moonq.errors import QueueFull
from moonq.model import Receipt

#: What a driver needs for any of these cases.
NEEDS = ("dedup",)


def a_duplicate_within_the_window_answers_the_first_id(scene: Scene) -> None:
    """§6 dedup: the publish succeeds, and there is one message."""
    scene.publish("first", dedup_key="order-1")
    answer = scene.offer("second", dedup_key="order-1")
    if scene.is_exact("dedup"):
        assert answer == Receipt("first", duplicate=True)
    assert isinstance(answer, Receipt)
    assert scene.consumer().finish() == ["first"]


@exactly("dedup")
@each("window", [300.0, 10.0])
def the_window_is_over_when_it_is_over(scene: Scene, window: float) -> None:
    """§6 dedup_window: 5 min unless the queue says otherwise."""
    scene.declare("q", **({} if window == 300 else {"dedup_window": window}))
    scene.publish("first", dedup_key="k")
    scene.almost(window)
    assert scene.offer("second", dedup_key="k").duplicate
    scene.moment()
    assert scene.offer("third", dedup_key="k") == Receipt("third")
    scene.almost(window)
    assert scene.offer("fourth", dedup_key="k") == Receipt("third", duplicate=True)


@exactly("dedup")
def a_changed_window_holds_from_now_on(scene: Scene) -> None:
    """§6 dedup_window: what was remembered under the old one is remembered as long as promised."""
    scene.publish("long", dedup_key="k")
    scene.declare("q", dedup_window=10.0)
    scene.publish("short", dedup_key="l")
    scene.later(295)
    scene.declare("q", dedup_window=300.0)
    assert scene.offer("short again", dedup_key="l") == Receipt("short again")
    assert scene.offer("long again", dedup_key="k").duplicate
    scene.later(6)
    assert scene.offer("other", dedup_key="m") == Receipt("other")
    assert scene.offer("short once more", dedup_key="l").duplicate


def a_consumed_message_is_still_remembered(scene: Scene) -> None:
    """§6 dedup: the window counts, not whether the message is done."""
    scene.publish("first", dedup_key="k")
    scene.consumer().finish()
    assert scene.offer("second", dedup_key="k").duplicate in {True, None}
    assert scene.counts() == {}
    assert scene.consumer().take() == []


def other_keys_and_other_queues_are_not_concerned(scene: Scene) -> None:
    """§6 dedup: one key, one queue."""
    scene.declare("other")
    scene.publish("a", dedup_key="k")
    scene.publish("b", dedup_key="l")
    scene.publish("c")
    scene.publish("d", queue="other", dedup_key="k")
    assert scene.consumer().finish() == ["a", "b", "c"]
    assert scene.consumer(queue="other").finish() == ["d"]


def a_duplicate_within_one_batch_is_found(scene: Scene) -> None:
    """§6 dedup: a batch is published in order."""
    receipts = scene.publish("a", "b", dedup_key="k")
    if scene.is_exact("dedup"):
        assert receipts == [Receipt("a"), Receipt("a", duplicate=True)]
    assert scene.consumer().finish() == ["a"]


@needs("max_length")
def a_key_of_a_refused_publish_is_free(scene: Scene) -> None:
    """§6 dedup: only what was stored has duplicates."""
    scene.declare("q", max_length=1)
    scene.publish("a")
    assert isinstance(scene.offer("b", dedup_key="k"), QueueFull)
    scene.consumer().finish()
    assert scene.offer("b", dedup_key="k") == Receipt("b")


@needs("max_length")
def a_duplicate_needs_no_place(scene: Scene) -> None:
    """§6 dedup: it succeeds although the queue is full, and drops nothing."""
    for overflow in ("reject", "drop_oldest"):
        scene.declare(overflow, max_length=1, overflow=overflow)
        scene.publish("a", queue=overflow, dedup_key="k")
        assert scene.offer("b", queue=overflow, dedup_key="k").duplicate
        assert scene.counts(overflow) == {"ready": 1}


def retries_and_redrives_are_not_blocked_by_their_own_key(scene: Scene) -> None:
    """§6 dedup: it concerns publishing only."""
    consumer = scene.serving("a", dedup_key="k")
    consumer.finish(retry(1))
    scene.later(1)
    assert consumer.finish(dead()) == ["a"]
    assert scene.driver.redrive("q.dead", "") == 1
    assert consumer.finish() == ["a"]


@exactly("select")
@needs("purge")
def a_purged_message_can_be_published_again_under_its_key(scene: Scene) -> None:
    """§6 dedup: it exists no more, and was not handled either."""
    scene.publish("a", dedup_key="k")
    scene.publish("b", dedup_key="l")
    assert scene.driver.purge("q", ["a"]) == 1
    assert scene.offer("a", dedup_key="k") == Receipt("a")
    assert scene.offer("c", dedup_key="k") == Receipt("a", duplicate=True)
    assert scene.offer("c", dedup_key="l") == Receipt("b", duplicate=True)
