"""Contract section 4: what a dead letter keeps, and how it lives again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from moonq.conformance.case import exactly, needs
from moonq.conformance.scene import BOOM, Scene, dead, refused, retry
from moonq.errors import QueueFull, QueueNotFound
from moonq.model import ACK, Dead, ErrorRecord, Interrupt


def a_message_that_always_fails_ends_as_a_dead_letter_with_its_story(scene: Scene) -> None:
    """§4 dead letter: attempts, interruptions, errors, origin, reason and time."""
    consumer = scene.serving("a", body=b"raw", headers={"tenant": "t1"})
    for number in (1, 2):
        consumer.finish(Interrupt(), limit=1)
        consumer.finish(retry(number), limit=1)
        scene.later(number)
    consumer.finish(dead("max_attempts"), limit=1)

    letter = scene.letter("a")
    assert letter.message.body == b"raw"
    headers = dict(letter.message.headers)
    assert scene.near(float(headers.pop("x_dead_letter_time")), scene.clock.now())
    assert headers == {
        "tenant": "t1",
        "x_original_queue": "q",
        "x_dead_letter_reason": "max_attempts",
        "x_attempts": 3,
        "x_interruptions": 2,
        "x_last_error": "boom",
    }
    if scene.keeps("find"):
        assert letter.errors == (BOOM, BOOM, BOOM)
    assert scene.counts() == {"dead": 1}
    assert scene.info().message_count == 0


def a_dead_letter_keeps_no_promise_of_its_old_life(scene: Scene) -> None:
    """§4 dead letter: no delay, no ttl, no deduplication key; priority and group stay."""
    wishes: dict[str, Any] = {"delay": 1.0, "ttl": 60.0, "dedup_key": "k", "group": "g"}
    for ability in ("delay", "ttl", "dedup", "group"):
        if not scene.promises(ability):
            wishes.pop("dedup_key" if ability == "dedup" else ability)
    scene.publish("a", **wishes)
    scene.later(1)
    scene.consumer().finish(dead())
    letter = scene.letter("a").message
    assert (letter.delay, letter.ttl, letter.dedup_key) == (0.0, None, None)
    assert letter.group == wishes.get("group")


@exactly("find")
def the_last_ten_errors_are_kept(scene: Scene) -> None:
    """§4 errors: time, kind, text and traceback of the newest ten, oldest first."""
    consumer = scene.serving("a")
    for number in range(12):
        error = ErrorRecord(float(number), "TIMEOUT", f"error {number}", f"trace {number}")
        consumer.finish(retry(1)._replace(error=error))
        scene.later(1)
    expected = [f"error {number}" for number in range(2, 12)]
    assert [error.message for error in scene.find("a").errors] == expected
    consumer.finish(Dead("rejected"))
    letter = scene.letter("a")
    assert letter.errors[-1] == ErrorRecord(11.0, "TIMEOUT", "error 11", "trace 11")
    assert letter.message.headers["x_last_error"] == "error 11"


def a_huge_error_is_cut(scene: Scene) -> None:
    """§4 errors: a text has at most 8 KiB, and all of a message 16 KiB."""
    scene.publish("a")
    error = ErrorRecord(1.0, "INTERNAL", "m" * 100_000, "t" * 100_000)
    scene.consumer().finish(Dead("rejected", error))
    letter = scene.letter("a")
    assert len(str(letter.message.headers["x_last_error"])) <= 8192
    if scene.keeps("find"):
        (kept,) = letter.errors
        assert all(8000 <= len(text) <= 8192 for text in (kept.message, kept.traceback))
        assert _stored_size(letter.errors) <= 16 * 1024


@exactly("find")
def ten_huge_errors_are_remembered_in_16_kib(scene: Scene) -> None:
    """§4 errors: ten of them, which tell the less the older they are."""
    consumer = scene.serving("a")
    for number in range(1, 12):
        error = ErrorRecord(float(number), "INTERNAL", f"{number}é" + "m" * 9000, "t" * 9000)
        consumer.finish(retry(1)._replace(error=error))
        scene.later(1)
    kept = scene.find("a").errors
    assert [int(error.message.partition("é")[0]) for error in kept] == list(range(2, 12))
    assert _stored_size(kept) <= 16 * 1024
    assert len(kept[-1].message) > 3000


def _stored_size(errors: Sequence[ErrorRecord]) -> int:
    return len(json.dumps(errors))


def a_dead_letter_can_be_consumed_like_any_message(scene: Scene) -> None:
    """§4 dead-letter queue: a queue; its counters are its own."""
    consumer = scene.serving("a")
    consumer.finish(retry(1), limit=1)
    scene.later(1)
    consumer.finish(dead())
    letters = scene.consumer(queue="q.dead")
    (letter,) = letters.run()
    assert (letter.message.id, letter.attempt, letter.interruptions) == ("a", 1, 0)
    assert letters.settle(letter)
    assert scene.counts() == {}


def another_queue_can_take_the_dead_letters(scene: Scene) -> None:
    """§4 dead_letter: queues may share one, and each counts its own."""
    scene.declare("graveyard")
    scene.declare("q", dead_letter="graveyard")
    scene.declare("r", dead_letter="graveyard")
    scene.kill("a", "b")
    scene.kill("c", queue="r")
    assert (scene.info("q").dead, scene.info("r").dead) == (2, 1)
    assert scene.info("graveyard").ready == 3
    assert scene.find("c", "graveyard").message.headers["x_original_queue"] == "r"


def without_a_dead_letter_queue_the_dead_are_dropped_and_counted(scene: Scene) -> None:
    """§4 `dead_letter: none`: gone, with an event."""
    scene.declare("q", dead_letter=None)
    scene.kill("a")
    assert scene.counts() == {}
    assert scene.told("dropped") == 1


@needs("max_length")
@exactly("max_length")
def dead_letters_are_not_trimmed_by_count(scene: Scene) -> None:
    """§4 dead letters: more than the queue itself may hold."""
    scene.declare("q", max_length=2)
    for _ in range(5):
        scene.publish("a", "b")
        scene.consumer().finish(dead())
    assert scene.info().dead == 10


def a_redriven_letter_starts_anew_under_its_id(scene: Scene) -> None:
    """§4 redrive: counters reset, the id and the publisher's headers stay, the story goes."""
    consumer = scene.serving("a", headers={"tenant": "t1"})
    consumer.finish(retry(1), limit=1)
    scene.later(1)
    consumer.finish(dead())
    assert scene.driver.redrive("q.dead", "") == 1
    assert scene.counts() == {"ready": 1}
    (delivery,) = consumer.run()
    assert (delivery.message.id, delivery.attempt, delivery.interruptions) == ("a", 1, 0)
    assert dict(delivery.message.headers) == {"tenant": "t1", "x_redriven": 1}
    if scene.keeps("find"):
        assert scene.find("a").errors == ()


