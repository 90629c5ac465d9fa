"""Contract section 2, as far as a driver answers for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from moonq.conformance.case import each
from moonq.conformance.scene import Scene, dead, refused, retry
from moonq.errors import QueueNotFound, Unavailable, Unsupported
from moonq.model import ACK, Message, Priority, QueueSpec, Receipt

HEADERS: dict[str, str | int | float | bool] = {
    "text": "plain",
    "empty": "",
    "unicode": "Grüße, 世界",
    "int": 42,
    "big": 2**53 + 1,
    "float": 0.1,
    "bool": True,
    "correlation_id": "c-1",
}


@each("count", [1, 10, 1000])
def every_message_of_a_batch_is_answered_and_delivered(scene: Scene, count: int) -> None:
    """§2 publish: one receipt for each, in order, and each is delivered."""
    names = [f"m{number}" for number in range(count)]
    assert [receipt.id for receipt in scene.publish(*names)] == names
    assert scene.consumer().finish(limit=count + 1) == names


@each(
    "wishes",
    [
        *({"body": body} for body in (b"", b"\x00\xff\x00", "é".encode(), b"x" * 100_000)),
        {"headers": HEADERS, "content_type": "text/plain"},
        {"headers": {f"header_{number}": number for number in range(30)}},
    ],
)
def a_message_arrives_as_it_was_published(scene: Scene, wishes: dict[str, Any]) -> None:
    """§2 body, headers: bytes for bytes; values and types as they were given, also many."""
    published = scene.message("a", **wishes)
    scene.driver.publish("q", [published], 1.0)
    (delivery,) = scene.consumer().take()
    assert delivery.message == published
    got, given = delivery.message.headers, published.headers
    assert [type(got[key]) for key in given] == [type(value) for value in given.values()]
    assert (delivery.attempt, delivery.interruptions, delivery.snoozes) == (1, 0, 0)


def the_id_stays_the_same_in_every_life(scene: Scene) -> None:
    """§2 id: the same in every redelivery and in the dead letter."""
    consumer = scene.serving("a")
    assert consumer.finish(retry(1.0), limit=1) == ["a"]
    scene.later(1.0)
    assert consumer.finish(dead()) == ["a"]
    assert scene.letter("a").message.id == "a"


def a_success_is_stored_at_once(scene: Scene) -> None:
    """§2 success: the next look sees the message."""
    scene.publish("a")
    assert scene.counts() == {"ready": 1}


def an_unknown_queue_is_named_whatever_is_asked_of_it(scene: Scene) -> None:
    """§2 NOT_FOUND: no such queue was declared."""
    driver = scene.driver
    for ask in (
        lambda: driver.publish("nowhere", [scene.message("a")], 1.0),
        lambda: driver.subscribe("nowhere", 10),
        lambda: driver.info("nowhere"),
        lambda: driver.peek("nowhere", 1),
        lambda: driver.find("nowhere", "a"),
        lambda: driver.purge("nowhere"),
        lambda: driver.redrive("nowhere", ""),
        lambda: driver.pause("nowhere"),
        lambda: driver.resume("nowhere"),
    ):
        with refused(QueueNotFound, match="nowhere"):
            ask()


def queues_of_one_driver_do_not_mix(scene: Scene) -> None:
    """§2 queue: a message goes to the queue it was published to."""
    scene.declare("other")
    scene.publish("a")
    scene.publish("b", queue="other")
    assert scene.consumer(queue="other").finish() == ["b"]
    assert scene.consumer().finish() == ["a"]


def many_threads_publish_and_every_id_arrives(scene: Scene) -> None:
    """§2 success: 16 publishers at once, nothing lost, nothing doubled."""
    batches = [[f"{thread}-{n}" for n in range(100)] for thread in range(16)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda batch: scene.publish(*batch), batches))
    arrived = scene.consumer().finish(limit=2000)
    assert sorted(arrived) == sorted(name for batch in batches for name in batch)


def publishing_to_a_driver_that_is_away_says_so(scene: Scene) -> None:
    """§2 UNAVAILABLE: nothing was sent, worth another try, and nothing appears later."""
    scene.driver.close()
    answer = scene.offer("a")
    assert isinstance(answer, Unavailable)
    assert answer.retryable
    assert answer.hint
    scene.driver.open(scene.events.append)
    assert scene.counts() == {}


def publishing_waits_for_the_driver_to_come_back(scene: Scene) -> None:
    """§2 publish_timeout: an outage shorter than it is not noticed."""
    scene.driver.close()
    publisher = scene.publisher("a")
    scene.later(2.0)
    scene.driver.open(scene.events.append)
    assert publisher.end() == [Receipt("a")]


def publishing_gives_up_when_its_time_is_over(scene: Scene) -> None:
    """§2 publish_timeout: it waits up to this limit and no longer."""
    scene.driver.close()
    answers = scene.publisher("a").end(lambda: scene.later(1.0))
    assert [type(answer) for answer in answers] == [Unavailable]


def what_was_stored_is_there_after_a_restart_of_the_driver(scene: Scene) -> None:
    """§2 success: closing and opening the driver keeps queues, messages and their order."""
    scene.publish("a", "b", "c")
    scene.reopen()
    scene.publish("d")
    assert scene.consumer().finish() == ["a", "b", "c", "d"]


def an_option_that_the_driver_does_not_know_is_refused_by_name(scene: Scene) -> None:
    """§1 I6: never ignored, and the queue is not half declared."""
    with refused(Unsupported, match="colour"):
        scene.driver.declare(QueueSpec("other", options={"colour": "red"}))
    with refused(QueueNotFound):
        scene.info("other")


def durability_is_kept_or_refused(scene: Scene) -> None:
    """§1 I6: a driver that forgets with its process says so when it is asked to remember."""
    if scene.promises("durable"):
        scene.declare("other", options={"durable": True})


def declaring_again_keeps_the_messages(scene: Scene) -> None:
    """§8 reload: a queue that is declared as it was goes on as it was."""
    scene.publish("a")
    scene.driver.declare(scene.spec)
    assert scene.consumer().finish() == ["a"]


def the_same_id_may_be_published_twice(scene: Scene) -> None:
    """§2 TIMEOUT: an id alone is no promise of deduplication; both arrive."""
    scene.publish("a")
    scene.publish("a")
    assert scene.consumer().finish() == ["a", "a"]


def one_consumer_sees_publish_order(scene: Scene) -> None:
    """§6 order: concurrency 1 and no failure."""
    names = [f"m{number}" for number in range(50)]
    for name in names:
        scene.publish(name)
    consumer = scene.consumer(prefetch=7)
    assert consumer.finish(limit=60) == names


def a_message_without_wishes_is_normal(scene: Scene) -> None:
    """§2 options: all of them are optional."""
    scene.driver.publish("q", [Message("a", b"", scene.clock.now())], 1.0)
    consumer = scene.consumer()
    (delivery,) = consumer.run()
    assert delivery.message.priority is Priority.NORMAL
    assert consumer.settle(delivery, ACK)
    assert consumer.take() == []
