"""Contract sections 1 and 9: messages of queues that nobody declares any more, and their moves."""

from __future__ import annotations

import functools

from moonq.conformance.case import Proof, needs
from moonq.conformance.scene import BOOM, Scene, dead, ids, refused, retry
from moonq.drivers.base import Adopter, Mover, mover
from moonq.errors import Conflict, QueueFull, QueueNotFound, Unsupported
from moonq.model import Message, Priority, Receipt, Snooze, Stored

NEEDS = ("move",)


def shown(proof: Proof) -> Proof:
    """Prove it only of a driver that shows its messages before they leave."""

    @functools.wraps(proof)
    def prove(scene: Scene) -> None:
        if isinstance(scene.driver, Mover):
            proof(scene)

    return prove


def _other(scene: Scene, **fields: object) -> None:
    scene.declare("other", **fields)


def _move(scene: Scene, source: str = "q", target: str = "other") -> list[object]:
    """Move all that waits in one queue into another one of the same driver."""
    stored = mover(scene.driver).waiting(source, 1000)
    return list(mover(scene.driver).adopt(target, stored, source))


def _orphan(scene: Scene, *names: str) -> None:
    """Messages in `gone`, which no driver that is made from now on declares."""
    scene.declare("gone", dead_letter=None)
    scene.publish(*names, queue="gone")


@shown
@needs("durable")
def what_nobody_declares_is_still_counted(scene: Scene) -> None:
    """§1 I1: a queue that was renamed or removed keeps its messages, and they are named."""
    _orphan(scene, "a", "b")
    scene.publish("c")
    assert mover(scene.driver).unserved() == {"gone": 2, "q": 1}
    scene.restart()
    assert mover(scene.driver).unserved() == {"gone": 2, "q": 1}
    consumer = scene.consumer()
    assert mover(scene.driver).unserved() == {"gone": 2}
    consumer.finish()
    consumer.subscription.close(scene.clock.monotonic())
    assert mover(scene.driver).unserved() == {"gone": 2}


@shown
@needs("durable")
def a_queue_that_nobody_declares_can_be_emptied(scene: Scene) -> None:
    """§1 I1: its messages are looked at and moved; a publish into it is still refused."""
    _orphan(scene, "a", "b", "c")
    scene.restart()
    assert ids(mover(scene.driver).waiting("gone", 2)) == ["a", "b"]
    with refused(QueueNotFound):
        scene.publish("d", queue="gone")
    assert _move(scene, "gone", "q") == [Receipt("a"), Receipt("b"), Receipt("c")]
    assert mover(scene.driver).unserved() == {"q": 3}
    assert scene.consumer().finish() == ["a", "b", "c"]


@shown
def what_waits_is_shown_in_the_order_of_publishing(scene: Scene) -> None:
    """§9: ready and delayed alike, by number, and nothing that is at work."""
    scene.publish("late", delay=60.0)
    scene.publish("low", priority=Priority.LOW)
    scene.publish("high", priority=Priority.HIGH)
    scene.publish("first", "second", group="g")
    consumer = scene.consumer(prefetch=1)
    assert ids(consumer.take()) == ["high"]
    stored = mover(scene.driver).waiting("q", 10)
    assert ids(stored) == ["late", "low", "first", "second"]
    assert ids(mover(scene.driver).waiting("q", 2)) == ["late", "low"]
    assert ids(mover(scene.driver).waiting("q", 2, stored[1].number)) == ["first", "second"]
    assert mover(scene.driver).waiting("q", 10, stored[-1].number) == []


@shown
def a_moved_message_is_all_that_it_was(scene: Scene) -> None:
    """§2: id, body, headers, priority; §4: attempts, interruptions, errors."""
    _other(scene)
    consumer = scene.serving("a", headers={"tenant": "t1"}, priority=Priority.HIGH)
    consumer.finish(retry(10), limit=1)
    (before,) = scene.peek()
    assert _move(scene) == [Receipt("a")]
    assert scene.counts() == {}
    (after,) = scene.peek("other")
    assert scene.near(after.due, scene.clock.now() + 10)
    assert after._replace(number=0, due=None) == before._replace(number=0, due=None)
    assert (after.attempt, after.errors) == (2, (BOOM,))
    scene.later(9)
    heir = scene.consumer(queue="other")
    assert heir.take() == []
    scene.later(1)
    (delivery,) = heir.run()
    assert (delivery.attempt, delivery.message.headers) == (2, {"tenant": "t1"})


