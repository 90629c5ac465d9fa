"""Contract section 7: prefetch, bounded queues, pause."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from moonq.conformance.case import each, needs
from moonq.conformance.scene import BOOM, Consumer, Scene, Worker, dead, ids, retry
from moonq.errors import QueueFull
from moonq.model import ACK, RELEASE, Interrupt, Receipt, Snooze, Verdict, Wait


@each("prefetch", [1, 3, 10])
def no_more_than_prefetch_is_unsettled(scene: Scene, prefetch: int) -> None:
    """§7 prefetch: buffered and running together; a settle makes room for one."""
    scene.publish(*(f"m{n}" for n in range(20)))
    consumer = scene.consumer(prefetch)
    running = consumer.run(20)
    assert len(running) == prefetch
    assert consumer.take() == []
    assert scene.info().ready == 20 - prefetch
    consumer.settle(running[0])
    assert len(consumer.take()) == 1


def a_buffer_counts_as_leased(scene: Scene) -> None:
    """§7 prefetch: what waits at the consumer is out of the queue, up to prefetch."""
    scene.publish(*(f"m{n}" for n in range(20)))
    consumer = scene.consumer(prefetch=5)
    consumer.run(1)
    info = scene.info()
    assert info.running == 1
    assert (info.leased or 0) <= 4
    assert info.message_count == 20


def two_consumers_both_work(scene: Scene) -> None:
    """§7 prefetch: one at its limit leaves the rest to the other."""
    scene.publish("a", "b", "c")
    first, second = scene.consumer(prefetch=1), scene.consumer(prefetch=1)
    assert ids(first.run()) == ["a"]
    assert ids(second.run()) == ["b"]


def an_idle_consumer_is_not_left_without_work_by_anothers_buffer(scene: Scene) -> None:
    """§7 prefetch: both of two consumers get something, whoever asks first."""
    scene.publish(*(f"m{n}" for n in range(10)))
    first, second = scene.consumer(prefetch=10), scene.consumer(prefetch=10)
    assert len(first.run(1)) == 1
    (other,) = second.run(1)
    assert second.settle(other)
    rest = first.finish(limit=20)
    assert other.message.id not in rest
    assert scene.info().message_count == 1


def a_consumer_at_its_limit_does_not_take_from_anothers_buffer(scene: Scene) -> None:
    """§7 prefetch: a limit is a limit, wherever the message would come from."""
    scene.publish(*"abcde")
    full, other = scene.consumer(prefetch=1), scene.consumer(prefetch=10)
    assert len(full.run()) == 1
    other.run(1)
    assert full.take() == []
    assert len(other.run()) == 3


@needs("max_length")
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


@needs("max_length")
def a_publish_into_a_full_queue_does_not_wait_where_it_is_refused(scene: Scene) -> None:
    """§7 `overflow: reject`: the time limit is for a broker that is away."""
    scene.declare("q", max_length=1)
    scene.publish("a")
    (answer,) = scene.driver.publish("q", [scene.message("b")], 3600.0)
    assert isinstance(answer, QueueFull)


@each("verdict", [retry(1), Snooze(1.0), RELEASE, Interrupt(BOOM), Wait(1.0)])
@needs("max_length")
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


@needs("max_length")
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
    """§7 `overflow: drop_oldest`: gone, and somebody was told."""
    scene.declare("q", max_length=1, overflow="drop_oldest", dead_letter=None)
    scene.publish("a", "b", "c")
    assert scene.told("dropped") == 2
    assert scene.consumer().finish() == ["c"]


@needs("drop_oldest")
def what_is_at_work_is_never_dropped_for_a_newcomer(scene: Scene) -> None:
    """§1 I1: leased, running and failed messages keep their place; the newcomer is refused."""
    scene.declare("q", max_length=2, overflow="drop_oldest")
    scene.publish("a", "b")
    consumer = scene.consumer()
    failing, running = consumer.run()
    consumer.settle(failing, retry(5))
    assert isinstance(scene.offer("c"), QueueFull)
    consumer.settle(running)
    scene.later(5)
    assert consumer.finish() == ["a"]


@needs("drop_oldest", "group")
def the_waiting_rest_of_a_group_can_be_dropped(scene: Scene) -> None:
    """§7 `overflow: drop_oldest`: whoever waits for its group is ready like the others."""
    scene.declare("q", max_length=3, overflow="drop_oldest")
    for name in ("A1", "A2", "A3"):
        scene.publish(name, group="A")
    consumer = scene.consumer()
    (a1,) = consumer.run()
    scene.publish("A4", group="A")
    assert consumer.settle(a1)
    assert consumer.finish() == ["A3", "A4"]
    assert scene.reason("A2") == "max_length"


@needs("drop_oldest", "group")
def a_group_goes_on_behind_one_that_was_dropped_in_the_same_batch(scene: Scene) -> None:
    """§7 `overflow: drop_oldest`: whoever made room for it has left its group as well."""
    scene.declare("q", max_length=1, overflow="drop_oldest")
    scene.publish("A1", "A2", "A3", group="A")
    assert scene.consumer().finish() == ["A3"]


@needs("max_length")
def a_publisher_waits_for_a_place_and_gets_it(scene: Scene) -> None:
    """§7 `overflow: block`: as soon as one is acknowledged."""
    scene.declare("q", max_length=1, overflow="block")
    scene.publish("a")
    publisher = scene.publisher("b")
    publisher.join(0.05)
    assert publisher.is_alive()
    assert scene.consumer().finish(ACK, limit=1) == ["a"]
    assert publisher.end() == [Receipt("b")]


@each("free", ["dead", "purge", "expire", "raise max_length"])
@needs("max_length")
def a_waiting_publisher_gets_every_place_that_becomes_free(scene: Scene, free: str) -> None:
    """§7 `overflow: block`: whatever it was that freed it."""
    scene.declare("q", max_length=1, overflow="block")
    scene.publish("a", ttl=2.0 if free == "expire" else None)
    publisher = scene.publisher("b")
    publisher.join(0.02)
    if free == "dead":
        scene.consumer().finish(dead(), limit=1)
    elif free == "purge":
        scene.driver.purge("q", ["a"])
    elif free == "expire":
        scene.later(2)
    else:
        scene.declare("q", max_length=2, overflow="block")
    assert publisher.end() == [Receipt("b")]


@needs("max_length")
def a_publisher_waits_no_longer_than_its_limit(scene: Scene) -> None:
    """§7 `overflow: block`: up to publish_timeout, then it is refused."""
    scene.declare("q", max_length=1, overflow="block")
    scene.publish("a")
    publisher = scene.publisher("b")
    assert isinstance(publisher.end(lambda: scene.later(1))[0], QueueFull)
    assert scene.consumer().finish() == ["a"]


@needs("max_length")
def a_handler_that_publishes_into_its_own_queue_never_waits(scene: Scene) -> None:
    """§7 `overflow: block`: whoever may not wait is refused at once."""
    scene.declare("q", max_length=1, overflow="block")
    scene.publish("a")
    publisher = scene.publisher("b", may_wait=False)
    assert isinstance(publisher.end()[0], QueueFull)


@needs("pause")
def a_paused_queue_delivers_nothing(scene: Scene) -> None:
    """§7 pause: nothing new, the buffer is handed back in order, running ones go on."""
    scene.publish(*"abcd")
    consumer = scene.consumer()
    (running,) = consumer.run(1)
    (taken,) = consumer.take(1)
    scene.driver.pause("q")
    assert scene.counts() == {"ready": 3, "running": 1}
    assert scene.info().paused
    assert consumer.take() == []
    assert not consumer.subscription.start(taken)
    assert consumer.settle(running)
    scene.driver.resume("q")
    assert not scene.info().paused
    assert consumer.finish() == ["b", "c", "d"]


def a_paused_consumer_leaves_the_work_to_others(scene: Scene) -> None:
    """§7 pause: of one consumer; its buffer goes to whoever is there."""
    scene.publish(*"abcd")
    paused, other = scene.consumer(), scene.consumer()
    (running,) = paused.run(1)
    paused.subscription.pause()
    assert paused.take() == []
    assert other.finish() == ["b", "c", "d"]
    assert paused.settle(running)
    scene.publish("e")
    assert paused.take() == []
    paused.subscription.resume()
    assert paused.finish() == ["e"]


@needs("pause")
def publishing_to_a_paused_queue_goes_on(scene: Scene) -> None:
    """§7 pause: it stops deliveries, not publishers."""
    scene.driver.pause("q")
    scene.publish("a")
    assert scene.counts() == {"ready": 1}


def _end_the_one_in_its_way(
    verdict: Verdict, scene: Scene, consumer: Consumer
) -> Callable[[], object]:
    scene.publish("in the way", "b")
    (delivery,) = consumer.run()
    return lambda: consumer.settle(delivery, verdict)


def _hand_back(scene: Scene, _consumer: Consumer) -> Callable[[], object]:
    scene.publish("b")
    other = scene.consumer()
    other.take()
    return other.subscription.stop


def _resume_the_consumer(scene: Scene, consumer: Consumer) -> Callable[[], object]:
    consumer.subscription.pause()
    scene.publish("b")
    return consumer.subscription.resume


def _resume_the_queue(scene: Scene, _consumer: Consumer) -> Callable[[], object]:
    scene.driver.pause("q")
    scene.publish("b")
    return lambda: scene.driver.resume("q")


def _publish(scene: Scene, _consumer: Consumer) -> Callable[[], object]:
    return lambda: scene.publish("b")


@each(
    "prepare",
    [
        _publish,
        _hand_back,
        _resume_the_consumer,
        _resume_the_queue,
        partial(_end_the_one_in_its_way, ACK),
        partial(_end_the_one_in_its_way, dead()),
    ],
)
def a_waiting_worker_wakes_when_there_is_work_for_it(
    scene: Scene, prepare: Callable[[Scene, Consumer], Callable[[], object]]
) -> None:
    """§7 deliveries: no message lies there while a worker waits."""
    consumer = scene.consumer(prefetch=1)
    begin = prepare(scene, consumer)
    worker = Worker(consumer, 60.0)
    assert worker.is_alive()
    begin()
    assert worker.took() == ["b"]


@each(("first", "second"), [(4, 4), (1, 2), (1, 7), (3, 1)])
def every_waiting_worker_gets_one_of_many(scene: Scene, first: int, second: int) -> None:
    """§7 deliveries: of one batch, whichever consumer the workers belong to."""
    workers = first + second
    consumers = [scene.consumer(prefetch=10), scene.consumer(prefetch=10)]
    waiting = [Worker(consumers[number >= first], 60.0) for number in range(workers)]
    scene.publish(*(f"m{n}" for n in range(workers)))
    taken = [name for worker in waiting for name in worker.took()]
    assert sorted(taken) == [f"m{n}" for n in range(workers)]
