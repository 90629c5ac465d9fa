"""The SQS driver on ElasticMQ: what the suite does not ask of other drivers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.servers import elastic

from moonq.clock import SystemClock
from moonq.conformance.fast import FastClock
from moonq.drivers import descriptor
from moonq.drivers.sqs import bounds, steps
from moonq.drivers.sqs.driver import SqsDriver
from moonq.drivers.sqs.envelope import Parcel, pack, unpack
from moonq.errors import Conflict, QueueNotFound, TooLarge, Unavailable, Unsupported
from moonq.model import (
    ACK,
    Dead,
    ErrorRecord,
    Message,
    Priority,
    QueueSpec,
    Receipt,
    Retry,
    Snooze,
)

pytestmark = pytest.mark.aside("sqs")
KIND = descriptor("queue.driver.sqs")
HUGE = ErrorRecord(1.0, "INTERNAL", "m" * 20_000, "t" * 20_000)


@pytest.fixture
def place() -> dict[str, Any]:
    return elastic.place()


@pytest.fixture
def make(place: dict[str, Any]) -> Iterator[Callable[..., SqsDriver]]:
    """Makes a driver at one place, opened; all that it has made is erased."""
    made: list[SqsDriver] = []

    def make(clock: Any = None, **fields: Any) -> SqsDriver:
        named = {"name": "d", "kind": KIND.kind, **place, **fields}
        driver = KIND.make(KIND.fields.model_validate(named), clock or SystemClock(), Path())
        assert isinstance(driver, SqsDriver)
        made.append(driver)
        driver.open(lambda event: None)
        return driver

    yield make
    for driver in made:
        driver.close(0.0)
    for driver in made[:1]:
        driver.erase()


@pytest.fixture
def client(place: dict[str, Any]) -> Any:
    """SQS as another program sees it."""
    import boto3

    return boto3.client("sqs", endpoint_url=place["endpoint"], region_name="us-east-1")


def opened(make: Callable[..., SqsDriver], *, clock: Any = None, **fields: Any) -> SqsDriver:
    driver = make(clock, **fields)
    driver.declare(QueueSpec("q", dead_letter="q.dead"))
    return driver


def message(name: str, body: bytes | None = None, **wishes: Any) -> Message:
    return Message(name, name.encode() if body is None else body, 1.0, **wishes)


# The whole way


def test_the_seed_runs_on_sqs_with_one_entry_changed(
    root: Path, tmp_path: Path, place: dict[str, Any], make: Callable[..., SqsDriver]
) -> None:
    """`queue_prefix` is the test's: nobody else's messages are in the way."""
    make()
    shutil.copytree(root / "examples/seed", tmp_path / "seed")
    index = tmp_path / "seed/_index.yaml"
    changed = f"kind: queue.driver.sqs\n  endpoint: {place['endpoint']}\n"
    changed += f"  queue_prefix: {place['queue_prefix']}\n"
    text = index.read_text(encoding="utf-8")
    index.write_text(text.replace("kind: queue.driver.memory\n", changed, 1))
    command = ["run", tmp_path / "seed", "--call", "app.queue:publish_tasks", "--until-idle"]
    ran = subprocess.run(
        [sys.executable, "-m", "moonq", *command, "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    lines = [json.loads(line) for line in ran.stderr.splitlines() if line.startswith("{")]
    handled = [one["task_id"] for one in lines if one["message"] == "Verarbeite"]
    assert sorted(handled) == [f"task-{number}" for number in range(123, 128)], ran.stderr
    assert ran.returncode == 0


@pytest.mark.parametrize("letter", ["x", "ß", "\x00"])
def test_the_largest_body_survives_ten_failures_into_the_dead_letters(
    make: Callable[..., SqsDriver], letter: str
) -> None:
    """As text, as more bytes than letters, and as base64: what is accepted can be buried."""
    driver = opened(make, clock=FastClock())
    limit = bounds.OLD_SIZE - bounds.ROOM
    unit = letter.encode()
    envelope = pack(Parcel(message("a"), order=10**16), limit).size + 20
    room = limit - envelope
    body = unit * (room * 3 // 4 if letter == "\x00" else room // len(unit))
    (answer,) = driver.publish("q", [message("a", body + unit * 2000)], 5.0)
    assert isinstance(answer, TooLarge)
    assert driver.publish("q", [message("a", body[: -200 * len(unit)])], 5.0) == [Receipt("a")]
    consumer = driver.subscribe("q", 1)
    for _ in range(9):
        (delivery,) = consumer.take(1, 2.0)
        assert consumer.start(delivery)
        assert consumer.settle(delivery, Retry(0.0, HUGE))
    (delivery,) = consumer.take(1, 2.0)
    assert delivery.attempt == 10
    assert consumer.start(delivery)
    assert consumer.settle(delivery, Dead("max_attempts", HUGE))
    (stored,) = driver.peek("q.dead", 10).items
    assert stored.message.body == body[: -200 * len(unit)]
    assert stored.message.headers["x_attempts"] == 10
    assert stored.errors[-1].message.startswith("mmm")
    assert str(stored.message.headers["x_last_error"]).startswith("mmm")


def test_a_worker_that_waits_is_served_at_once(make: Callable[..., SqsDriver]) -> None:
    """By the pollers, which wait at SQS: nobody asks again and again."""
    driver = opened(make)
    consumer = driver.subscribe("q", 10)
    assert consumer.take(1, 0) == []
    before = driver.calls.get("ReceiveMessage", 0)
    driver.publish("q", [message("a")], 1.0)
    begun = time.monotonic()
    (delivery,) = consumer.take(1, 20.0)
    assert time.monotonic() - begun < 2.0
    assert consumer.settle(delivery, ACK)
    assert driver.calls["ReceiveMessage"] - before <= 3


def test_a_thousand_messages_cost_a_third_of_a_call_each(make: Callable[..., SqsDriver]) -> None:
    """Sent, received and deleted by tens; the open polls at the end are not counted."""
    driver = opened(make)
    driver.publish("q", [message(f"m{number}") for number in range(1000)], 20.0)
    consumer = driver.subscribe("q", 100)
    done = 0
    while done < 1000:
        taken = consumer.take(50, 10.0)
        done += sum(consumer.ack(taken))
    consumer.stop()
    assert consumer.close(SystemClock().monotonic() + 10)
    calls = driver.calls
    assert calls["SendMessageBatch"] == 100
    assert calls["DeleteMessageBatch"] <= 130
    assert calls["ReceiveMessage"] <= 140


def test_a_delay_beyond_what_sqs_can_is_kept_by_hops(
    make: Callable[..., SqsDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if 1 s were SQS's most: the message is sent anew until it is due, and is not early."""
    monkeypatch.setattr(steps, "MOST_DELAY", 1)
    driver = opened(make)
    consumer = driver.subscribe("q", 10)
    begun = time.monotonic()
    driver.publish("q", [message("a", delay=3.5)], 1.0)
    (delivery,) = consumer.take(1, 20.0)
    assert 3.5 <= time.monotonic() - begun < 6.0
    assert (delivery.attempt, delivery.interruptions) == (1, 0)
    assert driver.calls["SendMessageBatch"] >= 2


