"""Contract section 7: queues that are bounded in bytes, their dead letters counted."""

from __future__ import annotations

from moonq.conformance.case import each, needs
from moonq.conformance.scene import Scene, dead, retry
from moonq.errors import QueueFull
from moonq.model import ACK, Dead, ErrorRecord, Receipt, Snooze

#: What a driver needs for any of these cases.
NEEDS = ("max_bytes",)
#: Of three messages of that size there is room for the third, of four not for the fourth.
MOST, BODY = 10_000, b"x" * 2000


def _offer(scene: Scene, name: str, body: bytes = BODY) -> object:
    return scene.offer(name, body=body)


def a_publish_beyond_max_bytes_is_refused(scene: Scene) -> None:
    """§7 max_bytes: refused, retryably and with the numbers; a smaller one still has room."""
    scene.declare("q", max_bytes=MOST)
    batch = [scene.message(f"m{n}", body=BODY) for n in range(5)]
    answers = scene.driver.publish("q", batch, 0.0)
    assert answers[:3] == [Receipt("m0"), Receipt("m1"), Receipt("m2")]
    for answer in answers[3:]:
        assert isinstance(answer, QueueFull)
        assert answer.retryable
        assert f"{MOST} (`max_bytes`)" in answer.message
    assert _offer(scene, "small", b"{}") == Receipt("small")
    assert scene.consumer().finish() == ["m0", "m1", "m2", "small"]
    assert _offer(scene, "next") == Receipt("next")


def headers_count_like_bodies(scene: Scene) -> None:
    """§7 max_bytes: body and headers."""
    scene.declare("q", max_bytes=MOST)
    headers = {"note": "x" * 2000}
    assert [type(scene.offer(f"m{n}", headers=headers)) for n in range(4)] == [
        *[Receipt] * 3,
        QueueFull,
    ]


def what_is_published_with_wishes_counts_too(scene: Scene) -> None:
    """§7 max_bytes: delayed, or in a group, a message weighs what it weighs."""
    scene.declare("q", max_bytes=MOST)
    for name, wishes in (("a", {"delay": 5.0}), ("b", {"group": "g"}), ("c", {"group": "g"})):
        assert scene.offer(name, body=BODY, **wishes) == Receipt(name)
    assert isinstance(_offer(scene, "d"), QueueFull)
    scene.later(6)
    consumer = scene.consumer()
    assert sorted([*consumer.finish(), *consumer.finish()]) == ["a", "b", "c"]
    assert scene.info().bytes == 0


def dead_letters_count_for_the_queue_that_they_come_from(scene: Scene) -> None:
    """§7 max_bytes: settling is never refused, and what is dead holds its place."""
    scene.declare("q", max_bytes=MOST)
    for number in range(3):
        assert _offer(scene, f"m{number}") == Receipt(f"m{number}")
    scene.consumer().finish(dead())
    assert scene.counts() == {"dead": 3}
    assert isinstance(_offer(scene, "next"), QueueFull)
    info = scene.info()
    assert info.bytes == info.dead_bytes
    assert scene.driver.purge("q.dead") == 3
    assert _offer(scene, "next") == Receipt("next")
    assert scene.info().dead_bytes == 0


def health_is_red_while_dead_letters_fill_the_queue(scene: Scene) -> None:
    """§7 max_bytes: nothing is trimmed, publishes are refused, and an operator is told."""
    scene.declare("q", max_bytes=MOST)
    for number in range(3):
        _offer(scene, f"m{number}")
    assert isinstance(_offer(scene, "early"), QueueFull)
    assert list(scene.driver.health()) == []
    scene.consumer().finish(dead())
    assert isinstance(_offer(scene, "late"), QueueFull)
    (sentence,) = scene.driver.health()
    assert "'q': its dead letters fill it" in sentence
    assert scene.driver.redrive("q.dead", "") == 3
    assert scene.consumer().finish() == ["m0", "m1", "m2"]
    assert _offer(scene, "next") == Receipt("next")
    assert list(scene.driver.health()) == []


def a_dead_letter_that_is_consumed_makes_room(scene: Scene) -> None:
    """§7 max_bytes: whatever way it goes."""
    scene.declare("q", max_bytes=MOST)
    for number in range(3):
        _offer(scene, f"m{number}")
    scene.consumer().finish(dead())
    assert len(scene.consumer(queue="q.dead").finish()) == 3
    assert _offer(scene, "next") == Receipt("next")
    assert scene.info().dead_bytes == 0


