"""Contract section 3, and the invariants about receipts."""

from __future__ import annotations

from moonq.conformance.case import each
from moonq.conformance.scene import BOOM, Scene, dead, ids, retry
from moonq.model import ACK, RELEASE, Interrupt, Snooze, Verdict, Wait

VERDICTS: list[Verdict] = [
    ACK,
    retry(1),
    Snooze(1.0),
    dead(),
    RELEASE,
    Interrupt(BOOM),
    Wait(1.0),
]


def an_acknowledged_message_never_comes_again(scene: Scene) -> None:
    """§3 ack: gone, also after a restart of the driver."""
    scene.publish("a")
    assert scene.consumer().finish() == ["a"]
    scene.later(3600)
    assert scene.consumer().take() == []
    scene.reopen()
    assert scene.counts() == {}


@each(
    ("verdict", "counters"),
    [(retry(5.0), (2, 1, 0)), (Snooze(5.0), (1, 1, 1)), (Wait(5.0), (1, 1, 0))],
)
def what_is_put_off_comes_back_in_time_and_is_counted_as_what_it_was(
    scene: Scene, verdict: Verdict, counters: tuple[int, int, int]
) -> None:
    """§3 failure, snooze, §4 interruptions: never early; one attempt, one snooze, or nothing."""
    consumer = scene.serving("a")
    consumer.finish(Interrupt(), limit=1)
    consumer.finish(verdict, limit=1)
    assert scene.counts() == {"delayed": 1}
    scene.almost(5)
    assert consumer.take() == []
    scene.moment()
    (delivery,) = consumer.take()
    assert (delivery.attempt, delivery.interruptions, delivery.snoozes) == counters
    # Whatever it was, nothing is left of the interruption to be judged.
    assert delivery.lost_at is None


def a_rejected_message_is_a_dead_letter_at_once(scene: Scene) -> None:
    """§3 reject: no further attempt."""
    scene.publish("a")
    scene.consumer().finish(dead("rejected"))
    assert scene.counts() == {"dead": 1}
    assert scene.reason("a") == "rejected"


def a_body_that_cannot_be_read_is_buried_before_its_handler_runs(scene: Scene) -> None:
    """§3 decode: the raw bytes are kept, no attempt was made."""
    consumer, delivery = scene.taken("a", body=b"\xff\xfe{")
    assert consumer.settle(delivery, dead("decode"))
    letter = scene.letter("a").message
    assert letter.body == b"\xff\xfe{"
    assert letter.headers["x_dead_letter_reason"] == "decode"
    assert letter.headers["x_attempts"] == 0


@each("started", [False, True])
def a_hand_back_is_ready_at_once(scene: Scene, started: bool) -> None:
    """§3 hand-back, §8 stop: no attempt, no delay, at its old place; also when it was running."""
    consumer = scene.serving("a", "b", prefetch=1)
    (delivery,) = consumer.run() if started else consumer.take()
    assert consumer.settle(delivery, RELEASE)
    again = scene.consumer().take()
    assert ids(again) == ["a", "b"]
    assert [(d.attempt, d.interruptions) for d in again] == [(1, 0), (1, 0)]


def an_interruption_is_counted_apart_from_failures(scene: Scene) -> None:
    """§3 interruption: the worker died; ready at once, and the next delivery says when."""
    consumer = scene.serving("a", "b")
    scene.later(5)
    consumer.finish(Interrupt(BOOM), limit=1)
    scene.later(5)
    other, delivery = sorted(consumer.take(), key=lambda one: one.interruptions)
    assert (delivery.attempt, delivery.interruptions) == (1, 1)
    assert scene.near(delivery.lost_at, scene.clock.now() - 5)
    assert (other.message.id, other.lost_at) == ("b", None)


