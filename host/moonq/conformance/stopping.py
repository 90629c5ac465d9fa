"""Contract sections 5 and 8: nothing is lost when a consumer ends, whatever way it ends."""

from __future__ import annotations

from contextlib import suppress

from moonq.conformance.case import each, exactly, needs
from moonq.conformance.scene import Scene, Worker, ids, retry
from moonq.drivers.base import LEASE, Mover
from moonq.errors import QueueFull, Unavailable
from moonq.model import RELEASE


def a_stop_hands_back_all_that_has_not_started(scene: Scene) -> None:
    """§8 stop: of 20, one runs and 19 are ready at once, in order, no attempt spent."""
    names = [f"m{n:02}" for n in range(20)]
    consumer = scene.serving(*names, prefetch=20)
    (running,) = consumer.run(1)
    consumer.take(5)
    consumer.subscription.stop()
    assert scene.counts() == {"ready": 19, "running": 1}
    taken = scene.consumer(prefetch=20).take(20)
    assert ids(taken) == [name for name in names if name != running.message.id]
    assert {(d.attempt, d.interruptions) for d in taken} == {(1, 0)}
    assert consumer.settle(running)


def what_was_handed_back_comes_before_what_was_waiting(scene: Scene) -> None:
    """§8 stop: two consumers that stop one after the other leave publish order behind."""
    names = [f"m{n:02}" for n in range(12)]
    scene.publish(*names)
    first, second = scene.consumer(prefetch=4), scene.consumer(prefetch=4)
    first.take(4)
    second.take(4)
    first.subscription.stop()
    second.subscription.stop()
    assert scene.consumer().finish(limit=20) == names


@needs("max_length")
@exactly("max_length")
def a_thousand_leased_messages_all_come_back(scene: Scene) -> None:
    """§8 stop: none is missing, and a full queue is no reason to drop one."""
    scene.declare("q", max_length=1000)
    consumer = scene.serving(*(f"m{n}" for n in range(1000)), prefetch=1000)
    assert len(consumer.take(1000)) == 1000
    consumer.subscription.stop()
    assert scene.counts() == {"ready": 1000}


def what_was_handed_back_cannot_be_started_any_more(scene: Scene) -> None:
    """§8 stop: no handler starts after stop began."""
    consumer, delivery = scene.taken("a")
    consumer.subscription.stop()
    assert not consumer.subscription.start(delivery)
    assert not consumer.settle(delivery)
    assert scene.counts() == {"ready": 1}


def a_stopped_consumer_takes_nothing_more(scene: Scene) -> None:
    """§8 stop: nothing new, whatever is published."""
    consumer = scene.consumer()
    consumer.subscription.stop()
    scene.publish("a")
    assert consumer.subscription.take(1, 60.0) == []
    assert scene.counts() == {"ready": 1}


def a_running_message_can_be_settled_while_its_consumer_stops(scene: Scene) -> None:
    """§8 stop: running handlers may finish, with any verdict."""
    consumer = scene.serving("a", "b", "c")
    first, second, third = consumer.run()
    consumer.subscription.stop()
    assert consumer.settle(first)
    assert consumer.settle(second, retry(1))
    assert consumer.settle(third, RELEASE)
    assert consumer.subscription.close(scene.clock.monotonic() + 10)
    assert scene.counts() == {"ready": 1, "delayed": 1}


@each("stopped", ["consumer", "driver"])
def a_stop_wakes_a_worker_that_waits(scene: Scene, stopped: str) -> None:
    """§8 stop: idle workers end at once, also when the driver goes first."""
    consumer = scene.consumer()
    worker = Worker(consumer, None)
    assert worker.is_alive()
    (consumer.subscription.stop if stopped == "consumer" else scene.driver.close)()
    assert worker.took() == []


