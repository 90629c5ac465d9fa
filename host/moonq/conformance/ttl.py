"""Contract section 6: not too late."""

from __future__ import annotations

from moonq.conformance.case import exactly, needs
from moonq.conformance.scene import Scene, dead, retry
from moonq.model import ACK, RELEASE

#: What a driver needs for any of these cases.
NEEDS = ("ttl",)


def an_expired_message_is_a_dead_letter_and_never_delivered(scene: Scene) -> None:
    """§6 ttl: it bounds the wait before the first start."""
    scene.publish("a", ttl=5.0)
    scene.publish("b")
    scene.later(5)
    assert scene.consumer().finish() == ["b"]
    headers = scene.letter("a").message.headers
    assert (headers["x_dead_letter_reason"], headers["x_attempts"]) == ("expired", 0)
    assert scene.told("expired") == 1


def a_message_in_time_is_delivered(scene: Scene) -> None:
    """§6 ttl: up to the last moment."""
    scene.publish("a", ttl=5.0)
    scene.almost(5)
    assert scene.consumer().finish() == ["a"]


@exactly("expiry")
def a_message_expires_behind_one_that_does_not(scene: Scene) -> None:
    """§6 ttl: also in the middle of the queue, and without any consumer."""
    scene.publish("a")
    scene.publish("b", ttl=1.0)
    scene.publish("c")
    scene.later(1)
    assert scene.counts() == {"ready": 2, "dead": 1}
    assert scene.consumer().finish() == ["a", "c"]


@needs("delay")
def a_message_expires_while_it_is_delayed(scene: Scene) -> None:
    """§6 ttl: a delay longer than the ttl is never delivered."""
    scene.publish("a", delay=10.0, ttl=5.0)
    scene.later(20)
    assert scene.consumer().take() == []
    assert scene.counts() == {"dead": 1}


def a_message_expires_in_a_buffer(scene: Scene) -> None:
    """§6 ttl: what was taken in time but not started in time does not run."""
    consumer, delivery = scene.taken("a", ttl=5.0)
    scene.later(5)
    assert scene.info().message_count == 1
    assert not consumer.subscription.start(delivery)
    assert not consumer.settle(delivery)
    assert scene.counts() == {"dead": 1}


@exactly("expiry")
def what_expired_in_a_buffer_is_not_ready_again_when_it_is_handed_back(scene: Scene) -> None:
    """§6 ttl: it need not be taken once more to find that it is too late."""
    consumer = scene.serving("a", ttl=5.0)
    consumer.take()
    scene.later(5)
    assert scene.counts() == {"leased": 1}
    consumer.subscription.stop()
    assert scene.counts() == {"dead": 1}


def ttl_does_not_concern_a_message_that_has_started(scene: Scene) -> None:
    """§6 ttl: running, in backoff or handed back, it lives on."""
    consumer, delivery = scene.running("a", ttl=5.0)
    scene.later(10)
    assert consumer.settle(delivery, retry(10))
    scene.later(10)
    (delivery,) = consumer.run()
    assert consumer.settle(delivery, RELEASE)
    scene.later(10)
    assert consumer.finish() == ["a"]


@exactly("expiry")
def expired_messages_are_dropped_where_the_queue_says_so(scene: Scene) -> None:
    """§6 `on_expire: drop`: counted, not buried."""
    scene.declare("q", on_expire="drop")
    scene.publish("a", "b", ttl=1.0)
    scene.later(1)
    assert scene.counts() == {}
    assert scene.told("expired") == 2


def a_queue_can_have_a_ttl_for_all_its_messages(scene: Scene) -> None:
    """§6 ttl: the queue's own, unless the message has one."""
    scene.declare("q", ttl=5.0)
    scene.publish("queue")
    scene.publish("long", ttl=60.0)
    scene.later(5)
    assert scene.consumer().finish() == ["long"]


@exactly("expiry")
@needs("durable")
def a_ttl_of_its_queue_holds_for_what_was_stored_before_a_restart(scene: Scene) -> None:
    """§6 ttl: whoever opens the store next; what is declared decides, and no default."""
    scene.declare("q", ttl=5.0)
    scene.publish("a")
    scene.restart()
    scene.publish("b", ttl=60.0)
    scene.later(5)
    assert scene.consumer().finish() == ["b"]


def one_that_is_too_late_holds_up_nothing_in_a_buffer(scene: Scene) -> None:
    """§6 ttl: the next one behind it in the buffer runs."""
    scene.publish("first")
    scene.publish("late", ttl=5.0)
    scene.publish("behind it")
    consumer = scene.consumer()
    assert consumer.finish(limit=1) == ["first"]
    scene.later(5)
    assert consumer.finish() == ["behind it"]


@needs("max_length")
@exactly("max_length")
def an_expired_message_frees_its_slot(scene: Scene) -> None:
    """§1 I2: dead or gone, it does not count any more."""
    scene.declare("q", max_length=1)
    scene.publish("a", ttl=1.0)
    scene.later(1)
    scene.publish("b")
    assert scene.counts() == {"ready": 1, "dead": 1}


def a_redriven_letter_is_not_too_late_again(scene: Scene) -> None:
    """§4 redrive: the old ttl was for the old life."""
    consumer = scene.serving("a", ttl=1.0)
    scene.later(1)
    assert consumer.finish() == []
    assert scene.driver.redrive("q.dead", "") == 1
    scene.later(100)
    assert consumer.finish() == ["a"]


def many_short_lives_leave_nothing_behind(scene: Scene) -> None:
    """§6 ttl: messages that were done in time do not expire later."""
    consumer = scene.consumer()
    for _ in range(200):
        scene.publish("x", ttl=10.0)
        consumer.finish(ACK, limit=1)
    scene.publish("y", ttl=10.0)
    consumer.finish(dead())
    scene.later(10)
    assert scene.counts() == {"dead": 1}
    assert scene.told("expired") == 0
