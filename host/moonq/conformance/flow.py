"""Contract section 7: prefetch, pause, and work for every worker that waits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from moonq.conformance.case import each, needs
from moonq.conformance.scene import Consumer, Scene, Worker, dead, ids
from moonq.errors import QueueFull
from moonq.model import ACK, Receipt, Verdict


@each("prefetch", [1, 3, 10])
def no_more_than_prefetch_is_unsettled(scene: Scene, prefetch: int) -> None:
    """§7 prefetch: buffered and running together; a settle makes room for one."""
    consumer = scene.serving(*(f"m{n}" for n in range(20)), prefetch=prefetch)
    running = consumer.run(20)
    assert len(running) == prefetch
    assert consumer.take() == []
    assert scene.info().ready == 20 - prefetch
    consumer.settle(running[0])
    assert len(consumer.take()) == 1


def a_buffer_counts_as_leased(scene: Scene) -> None:
    """§7 prefetch: what waits at the consumer is out of the queue, up to prefetch."""
    consumer = scene.serving(*(f"m{n}" for n in range(20)), prefetch=5)
    consumer.run(1)
    info = scene.info()
    assert info.running == 1
    assert (info.leased or 0) <= 4
    assert info.message_count == 20


def two_consumers_both_work(scene: Scene) -> None:
    """§7 prefetch: one at its limit leaves the rest to the other."""
    scene.publish("a", "b", "c")
    first, second = scene.consumer(prefetch=1), scene.consumer(prefetch=1)
    taken = [*ids(first.run()), *ids(second.run())]
    assert taken == ["a", "b"] if scene.is_exact("order") else len(set(taken)) == 2


def an_idle_consumer_is_not_left_without_work_by_anothers_buffer(scene: Scene) -> None:
    """§7 prefetch: both of two consumers get something, whichever asks first."""
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
def a_bounded_queue_does_not_grow_without_end(scene: Scene) -> None:
    """§7 max_length: counted roughly or not, there is an end; what was accepted is kept."""
    scene.declare("bounded", max_length=3)
    answers = [scene.offer(f"m{n:02}", queue="bounded") for n in range(30)]
    refused = [answer for answer in answers if not isinstance(answer, Receipt)]
    assert refused
    assert {type(answer) for answer in refused} == {QueueFull}
    accepted = [answer.id for answer in answers if isinstance(answer, Receipt)]
    consumer = scene.consumer(queue="bounded")
    assert consumer.finish(limit=30) == accepted
    assert isinstance(scene.offer("later", queue="bounded"), Receipt)
    assert consumer.finish() == ["later"]


@needs("purge")
def a_purge_drops_what_is_ready_and_nothing_at_work(scene: Scene) -> None:
    """§1 I1: an operator's purge, with a count; what is delayed may be left."""
    consumer = scene.serving("running", "a", "b", prefetch=1)
    (running,) = consumer.run()
    assert scene.driver.purge("q") == 2
    assert scene.driver.purge("q") == 0
    assert consumer.settle(running)
    assert scene.consumer().take() == []


@needs("pause")
def a_paused_queue_delivers_nothing(scene: Scene) -> None:
    """§7 pause: nothing new, the buffer is handed back in order, running ones go on."""
    consumer = scene.serving(*"abcd")
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
    """§7 pause: of one consumer; its buffer goes to the others."""
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
    scene.publish("in the way")
    (delivery,) = consumer.run()
    scene.publish("b")
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