# What others send and see


def test_anybody_may_publish_and_read_the_body(
    make: Callable[..., SqsDriver], client: Any, place: dict[str, Any]
) -> None:
    driver = opened(make)
    url = client.get_queue_url(QueueName=f"{place['queue_prefix']}q")["QueueUrl"]
    attributes = {
        "tenant": {"DataType": "String", "StringValue": "t1"},
        "count": {"DataType": "Number", "StringValue": "42"},
    }
    client.send_message(QueueUrl=url, MessageBody='{"a":1}', MessageAttributes=attributes)
    consumer = driver.subscribe("q", 10)
    (delivery,) = consumer.take(1, 2.0)
    assert delivery.message.body == b'{"a":1}'
    assert delivery.message.headers == {"tenant": "t1", "count": 42}
    assert consumer.settle(delivery, Snooze(0.0))
    (again,) = consumer.take(1, 2.0)
    assert again.message == delivery.message
    assert again.snoozes == 1
    assert consumer.settle(again, ACK)
    driver.publish("q", [message("b", b'{"b": 2}', headers={"x": "y"})], 1.0)
    (raw,) = client.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert raw["Body"] == '{"b": 2}'
    told = json.loads(raw["MessageAttributes"]["moonq"]["StringValue"])
    assert (told["v"], told["id"], told["headers"]) == (1, "b", {"x": "y"})