@shown
def an_interruption_and_a_snooze_move_along(scene: Scene) -> None:
    """§4 interruptions: what they lead to is decided where the message runs next."""
    _other(scene)
    consumer = scene.serving("a")
    consumer.finish(Snooze(0.0), limit=1)
    consumer.run()
    consumer.subscription.close(scene.clock.monotonic())
    lost_at = scene.clock.now()
    scene.later(5)
    _move(scene)
    (delivery,) = scene.consumer(queue="other").run()
    assert (delivery.interruptions, delivery.snoozes) == (1, 1)
    assert scene.near(delivery.lost_at, lost_at)


@shown
@needs("ttl")
def a_ttl_goes_on_in_the_other_queue(scene: Scene) -> None:
    """§6 ttl: a move is no new publish."""
    _other(scene)
    scene.publish("a", ttl=30.0)
    scene.later(20)
    _move(scene)
    (moved,) = scene.peek("other")
    assert scene.near(moved.expires, scene.clock.now() + 10)
    scene.later(10)
    assert scene.consumer(queue="other").take() == []
    assert scene.info("other").dead == 1


@shown
@needs("group")
def a_moved_group_keeps_its_order(scene: Scene) -> None:
    """§6 group: though its first message waits for another try."""
    _other(scene)
    consumer = scene.serving("A1", "A2", "A3", group="A", prefetch=1)
    consumer.finish(retry(10), limit=1)
    consumer.subscription.close(scene.clock.monotonic())
    scene.publish("B1", group="B")
    _move(scene)
    heir = scene.consumer(queue="other")
    assert heir.finish() == ["B1"]
    scene.later(10)
    assert heir.finish() == ["A1", "A2", "A3"]


@shown
@needs("group", "group_skip")
def a_moved_failure_blocks_no_group_that_skips(scene: Scene) -> None:
    """§6 group_on_failure: as the queue says in which it lies now."""
    _other(scene, group_on_failure="skip")
    consumer = scene.serving("A1", "A2", group="A", prefetch=1)
    consumer.finish(retry(10), limit=1)
    consumer.subscription.close(scene.clock.monotonic())
    _move(scene)
    heir = scene.consumer(queue="other")
    assert heir.finish() == ["A2"]
    scene.later(10)
    assert heir.finish() == ["A1"]


@shown
@needs("max_length")
def a_move_into_a_full_queue_leaves_the_rest_where_it_is(scene: Scene) -> None:
    """§1 I1: it is refused, not lost."""
    _other(scene, max_length=2)
    scene.publish("a", "b", "c")
    answers = _move(scene)
    assert answers[:2] == [Receipt("a"), Receipt("b")]
    assert isinstance(answers[2], QueueFull)
    assert ids(scene.peek()) == ["c"]
    assert ids(scene.peek("other")) == ["a", "b"]


@shown
def a_queue_rests_while_its_messages_leave(scene: Scene) -> None:
    """§7 pause: nothing is delivered meanwhile; what somebody paused stays paused."""
    scene.publish("a")
    consumer = scene.consumer(prefetch=1)
    with mover(scene.driver).resting("q"):
        assert scene.info().paused
        assert consumer.take(1) == []
    assert ids(consumer.take(1)) == ["a"]
    scene.driver.pause("q")
    with mover(scene.driver).resting("q"):
        pass
    assert scene.info().paused


@shown
def what_was_taken_meanwhile_is_not_moved(scene: Scene) -> None:
    """§1 I3: a message is in one queue, whoever was faster."""
    _other(scene)
    scene.publish("a", "b")
    stored = mover(scene.driver).waiting("q", 10)
    assert scene.consumer(prefetch=1).finish(limit=1) == ["a"]
    answers = mover(scene.driver).adopt("other", stored[:1], "q")
    assert isinstance(answers[0], Conflict)
    assert scene.peek("other") == []


