"""Contract section 6: strict order for each group key."""

from __future__ import annotations

import random
from collections import defaultdict

from moonq.conformance.case import each, exactly, needs
from moonq.conformance.scene import Consumer, Scene, dead, ids, retry
from moonq.drivers.base import LEASE
from moonq.model import ACK, RELEASE, Interrupt, Snooze, Verdict, Wait

#: What a driver needs for any of these cases.
NEEDS = ("group",)


def _groups(scene: Scene, *names: str) -> Consumer:
    """Publish messages, of which `A1` is the first of group A; the answer may consume them."""
    for name in names:
        scene.publish(name, group=name[0])
    return scene.consumer()


def a_group_waits_for_the_message_in_front(scene: Scene) -> None:
    """§6 group: one running per key, others in parallel."""
    _groups(scene, "A1", "A2", "A3", "B1")
    consumer = scene.serving("free")
    a1, b1, free = consumer.run()
    assert ids([a1, b1, free]) == ["A1", "B1", "free"]
    consumer.settle(a1)
    (a2,) = consumer.run()
    assert a2.message.id == "A2"
    consumer.settle(b1)
    assert consumer.take() == []
    consumer.settle(a2)
    assert consumer.finish() == ["A3"]


def one_runs_per_key_whatever_consumer_asks(scene: Scene) -> None:
    """§6 group: also across consumers."""
    _groups(scene, "A1", "A2")
    first, second = scene.consumer(), scene.consumer()
    (a1,) = first.run()
    assert second.take() == []
    first.settle(a1)
    assert second.finish() == ["A2"]


@needs("group_skip")
def a_failing_message_is_skipped_where_the_queue_says_so(scene: Scene) -> None:
    """§6 `group_on_failure: skip`: the group goes on, still one at a time."""
    scene.declare("q", group_on_failure="skip")
    consumer = _groups(scene, "A1", "A2", "A3")
    (a1,) = consumer.run()
    consumer.settle(a1, retry(5))
    (a2,) = consumer.run()
    assert a2.message.id == "A2"
    if scene.keeps("find"):
        states = [scene.find(name).state for name in ("A1", "A2", "A3")]
        assert states == ["delayed", "running", "ready"]
    scene.later(5)
    assert consumer.take() == []
    consumer.settle(a2)
    assert consumer.finish() == ["A1", "A3"]


@needs("group_skip")
def a_skipped_message_that_finds_its_group_empty_just_runs(scene: Scene) -> None:
    """§6 `group_on_failure: skip`: and what is published meanwhile does not wait."""
    scene.declare("q", group_on_failure="skip")
    consumer = _groups(scene, "A1")
    consumer.finish(retry(5))
    _groups(scene, "A2")
    assert consumer.finish() == ["A2"]
    scene.later(5)
    assert consumer.finish() == ["A1"]


@each(
    ("policy", "ends", "meanwhile", "then"),
    [
        ("block", [retry(5)], [], ["A1", "A2"]),
        ("skip", [retry(5)], ["A2"], ["A1"]),
        ("skip", [Snooze(5.0)], [], ["A1", "A2"]),
        ("block", [Interrupt(), Wait(5.0)], [], ["A1", "A2"]),
        ("skip", [Interrupt(), Wait(5.0)], ["A2"], ["A1"]),
    ],
)
def a_message_that_is_put_off_keeps_its_turn_or_gives_it_up(
    scene: Scene, policy: str, ends: list[Verdict], meanwhile: list[str], then: list[str]
) -> None:
    """§6 `group_on_failure`: as the queue says; interruptions count as failures, snoozes never."""
    if policy == "skip" and not scene.promises("group_skip"):
        return
    scene.declare("q", group_on_failure=policy)
    consumer = _groups(scene, "A1", "A2")
    for verdict in ends:
        assert consumer.finish(verdict, limit=1) == ["A1"]
    _groups(scene, "B1")
    assert sorted(consumer.finish()) == [*meanwhile, "B1"]
    scene.later(5)
    assert consumer.finish() == then


@exactly("select")
@needs("purge")
def the_group_goes_on_behind_a_dead_message(scene: Scene) -> None:
    """§6 group: dead, expired and purged ones hold nothing up."""
    consumer = _groups(scene, "A1", "A2", "A3")
    (a1,) = consumer.run()
    consumer.settle(a1, dead())
    scene.driver.purge("q", ["A2"])
    assert consumer.finish() == ["A3"]