def test_an_envelope_that_is_none_makes_no_message_undeliverable(
    make: Callable[..., SqsDriver], client: Any, place: dict[str, Any]
) -> None:
    driver = opened(make)
    url = client.get_queue_url(QueueName=f"{place['queue_prefix']}q")["QueueUrl"]
    for text in (
        "nonsense",
        "[]",
        '{"id":1}',
        '{"v":1,"id":"a","at":1.0,"errors":3}',
        '{"v":1,"id":"a","at":1.0,"delay":"1 h"}',
        '{"v":1,"id":7,"at":null}',
    ):
        attribute = {"moonq": {"DataType": "String", "StringValue": text}}
        client.send_message(QueueUrl=url, MessageBody="body", MessageAttributes=attribute)
    taken = driver.subscribe("q", 10).take(10, 2.0)
    assert [one.message.body for one in taken] == [b"body"] * 6
    assert all(isinstance(one.message.id, str) for one in taken)


def test_what_moonq_did_not_make_is_never_erased(
    make: Callable[..., SqsDriver], client: Any, place: dict[str, Any]
) -> None:
    foreign = client.create_queue(QueueName=f"{place['queue_prefix']}theirs")["QueueUrl"]
    other = client.create_queue(QueueName=f"x{place['queue_prefix']}q", tags={"moonq": "1"})
    driver = opened(make)
    driver.close(0.0)
    driver.erase()
    left = client.list_queues(QueueNamePrefix=place["queue_prefix"])["QueueUrls"]
    assert left == [foreign]
    assert client.get_queue_attributes(QueueUrl=other["QueueUrl"], AttributeNames=["All"])
    for url in (foreign, other["QueueUrl"]):
        client.delete_queue(QueueUrl=url)


# Declaring


def test_a_queue_that_is_not_to_be_made_must_be_there(make: Callable[..., SqsDriver]) -> None:
    driver = make(create=False)
    with pytest.raises(QueueNotFound, match="there is no queue") as refusal:
        driver.declare(QueueSpec("q"))
    assert "create: true" in refusal.value.hint


def test_two_names_that_would_be_one_at_sqs_are_refused(make: Callable[..., SqsDriver]) -> None:
    driver = make()
    driver.declare(QueueSpec("app.queue:tasks"))
    with pytest.raises(Conflict, match="would both be"):
        driver.declare(QueueSpec("app-queue:tasks"))


def test_a_name_that_is_too_long_is_refused_with_what_to_do(
    make: Callable[..., SqsDriver],
) -> None:
    with pytest.raises(Unsupported, match="characters of 80") as refusal:
        make().declare(QueueSpec("q" * 80))
    assert "queue_name" in refusal.value.hint


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"max_length": 3}, "max_length"),
        ({"overflow": "drop_oldest"}, "overflow"),
        ({"ttl": 15 * 86400.0}, "ttl"),
        ({"group_on_failure": "skip"}, "group_on_failure"),
        ({"dedup_window": 60.0}, "dedup_window"),
        ({"options": {"colour": "red"}}, "colour"),
    ],
)
def test_what_sqs_cannot_do_is_refused_by_its_name(
    make: Callable[..., SqsDriver], fields: dict[str, Any], named: str
) -> None:
    with pytest.raises(Unsupported, match=named) as refusal:
        make().declare(QueueSpec("q", **fields))
    assert refusal.value.hint


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("max_length: 3", "`max_length` cannot be kept: an SQS queue has no bound"),
        ("overflow: drop_oldest", "`overflow` `drop_oldest` needs a bound, and SQS has none"),
        ("ttl: 15d", "`ttl` cannot be kept: SQS forgets after 14 days"),
        ("group_on_failure: skip", "`group_on_failure` `skip`: SQS holds a whole group"),
    ],
)
def test_what_sqs_cannot_do_is_found_by_the_check(
    moonq: Any, tmp_path: Path, option: str, said: str
) -> None:
    index = "namespace: app\nentries:\n  - {name: sqs, kind: queue.driver.sqs}\n"
    queue = f"  - {{name: q, kind: queue.queue, driver: sqs, options: {{{option}}}}}\n"
    (tmp_path / "_index.yaml").write_text(index + queue)
    checked = moonq("check", tmp_path)
    assert checked.code
    assert said in checked.out + checked.err
    assert "queue.driver.redis" in checked.out + checked.err


