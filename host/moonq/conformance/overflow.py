"""Contract section 7: bounded queues."""

from __future__ import annotations

from moonq.conformance.case import each, needs
from moonq.conformance.scene import BOOM, Scene, dead, retry
from moonq.errors import QueueFull
from moonq.model import ACK, RELEASE, Interrupt, Receipt, Snooze, Verdict, Wait

#: What a driver needs for any of these cases.
NEEDS = ("max_length",)
#: What it must do without a limit; one that counts roughly is bounded, see `flow`.
EXACT = ("max_length",)


def a_full_queue_refuses_and_keeps_what_it_has(scene: Scene) -> None:
    """§7 `overflow: reject`: of ten into three, seven are refused, retryably."""
    scene.declare("q", max_length=3)
    batch = [scene.message(f"m{n}") for n in range(10)]
    answers = scene.driver.publish("q", batch, 0.0)
    assert answers[:3] == [Receipt("m0"), Receipt("m1"), Receipt("m2")]
    for answer in answers[3:]:
        assert isinstance(answer, QueueFull)
        assert answer.retryable
        assert "3" in answer.message
    assert scene.consumer().finish() == ["m0", "m1", "m2"]


@each(("overflow", "may_wait"), [("reject", True), ("block", False)])
def a_publish_into_a_full_queue_that_may_not_wait_is_refused_at_once(
    scene: Scene, overflow: str, may_wait: bool
) -> None:
    """§7 overflow: its time limit is for a broker that is away; handlers never wait here."""
    scene.declare("q", max_length=1, overflow=overflow)
    scene.publish("a")
    publisher = scene.publisher("b", may_wait=may_wait)
    assert isinstance(publisher.end()[0], QueueFull)


@each("verdict", [retry(1), Snooze(1.0), RELEASE, Interrupt(BOOM), Wait(1.0)])
def a_message_keeps_its_slot_until_it_is_gone(scene: Scene, verdict: Verdict) -> None:
    """§1 I2: a slot is held in every state; coming back needs none and never fails."""
    scene.declare("q", max_length=1)
    consumer, delivery = scene.taken("a")
    assert isinstance(scene.offer("b"), QueueFull)
    assert consumer.subscription.start(delivery)
    assert isinstance(scene.offer("b"), QueueFull)
    assert consumer.settle(delivery, verdict)
    assert isinstance(scene.offer("b"), QueueFull)
    scene.later(1)
    assert consumer.finish() == ["a"]
    assert scene.offer("b") == Receipt("b")


def dead_and_purged_messages_free_their_slots(scene: Scene) -> None:
    """§1 I2: until gone or dead."""
    scene.declare("q", max_length=2)
    scene.publish("a", "b")
    scene.consumer().finish(dead(), limit=1)
    scene.publish("c")
    scene.driver.purge("q")
    scene.publish("d", "e")
    assert isinstance(scene.offer("f"), QueueFull)


@needs("drop_oldest")
def the_oldest_is_dropped_into_the_dead_letters(scene: Scene) -> None:
    """§7 `overflow: drop_oldest`: counted, reason `max_length`."""
    scene.declare("q", max_length=3, overflow="drop_oldest")
    scene.publish(*(f"m{n}" for n in range(10)))
    assert scene.told("dropped") == 7
    assert scene.counts() == {"ready": 3, "dead": 7}
    assert scene.reason("m0") == "max_length"
    assert scene.consumer().finish() == ["m7", "m8", "m9"]


@needs("drop_oldest")
def what_is_dropped_without_dead_letters_is_counted(scene: Scene) -> None:
    """§7 `overflow: drop_oldest`: gone, with an event."""
    scene.declare("q", max_length=1, overflow="drop_oldest", dead_letter=None)
    scene.publish("a", "b", "c")
    assert scene.told("dropped") == 2
    assert scene.consumer().finish() == ["c"]


@needs("drop_oldest")
def what_is_at_work_is_never_dropped_for_a_newcomer(scene: Scene) -> None:
    """§1 I1: leased, running and failed messages keep their place; the newcomer is refused."""
    scene.declare("q", max_length=2, overflow="drop_oldest")
    consumer = scene.serving("a", "b")
    failing, running = consumer.run()
    consumer.settle(failing, retry(5))
    assert isinstance(scene.offer("c"), QueueFull)
    consumer.settle(running)
    scene.later(5)
    assert consumer.finish() == ["a"]


@needs("drop_oldest", "group")
def the_waiting_rest_of_a_group_can_be_dropped(scene: Scene) -> None:
    """§7 `overflow: drop_oldest`: what waits for its group is ready like the others."""
    scene.declare("q", max_length=3, overflow="drop_oldest")
    consumer = scene.serving("A1", "A2", "A3", group="A")
    (a1,) = consumer.run()
    scene.publish("A4", group="A")
    assert consumer.settle(a1)
    assert consumer.finish() == ["A3", "A4"]
    assert scene.reason("A2") == "max_length"


@needs("drop_oldest", "group")
def a_group_goes_on_behind_one_that_was_dropped_in_the_same_batch(scene: Scene) -> None:
    """§7 `overflow: drop_oldest`: what made room for it has left its group as well."""
    scene.declare("q", max_length=1, overflow="drop_oldest")
    scene.publish("A1", "A2", "A3", group="A")
    assert scene.consumer().finish() == ["A3"]


@each("free", ["ack", "dead", "purge", "expire", "raise max_length"])
def a_waiting_publisher_gets_every_place_that_becomes_free(scene: Scene, free: str) -> None:
    """§7 `overflow: block`: at once, whatever it was that freed it."""
    scene.declare("q", max_length=1, overflow="block")
    scene.publish("a", ttl=2.0 if free == "expire" else None)
    publisher = scene.publisher("b")
    publisher.join(0.02)
    assert publisher.is_alive()
    if free in {"ack", "dead"}:
        scene.consumer().finish(ACK if free == "ack" else dead(), limit=1)
    elif free == "purge":
        scene.driver.purge("q")
    elif free == "expire":
        scene.later(2)
    else:
        scene.declare("q", max_length=2, overflow="block")
    assert publisher.end() == [Receipt("b")]


def a_publisher_waits_no_longer_than_its_limit(scene: Scene) -> None:
    """§7 `overflow: block`: up to publish_timeout, then it is refused."""
    scene.declare("q", max_length=1, overflow="block")
    scene.publish("a")
    publisher = scene.publisher("b")
    assert isinstance(publisher.end(lambda: scene.later(1))[0], QueueFull)
    assert scene.consumer().finish() == ["a"]