@needs("ttl")
def an_expired_message_frees_its_group(scene: Scene) -> None:
    """§6 group: also where the one in front was too late."""
    scene.publish("A1", group="A", ttl=1.0)
    scene.publish("A2", group="A")
    scene.publish("A3", group="A", ttl=1.0)
    scene.later(1)
    assert scene.counts() == {"ready": 1, "dead": 2}
    assert scene.consumer().finish() == ["A2"]


@needs("delay")
def a_delayed_message_holds_those_published_after_it(scene: Scene) -> None:
    """§6 group: the order is that of publishing, delay or not."""
    scene.publish("A1", group="A", delay=5.0)
    consumer = scene.serving("A2", group="A")
    assert consumer.take() == []
    scene.later(5)
    assert consumer.finish() == ["A1", "A2"]


@needs("delay")
def a_delayed_message_in_the_middle_keeps_its_place(scene: Scene) -> None:
    """§6 group: its turn may come before it is due."""
    scene.publish("A1", group="A")
    scene.publish("A2", group="A", delay=5.0)
    consumer, a1 = scene.running("A3", group="A")
    assert scene.counts() == {"running": 1, "delayed": 1, "ready": 1}
    consumer.settle(a1)
    assert consumer.take() == []
    scene.later(5)
    assert consumer.finish() == ["A2", "A3"]


@needs("delay")
def a_message_that_is_due_waits_for_its_turn(scene: Scene) -> None:
    """§6 group: and it may be due before its turn."""
    scene.publish("A1", group="A")
    consumer, a1 = scene.running("A2", group="A", delay=5.0)
    scene.later(5)
    assert consumer.take() == []
    assert scene.counts() == {"running": 1, "ready": 1}
    consumer.settle(a1)
    assert consumer.finish() == ["A2"]


def a_handed_back_message_keeps_its_turn(scene: Scene) -> None:
    """§6 group: a hand-back changes no order."""
    consumer = _groups(scene, "A1", "A2")
    (a1,) = consumer.run()
    consumer.settle(a1, RELEASE)
    assert consumer.finish() == ["A1", "A2"]


def a_crash_does_not_change_the_order(scene: Scene) -> None:
    """§6 group: the one that was held comes before the rest."""
    _groups(scene, "A1", "A2")
    crashed = scene.consumer()
    crashed.run()
    crashed.crash()
    scene.later(LEASE + 10)
    assert scene.consumer().finish() == ["A1", "A2"]


def a_redriven_message_joins_the_end_of_its_group(scene: Scene) -> None:
    """§6 group: also in its second life one at a time."""
    consumer = _groups(scene, "A1")
    consumer.finish(dead())
    _groups(scene, "A2", "A3")
    scene.driver.redrive("q.dead", "")
    (a2,) = consumer.run()
    assert a2.message.id == "A2"
    consumer.settle(a2)
    assert consumer.finish() == ["A3", "A1"]


@exactly("order")
def a_freed_group_is_served_at_its_old_place(scene: Scene) -> None:
    """§6 group: waiting for one's turn is not waiting behind all that came later."""
    _groups(scene, "A1", "A2")
    consumer = scene.serving(*(f"later {n}" for n in range(20)), prefetch=1)
    assert consumer.finish(limit=2) == ["A1", "A2"]


def many_groups_keep_their_order_through_failures(scene: Scene) -> None:
    """§6 group: 100 groups of 10 and two consumers that fail at random."""
    dice = random.Random(7)
    names = [(f"g{group}", number) for number in range(10) for group in range(100)]
    for group, number in names:
        scene.publish(f"{group}:{number}", group=group)
    consumers = [scene.consumer(), scene.consumer()]
    done: defaultdict[str, list[str]] = defaultdict(list)
    for _ in range(2000):
        if not _work(dice.choice(consumers), dice, done):
            scene.later(0.2)
        if sum(map(len, done.values())) == len(names):
            break
    for group, seen in done.items():
        assert seen == [f"{group}:{number}" for number in range(10)]
    assert len(done) == 100


def _work(consumer: Consumer, dice: random.Random, done: defaultdict[str, list[str]]) -> bool:
    """Run what is there, in any order; half of it fails or is handed back."""
    running = consumer.run()
    assert len({delivery.message.group for delivery in running}) == len(running)
    dice.shuffle(running)
    for delivery in running:
        verdicts: list[Verdict] = [ACK, ACK, retry(0.1), RELEASE]
        verdict = dice.choice(verdicts)
        consumer.settle(delivery, verdict)
        if verdict is ACK:
            done[str(delivery.message.group)].append(delivery.message.id)
    return bool(running)