@pytest.mark.parametrize("timeout", ["12h", "none"])
def test_a_handler_that_may_run_for_too_long_is_found_by_the_check(
    moonq: Any, tmp_path: Path, timeout: str
) -> None:
    index = f"""\
namespace: app
entries:
  - {{name: sqs, kind: queue.driver.sqs}}
  - {{name: q, kind: queue.queue, driver: sqs}}
  - {{name: c, kind: queue.consumer, queue: q, func: f, timeout: {timeout}}}
  - {{name: f, kind: function.lua, source: "file://f.lua"}}
"""
    (tmp_path / "_index.yaml").write_text(index)
    (tmp_path / "f.lua").write_text("return function() return true end\n")
    checked = moonq("check", tmp_path)
    assert checked.code
    assert "has a message run for 11 h at most" in checked.out + checked.err
    assert f"timeout: {timeout}" in checked.out + checked.err
    (tmp_path / "_index.yaml").write_text(index.replace(timeout, "11h"))
    assert moonq("check", tmp_path).code == 0


@pytest.mark.parametrize(
    ("fifo", "wishes", "named"),
    [
        (False, {"priority": Priority.HIGH}, "priority"),
        (False, {"group": "g"}, "group"),
        (False, {"dedup_key": "k"}, "dedup_key"),
        (True, {"delay": 1.0}, "delay"),
        (True, {"ttl": 15 * 86400.0}, "ttl"),
    ],
)
def test_a_wish_that_a_queue_cannot_keep_is_refused_and_the_rest_goes(
    make: Callable[..., SqsDriver], fifo: bool, wishes: dict[str, Any], named: str
) -> None:
    driver = opened(make, fifo=fifo)
    refused, accepted = driver.publish("q", [message("a", **wishes), message("b")], 1.0)
    assert isinstance(refused, Unsupported)
    assert f"`{named}`" in refused.message
    assert "queue.driver." in refused.hint
    assert accepted == Receipt("b")


@pytest.mark.parametrize("timeout", [None, 11.5 * 3600])
def test_a_handler_may_not_run_for_longer_than_sqs_lends(
    make: Callable[..., SqsDriver], timeout: float | None
) -> None:
    driver = opened(make)
    with pytest.raises(Unsupported, match="12 hours at most") as refusal:
        driver.subscribe("q", 1, timeout=timeout, name="app:consumer")
    assert "timeout: 11h" in refusal.value.hint


# Operations


def test_dead_letters_are_shown_found_and_given_another_life_by_id(
    make: Callable[..., SqsDriver],
) -> None:
    driver = opened(make)
    driver.publish("q", [message(name) for name in "abc"], 1.0)
    consumer = driver.subscribe("q", 10)
    for delivery in consumer.take(10, 2.0):
        consumer.start(delivery)
        consumer.settle(delivery, Dead("rejected", HUGE))
    assert [one.message.id for one in driver.peek("q.dead", 10).items] == ["a", "b", "c"]
    found = driver.find("q.dead", "b")
    assert found is not None
    assert found.errors[0].message.startswith("mmm")
    assert driver.redrive("q.dead", "", ["b"]) == 1
    assert driver.purge("q.dead", ["c", "unknown"]) == 1
    assert [one.message.id for one in driver.peek("q.dead", 10).items] == ["a"]
    (delivery,) = consumer.take(1, 2.0)
    assert (delivery.message.id, delivery.attempt, delivery.interruptions) == ("b", 1, 0)