def the_second_death_tells_of_the_second_life(scene: Scene) -> None:
    """§4 dead letter: after a redrive the headers are of the death that counts."""
    consumer = scene.serving("a")
    consumer.finish(dead("rejected"))
    scene.later(100)
    scene.driver.redrive("q.dead", "")
    consumer.finish(dead("max_attempts"), limit=1)
    headers = scene.letter("a").message.headers
    assert headers["x_dead_letter_reason"] == "max_attempts"
    assert scene.near(float(headers["x_dead_letter_time"]), scene.clock.now())
    assert (headers["x_attempts"], headers["x_redriven"]) == (1, 1)


@exactly("select")
@needs("redrive")
def some_letters_are_redriven_by_id(scene: Scene) -> None:
    """§4 redrive: one, by filter, or all."""
    scene.kill(*"abcd")
    assert scene.driver.redrive("q.dead", "", ["b", "d", "unknown"]) == 2
    assert scene.consumer().finish() == ["b", "d"]
    assert sorted(scene.consumer(queue="q.dead").finish()) == ["a", "c"]


def letters_go_to_another_queue_when_it_is_named(scene: Scene) -> None:
    """§4 redrive: to the source or another queue."""
    scene.declare("other")
    scene.kill("a")
    assert scene.driver.redrive("q.dead", "other") == 1
    assert scene.consumer(queue="other").finish() == ["a"]
    assert scene.counts() == {}


def each_letter_of_a_shared_queue_goes_home(scene: Scene) -> None:
    """§4 redrive: without a target, to the queue each came from."""
    scene.declare("r", dead_letter="q.dead")
    scene.kill("a")
    scene.kill("b", queue="r")
    assert scene.driver.redrive("q.dead", "") == 2
    assert scene.consumer().finish() == ["a"]
    assert scene.consumer(queue="r").finish() == ["b"]


@exactly("exact_info", "dead_by_origin")
def letters_of_a_shared_queue_are_counted_for_the_queue_they_came_from(scene: Scene) -> None:
    """§9 dead: of this queue; those of another one that share its dead-letter queue are not."""
    scene.declare("r", dead_letter="q.dead")
    scene.kill("a", "b")
    scene.kill("c", queue="r")
    assert (scene.info("q").dead, scene.info("r").dead) == (2, 1)


@exactly("exact_info")
def letters_of_a_queue_that_shares_none_are_counted(scene: Scene) -> None:
    """§9 dead: also by a driver that counts whatever lies in the dead-letter queue."""
    scene.kill("a", "b")
    assert scene.info().dead == 2


def a_redrive_to_nowhere_moves_nothing(scene: Scene) -> None:
    """§1 I3: what cannot be moved stays a dead letter."""
    scene.kill("a")
    with refused(QueueNotFound, match="nowhere"):
        scene.driver.redrive("q.dead", "nowhere")
    assert scene.info().dead == 1


@needs("max_length")
@exactly("max_length")
def a_redrive_ends_where_the_target_is_full(scene: Scene) -> None:
    """§1 I2: a second life needs a slot; what has none stays a dead letter."""
    scene.declare("q", max_length=3)
    scene.kill(*"abc")
    scene.publish("d")
    assert scene.driver.redrive("q.dead", "") == 2
    assert scene.counts() == {"ready": 3, "dead": 1}
    with refused(QueueFull):
        scene.driver.redrive("q.dead", "")


def what_was_published_to_a_dead_letter_queue_has_no_way_home(scene: Scene) -> None:
    """§4 redrive: it moves dead letters; a message that never died stays."""
    scene.publish("a", queue="q.dead")
    assert scene.driver.redrive("q.dead", "") == 0
    assert scene.info("q.dead").ready == 1
    assert scene.info("q").dead == 0


def a_letter_that_somebody_reads_is_not_redriven_under_his_hands(scene: Scene) -> None:
    """§1 I5: a leased dead letter belongs to its consumer."""
    scene.kill("a")
    reader = scene.consumer(queue="q.dead")
    (letter,) = reader.run()
    assert scene.driver.redrive("q.dead", "") == 0
    assert reader.settle(letter, ACK)