@each("verdict", [retry(1), Snooze(1.0)])
def what_comes_back_needs_no_room(scene: Scene, verdict: object) -> None:
    """§7 max_bytes: settling is never refused, though the errors of a message count."""
    scene.declare("q", max_bytes=MOST)
    for number in range(3):
        _offer(scene, f"m{number}")
    assert len(scene.consumer().finish(verdict)) == 3  # type: ignore[arg-type]
    scene.later(1)
    assert scene.consumer().finish() == ["m0", "m1", "m2"]
    assert scene.info().bytes == 0


def the_errors_of_a_message_count(scene: Scene) -> None:
    """§7 max_bytes: a message that fails weighs more and more, a dead letter as much."""
    scene.declare("q", max_bytes=MOST)
    consumer = scene.serving("a")
    before = scene.info().bytes
    consumer.finish(retry(1)._replace(error=ErrorRecord(1.0, "INTERNAL", "m" * 3000, "")))
    after = scene.info().bytes
    assert before is not None
    assert after is not None
    assert after >= before + 3000
    scene.later(1)
    consumer.finish(Dead("rejected"))
    letters = scene.info().dead_bytes
    assert letters is not None
    assert letters >= after
    assert scene.driver.purge("q.dead") == 1
    assert scene.info().bytes == 0


def a_patient_publish_waits_for_bytes(scene: Scene) -> None:
    """§7 `overflow: block`: until there is room for as much."""
    scene.declare("q", max_bytes=MOST, overflow="block")
    for number in range(3):
        _offer(scene, f"m{number}")
    publisher = scene.publisher("next", body=BODY)
    consumer = scene.consumer()
    assert publisher.end(lambda: consumer.finish(limit=1)) == [Receipt("next")]


def a_patient_publish_waits_for_dead_letters_to_go(scene: Scene) -> None:
    """§7 `overflow: block`: they hold places of the queue."""
    scene.declare("q", max_bytes=MOST, overflow="block")
    for number in range(3):
        _offer(scene, f"m{number}")
    scene.consumer().finish(dead())
    publisher = scene.publisher("next", body=BODY)
    assert publisher.end(lambda: scene.driver.purge("q.dead")) == [Receipt("next")]


def the_oldest_is_dropped_where_no_dead_letter_keeps_it(scene: Scene) -> None:
    """§7 `overflow: drop_oldest`: it makes room for a newcomer."""
    scene.declare("q", max_bytes=MOST, overflow="drop_oldest", dead_letter=None)
    for number in range(5):
        assert _offer(scene, f"m{number}") == Receipt(f"m{number}")
    assert scene.told("dropped") == 2
    assert scene.consumer().finish() == ["m2", "m3", "m4"]


def nothing_is_dropped_that_would_weigh_as_much_as_a_dead_letter(scene: Scene) -> None:
    """§7 `overflow: drop_oldest`: nothing is trimmed for nothing."""
    scene.declare("q", max_bytes=MOST, overflow="drop_oldest")
    for number in range(3):
        _offer(scene, f"m{number}")
    assert isinstance(_offer(scene, "next"), QueueFull)
    assert scene.told("dropped") == 0
    assert scene.consumer().finish() == ["m0", "m1", "m2"]


def a_bound_may_come_later_and_go(scene: Scene) -> None:
    """§7 max_bytes: what is there already counts, dead letters too."""
    for number in range(4):
        _offer(scene, f"m{number}")
    scene.consumer().finish(dead(), limit=1)
    scene.declare("q", max_bytes=MOST)
    assert isinstance(_offer(scene, "late"), QueueFull)
    assert scene.driver.purge("q.dead") == 1
    assert scene.consumer().finish(ACK, limit=1) == ["m1"]
    assert _offer(scene, "next") == Receipt("next")
    assert isinstance(_offer(scene, "late"), QueueFull)
    scene.declare("q")
    assert _offer(scene, "late") == Receipt("late")


@needs("durable")
def what_a_queue_weighs_outlasts_a_restart(scene: Scene) -> None:
    """§7 max_bytes: of messages that do."""
    scene.declare("q", max_bytes=MOST)
    for number in range(3):
        _offer(scene, f"m{number}")
    before = scene.info().bytes
    scene.restart()
    assert scene.info().bytes == before
    assert isinstance(_offer(scene, "next"), QueueFull)
    assert scene.consumer().finish() == ["m0", "m1", "m2"]
    assert scene.info().bytes == 0