def bury(driver: SqsDriver, *messages: Message) -> None:
    """Publish *messages* and make a dead letter of each."""
    driver.publish("q", messages, 10.0)
    consumer = driver.subscribe("q", 10)
    left = len(messages)
    while left:
        for delivery in consumer.take(10, 10.0):
            assert consumer.start(delivery)
            assert consumer.settle(delivery, Dead("rejected", HUGE))
            left -= 1
    assert consumer.close(time.monotonic() + 10.0)


def test_all_the_letters_of_one_group_are_shown_and_live_again_in_order(
    make: Callable[..., SqsDriver],
) -> None:
    driver = opened(make, fifo=True)
    names = [f"{number:02}" for number in range(15)]
    bury(driver, *(message(name, group="g") for name in names))
    assert [one.message.id for one in driver.peek("q.dead", 100).items] == names
    assert driver.find("q.dead", "14") is not None
    assert driver.redrive("q.dead", "", ["14"]) == 1
    assert driver.redrive("q.dead", "") == 14
    consumer = driver.subscribe("q", 1)
    found = []
    while len(found) < 15:
        (delivery,) = consumer.take(1, 10.0)
        assert delivery.message.group == "g"
        found.append(delivery.message.id)
        consumer.start(delivery)
        consumer.settle(delivery, ACK)
    assert found == ["14", *names[:14]]


def test_letters_too_large_for_one_call_live_again_all_the_same(
    make: Callable[..., SqsDriver],
) -> None:
    driver = opened(make)
    bury(driver, *(message(str(number), b"x" * 150_000) for number in range(3)))
    assert driver.redrive("q.dead", "q") == 3