def stopping_and_closing_may_be_repeated(scene: Scene) -> None:
    """§8 stop: the second time changes nothing."""
    consumer = scene.serving("a")
    consumer.take()
    for _ in range(2):
        consumer.subscription.stop()
        assert consumer.subscription.close(scene.clock.monotonic())
    assert scene.counts() == {"ready": 1}
    assert scene.info().consumer_count == 0


def ten_restarts_cost_a_waiting_message_nothing(scene: Scene) -> None:
    """§4 attempt: deploys cost neither attempts nor interruptions."""
    scene.publish("a")
    for _ in range(10):
        consumer = scene.consumer()
        consumer.take()
        consumer.subscription.stop()
        consumer.subscription.close(scene.clock.monotonic())
    (delivery,) = scene.consumer().take()
    assert (delivery.attempt, delivery.interruptions) == (1, 0)


def consumers_that_come_and_go_leave_nothing_behind(scene: Scene) -> None:
    """§8 stop: 50 times under load; every message is handled once, no consumer is left."""
    names = [f"m{n:03}" for n in range(500)]
    scene.publish(*names)
    done: list[str] = []
    for _ in range(50):
        consumer = scene.consumer(prefetch=20)
        done += consumer.finish(limit=10)
        consumer.take(5)
        consumer.subscription.stop()
        consumer.subscription.close(scene.clock.monotonic())
    assert sorted(done) == names
    if scene.pace.is_virtual and scene.is_exact("order"):
        # A broker may serve a newcomer before it has sorted in what was handed back.
        assert done == names
    assert scene.counts() == {}
    assert scene.info().consumer_count == 0


def a_message_whose_consumer_left_runs_again(scene: Scene) -> None:
    """§5 lease: closed over a running handler: an interruption, no attempt."""
    consumer = scene.serving("running", "buffered")
    (running,) = consumer.run(1)
    consumer.subscription.close(scene.clock.monotonic())
    assert scene.counts() == {"ready": 2}
    assert not consumer.settle(running)
    assert scene.told("interrupted") == 1
    taken = scene.consumer().take()
    story = {d.message.id: (d.attempt, d.interruptions, d.lost_at is None) for d in taken}
    assert story == {"running": (1, 1, False), "buffered": (1, 0, True)}


def the_messages_of_a_crashed_consumer_run_again(scene: Scene) -> None:
    """§5 lease: within lease + 10 s, only what ran is an interruption."""
    consumer = scene.serving("running", "buffered")
    consumer.run(1)
    consumer.crash()
    scene.later(LEASE + 10)
    heir = scene.consumer()
    taken = heir.take()
    story = sorted((d.message.id, d.attempt, d.interruptions) for d in taken)
    assert story == [("buffered", 1, 0), ("running", 1, 1)]
    assert {d.message.id for d in taken if d.lost_at is not None} == {"running"}
    assert scene.info().consumer_count == 1


def every_interruption_is_counted_and_its_moment_told(scene: Scene) -> None:
    """§4 interruptions: how long one waits is decided above the driver, which only counts."""
    scene.publish("a")
    lost_at = None
    for number in range(5):
        consumer = scene.consumer()
        (delivery,) = consumer.run()
        assert delivery.interruptions == number
        assert scene.near(delivery.lost_at, lost_at) if lost_at else delivery.lost_at is None
        consumer.subscription.close(scene.clock.monotonic())
        lost_at = scene.clock.now()
        scene.later(10)


def a_crash_is_noticed_by_a_worker_that_waits_already(scene: Scene) -> None:
    """§5 lease: without any look at the queue."""
    scene.publish("a")
    crashed, waiting = scene.consumer(), scene.consumer()
    crashed.run()
    worker = Worker(waiting, 300.0)
    crashed.crash()
    assert worker.took(lambda: scene.later(1)) == ["a"]


@each("lease", [1.0, 3600.0])
def a_crash_is_noticed_within_the_lease_of_the_one_that_crashed(scene: Scene, lease: float) -> None:
    """§5 lease: + 10 s, whatever the lease of the one that waits."""
    scene.publish("a")
    crashed, waiting = scene.consumer(lease=lease), scene.consumer(lease=3600.0)
    crashed.run()
    worker = Worker(waiting, 10_000.0)
    crashed.crash()
    scene.later(lease + 10)
    assert worker.took() == ["a"]