def a_hand_back_does_not_hide_an_interruption(scene: Scene) -> None:
    """§3 interruption: what was never judged is said by the next delivery."""
    consumer = scene.serving("a")
    consumer.finish(Interrupt(), limit=1)
    lost_at = scene.clock.now()
    (delivery,) = consumer.take()
    assert consumer.settle(delivery, RELEASE)
    (again,) = consumer.take()
    assert scene.near(again.lost_at, lost_at)


def counters_add_up_over_all_kinds_of_ends(scene: Scene) -> None:
    """§4 attempt: failures, interruptions and snoozes do not mix."""
    consumer = scene.serving("a")
    for verdict in (retry(1), Snooze(1.0), Interrupt(), Wait(1.0), retry(1), RELEASE, Snooze(1.0)):
        consumer.finish(verdict, limit=1)
        scene.later(1.0)
    (delivery,) = consumer.take()
    assert (delivery.attempt, delivery.interruptions, delivery.snoozes) == (3, 1, 2)


@each("second", VERDICTS)
@each("first", VERDICTS)
def the_first_settle_wins(scene: Scene, first: Verdict, second: Verdict) -> None:
    """§1 I5: the second changes nothing, answers False, and is counted."""
    consumer, delivery = scene.running("a")
    assert consumer.settle(delivery, first)
    before = scene.shown(), scene.shown("q.dead")
    assert not consumer.settle(delivery, second)
    assert (scene.shown(), scene.shown("q.dead")) == before
    assert scene.told("lease_lost") == 1


def an_old_receipt_cannot_settle_the_next_delivery(scene: Scene) -> None:
    """§1 I5: a receipt identifies one delivery, not one message."""
    consumer, old = scene.running("a")
    consumer.settle(old, retry(1))
    scene.later(1)
    (new,) = consumer.run()
    assert not consumer.settle(old)
    assert not consumer.subscription.start(old)
    assert scene.counts() == {"running": 1}
    assert consumer.settle(new)


def a_receipt_is_worth_nothing_in_other_hands(scene: Scene) -> None:
    """§1 I5: another consumer cannot settle or start what it did not take."""
    scene.publish("a")
    mine, other = scene.consumer(), scene.consumer()
    (delivery,) = mine.take()
    assert not other.subscription.start(delivery)
    assert not other.settle(delivery)
    assert mine.subscription.start(delivery)
    assert mine.settle(delivery)


def a_delivery_starts_once(scene: Scene) -> None:
    """§1 I5: the second must skip it."""
    consumer, delivery = scene.taken("a")
    assert consumer.subscription.start(delivery)
    assert not consumer.subscription.start(delivery)


def a_settled_delivery_does_not_start(scene: Scene) -> None:
    """§3 settle: what was settled before its handler ran stays settled."""
    consumer, delivery = scene.taken("a")
    assert consumer.settle(delivery)
    assert not consumer.subscription.start(delivery)
    assert scene.counts() == {}


def settling_after_a_healthy_double_settle_still_works(scene: Scene) -> None:
    """§3 single-shot: a double settle does not harm the consumer."""
    consumer = scene.serving("a", "b")
    first, second = consumer.run()
    assert consumer.settle(first)
    assert not consumer.settle(first)
    assert consumer.settle(second)
    assert scene.counts() == {}


def a_retry_among_many_touches_no_other(scene: Scene) -> None:
    """§3 failure: only the message that failed waits."""
    consumer = scene.serving(*"abcde")
    for delivery in consumer.run():
        consumer.settle(delivery, retry(3) if delivery.message.id == "c" else ACK)
    assert scene.counts() == {"delayed": 1}
    scene.later(3)
    assert consumer.finish() == ["c"]


def five_failures_in_a_row_are_five_attempts(scene: Scene) -> None:
    """§4 attempt: 1, 2, 3, ... through the delay path again and again."""
    consumer = scene.serving("a")
    attempts = []
    for _ in range(6):
        (delivery,) = consumer.run()
        attempts.append(delivery.attempt)
        consumer.settle(delivery, retry(2))
        scene.later(2)
    assert attempts == [1, 2, 3, 4, 5, 6]