def test_a_purge_trusts_no_count_of_nothing(
    make: Callable[..., SqsDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = opened(make)
    driver.publish("q", [message("a")], 1.0)
    attributes = driver._service.attributes
    monkeypatch.setattr(
        driver._service,
        "attributes",
        lambda url: {**attributes(url), "ApproximateNumberOfMessages": "0"},
    )
    assert driver.purge("q") == 0
    assert driver.subscribe("q", 1).take(1, 1.0) == []


def test_a_message_that_waits_to_run_is_not_shown(make: Callable[..., SqsDriver]) -> None:
    driver = opened(make)
    for ask in (lambda: driver.peek("q", 1), lambda: driver.find("q", "a")):
        with pytest.raises(Unsupported, match="without delivering it"):
            ask()
    with pytest.raises(Unsupported):
        driver.purge("q", ["a"])


def test_a_queue_is_purged_once_a_minute_and_it_is_said_when_again(
    make: Callable[..., SqsDriver],
) -> None:
    driver = opened(make)
    driver.publish("q", [message("a")], 1.0)
    assert driver.purge("q") == 1
    driver.publish("q", [message("b")], 1.0)
    with pytest.raises(Unavailable, match="once a minute") as refusal:
        driver.purge("q")
    assert refusal.value.hint.startswith("purge again in ")


def test_counts_are_asked_for_at_most_once_in_a_while(
    make: Callable[..., SqsDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = opened(make)
    before = driver.calls["GetQueueAttributes"]
    for _ in range(10):
        info = driver.info("q")
    assert driver.calls["GetQueueAttributes"] - before == 2
    assert (info.ready, info.dead, info.exact, info.consumer_count) == (0, 0, False, None)


def test_a_queue_that_somebody_deletes_is_made_again(
    make: Callable[..., SqsDriver], client: Any, place: dict[str, Any]
) -> None:
    driver = opened(make)
    consumer = driver.subscribe("q", 10)
    client.delete_queue(QueueUrl=driver._queues["q"].url)
    assert driver.publish("q", [message("a")], 5.0) == [Receipt("a")]
    taken = consumer.take(1, 10.0)
    assert [one.message.id for one in taken] == ["a"]


def test_a_group_is_served_in_order_by_whatever_host(make: Callable[..., SqsDriver]) -> None:
    """A receive returns a whole group: what stands behind a failure goes back with it."""
    one, other = opened(make, fifo=True), opened(make, fifo=True)
    names = [f"A{number}" for number in range(5)]
    one.publish("q", [message(name, group="Größe A") for name in names], 1.0)
    consumer = one.subscribe("q", 10)
    (first,) = consumer.take(10, 2.0)
    assert consumer.start(first)
    consumer.stop()
    assert consumer.settle(first, Retry(0.0, HUGE))
    assert consumer.close(0.0)
    heir = other.subscribe("q", 10)
    seen = []
    while len(seen) < 5:
        (delivery,) = heir.take(1, 5.0)
        seen.append(delivery.message.id)
        heir.start(delivery)
        heir.settle(delivery, ACK)
    assert seen == names


def test_a_host_that_is_killed_gives_up_what_it_held(
    make: Callable[..., SqsDriver], tmp_path: Path, place: dict[str, Any]
) -> None:
    """Within its lease and 10 s; that it was cut off is counted."""
    driver = opened(make)
    driver.publish("q", [message("a")], 1.0)
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, json.dumps({"name": "d", "kind": KIND.kind, **place})],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "a\n"
    child.kill()
    child.wait()
    child.stdout.close()
    begun = time.monotonic()
    (delivery,) = driver.subscribe("q", 1, lease=1.0).take(1, 20.0)
    assert time.monotonic() - begun < 11.0
    assert (delivery.message.id, delivery.interruptions) == ("a", 1)
    assert delivery.lost_at is not None


_HOLDER = """
import json, sys, time
from pathlib import Path
from moonq.clock import SystemClock
from moonq.drivers import descriptor
from moonq.model import QueueSpec
kind = descriptor("queue.driver.sqs")
driver = kind.make(kind.fields.model_validate(json.loads(sys.argv[1])), SystemClock(), Path())
driver.open(lambda event: None)
driver.declare(QueueSpec("q", dead_letter="q.dead"))
consumer = driver.subscribe("q", 1, lease=1.0)
(delivery,) = consumer.take(1, 20.0)
consumer.start(delivery)
print(delivery.message.id, flush=True)
time.sleep(60)
"""


def test_doctor_says_where_sqs_is(place: dict[str, Any], make: Callable[..., SqsDriver]) -> None:
    opened(make)
    assert KIND.reach is not None
    fields = KIND.fields.model_validate({"name": "d", "kind": KIND.kind, **place})
    said = KIND.reach(fields, Path())
    assert said.startswith(f"{place['endpoint']} as us-east-1: 2 queues named ")


def test_doctor_names_all_the_queues_that_are_missing_and_makes_none(
    place: dict[str, Any], make: Callable[..., SqsDriver], client: Any
) -> None:
    make()
    prefix = place["queue_prefix"]
    client.create_queue(QueueName=f"{prefix}q", tags={"moonq": "1"})
    specs = [QueueSpec("q", dead_letter="q.dead"), QueueSpec("f", options={"fifo": True})]
    assert KIND.advise is not None

    def advice(**fields: Any) -> Any:
        named = {"name": "d", "kind": KIND.kind, **place, **fields}
        return KIND.advise(KIND.fields.model_validate(named), specs)  # type: ignore[misc]

    assert advice() == []
    with pytest.raises(QueueNotFound, match=rf"no queues {prefix}q-dead, {prefix}f\.fifo"):
        advice(create=False)
    assert sorted(driver_queues(client, prefix)) == [f"{prefix}q"]


def driver_queues(client: Any, prefix: str) -> list[str]:
    urls = client.list_queues(QueueNamePrefix=prefix).get("QueueUrls", [])
    return [url.rpartition("/")[2] for url in urls]


def test_the_envelope_brings_back_what_it_took() -> None:
    told = message("a", b"\r", headers={"ü": "\x01", "n": 1, "f": 0.5, "b": True}, group="g")
    packed = pack(Parcel(told, order=7), 10**6)
    attribute = {"moonq": {"StringValue": packed.attribute}}
    raw = {"MessageId": "1", "Body": packed.body, "MessageAttributes": attribute}
    assert unpack(raw).message == told
    assert bounds.is_plain(packed.body)
    assert bounds.is_plain(packed.attribute)