@shown
@needs("dedup")
def a_moved_key_is_known_where_the_message_lies(scene: Scene) -> None:
    """§6 dedup_key: the other queue answers with the message that it has."""
    _other(scene)
    scene.publish("a", dedup_key="k")
    _move(scene)
    assert scene.offer("again", queue="other", dedup_key="k") == Receipt("a", duplicate=True)


@shown
def a_moved_dead_letter_can_be_redriven(scene: Scene) -> None:
    """§4 dead letters: they keep their story, and the name of the queue they came from."""
    _other(scene)
    scene.kill("a")
    assert _move(scene, "q.dead", "other.dead") == [Receipt("a")]
    assert scene.find("a", "other.dead").errors == (BOOM,)
    assert scene.driver.redrive("other.dead", "") == 1
    assert scene.consumer().finish() == ["a"]


@shown
def a_message_may_come_from_elsewhere(scene: Scene) -> None:
    """§1 I1: from another driver, which lets go of it once it is stored here."""
    now = scene.clock.now()
    message = Message("a", b"body", now - 60, priority=Priority.HIGH, group="g", delay=60.0)
    stored = Stored(message, "delayed", 3, 1, now + 5, (BOOM,), None, 7, 2, now - 1)
    assert mover(scene.driver).adopt("q", [stored]) == [Receipt("a")]
    found = scene.find("a")
    assert (found.attempt, found.interruptions, found.snoozes) == (3, 1, 2)
    assert found.message.published_at == now - 60
    assert scene.counts() == {"delayed": 1}
    scene.later(5)
    (delivery,) = scene.consumer().run()
    assert (delivery.attempt, delivery.message.group) == (3, "g")


def _adopt(scene: Scene, *stored: Stored, keys: tuple[str, ...] = ()) -> list[object]:
    assert isinstance(scene.driver, Adopter)
    return list(scene.driver.adopt("q", stored, keys=keys))


def what_came_from_elsewhere_runs_as_what_it_was(scene: Scene) -> None:
    """§2 id and headers, §4 attempts: also where nothing is shown without consuming it."""
    now = scene.clock.now()
    message = Message("a", b"\x00body", now - 60, {"tenant": "t1", "n": 1})
    stored = Stored(message, "ready", 3, 1, None, (BOOM,), None, 7, 2)
    assert _adopt(scene, stored) == [Receipt("a")]
    consumer = scene.consumer()
    (delivery,) = consumer.run()
    assert (delivery.attempt, delivery.snoozes) == (3, 2)
    if scene.is_exact("interruptions"):
        assert delivery.interruptions == 1
    assert delivery.message.body == message.body
    assert dict(delivery.message.headers) == dict(message.headers)
    assert scene.near(delivery.message.published_at, now - 60)
    assert consumer.settle(delivery, dead())
    letter = scene.letter("a")
    assert letter.message.headers["x_attempts"] == 3


def what_waits_elsewhere_waits_here_until_its_time(scene: Scene) -> None:
    """§6 delay: a move is never early."""
    message = Message("a", b"body", scene.clock.now())
    due = scene.clock.now() + 10 * max(scene.pace.grain, 0.5)
    if _refuses(scene, _adopt(scene, Stored(message, "delayed", 1, due=due))):
        return
    consumer = scene.consumer()
    assert consumer.take() == []
    scene.later(due - scene.clock.now() + scene.pace.tolerance)
    assert consumer.finish() == ["a"]


def _refuses(scene: Scene, answers: list[object]) -> bool:
    if scene.promises("delay"):
        return False
    assert isinstance(answers[0], Unsupported)
    return True


@needs("dedup")
def a_move_that_is_repeated_stores_nothing_twice(scene: Scene) -> None:
    """§6 dedup_key: whoever was killed before the old place let go does it again."""
    one, other = (Stored(scene.message(name), "ready") for name in ("a", "b"))
    assert _adopt(scene, one, keys=("move-1",)) == [Receipt("a")]
    again = _adopt(scene, one, other, keys=("move-1", "move-2"))
    assert again[1] == Receipt("b")
    assert isinstance(again[0], Receipt)
    assert again[0].id == "a"
    assert sorted(scene.consumer().finish()) == ["a", "b"]
    assert _adopt(scene, one, keys=("move-3",)) == [Receipt("a")]
    assert scene.consumer().finish() == ["a"]