@each("lease", [1.0, 3600.0])
def a_handler_may_outlast_its_lease(scene: Scene, lease: float) -> None:
    """§5 lease: it is renewed by itself, so a short one costs nothing."""
    scene.publish("a")
    consumer, other = scene.consumer(lease=lease, timeout=30.0, name="app:worker"), scene.consumer()
    (running,) = consumer.run()
    for _ in range(6):
        scene.later(4)
        assert other.take() == []
    assert consumer.settle(running)


def a_long_handler_is_not_run_again(scene: Scene) -> None:
    """§5 lease: renewed for as long as the consumer lives; three leases long and no second run."""
    scene.publish("a", "b")
    consumer, other = scene.consumer(), scene.consumer()
    running, buffered = consumer.take()
    assert consumer.subscription.start(running)
    for _ in range(9):
        scene.later(10)
        assert other.take() == []
    assert consumer.subscription.start(buffered)
    assert consumer.settle(running)
    assert consumer.settle(buffered)


@needs("max_length")
@exactly("max_length")
def what_is_declared_while_the_driver_is_closed_is_there_when_it_opens(scene: Scene) -> None:
    """§2 publish_timeout: a driver that is down at the start is no reason to forget its queues."""
    scene.driver.close()
    with suppress(Unavailable):
        scene.declare("later", max_length=1)
    answer = scene.offer("early", queue="later")
    assert isinstance(answer, Unavailable)
    scene.driver.open(scene.events.append)
    scene.publish("a", queue="later")
    assert isinstance(scene.offer("b", queue="later"), QueueFull)
    assert scene.consumer(queue="later").finish() == ["a"]


@each("patience", [10.0, 0.0])
def a_driver_that_closes_sends_what_it_has_accepted(scene: Scene, patience: float) -> None:
    """§8 stop: by its deadline; a verdict that it took is kept, or its message runs again."""
    consumer = scene.serving("a", "b")
    done, failed = consumer.run(2)
    assert consumer.settle(done)
    assert consumer.settle(failed, retry(1.0))
    consumer.subscription.stop()
    assert consumer.subscription.close(scene.clock.monotonic() + 10)
    assert scene.driver.close(scene.clock.monotonic() + patience)
    assert scene.driver.close()
    assert isinstance(scene.offer("late"), Unavailable)
    scene.driver.open(scene.events.append)
    assert scene.counts() == {"delayed": 1}


def what_is_erased_is_gone(scene: Scene) -> None:
    """§2 success: where a driver has tried something out, no message of it is left."""
    scene.publish("a")
    scene.kill("b")
    if scene.promises("delay"):
        scene.publish("late", delay=60.0)
    scene.driver.close()
    for _ in range(2):
        scene.driver.erase()
    scene.driver.open(scene.events.append)
    scene.declare()
    assert scene.counts() == {}
    if isinstance(scene.driver, Mover):
        assert scene.driver.unserved() == {}
    scene.later(60)
    assert scene.consumer().take() == []
    assert scene.consumer(queue="q.dead").take() == []


def a_driver_that_does_well_complains_of_nothing(scene: Scene) -> None:
    """§4 health: it turns red for a reason, which is said."""
    scene.kill("a")
    assert list(scene.driver.health()) == []


@exactly("survives_reopen")
def a_running_message_outlives_a_restart_of_its_driver(scene: Scene) -> None:
    """§8: what ran while the driver was closed is settled, and not run twice."""
    consumer = scene.serving("a", "b")
    (running,) = consumer.run(1)
    scene.driver.close()
    assert consumer.take() == []
    scene.driver.open(scene.events.append)
    assert consumer.settle(running)
    assert scene.consumer().finish() == ["b"]
    assert scene.counts() == {}
