"""What SQS does on a bad day, played by a stand-in: nothing is lost, and it is said what is so."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.drivers.fake_sqs import Cut, FakeSqs, error, failing, lost
from tests.servers.elastic import CREDENTIALS
from tests.servers.process import until

from moonq.clock import SystemClock
from moonq.drivers import descriptor
from moonq.drivers.base import Event
from moonq.drivers.sqs.driver import SqsDriver
from moonq.drivers.sqs.service import made
from moonq.errors import QueueError, Refused, Unavailable, Uncertain
from moonq.model import Dead, ErrorRecord, Message, QueueSpec, Receipt, Retry

pytestmark = pytest.mark.aside("sqs")
BOOM = ErrorRecord(1.0, "INTERNAL", "boom")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSqs]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    server = FakeSqs()
    yield server
    server.close()


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def make(fake: FakeSqs, events: list[Event]) -> Iterator[Callable[..., SqsDriver]]:
    """Makes a driver at the stand-in, opened, with the queue `q`."""
    made: list[SqsDriver] = []

    def make(**fields: Any) -> SqsDriver:
        kind = descriptor("queue.driver.sqs")
        named = {"name": "d", "kind": kind.kind, "endpoint": fake.endpoint, **fields}
        driver = kind.make(kind.fields.model_validate(named), SystemClock(), Path())
        assert isinstance(driver, SqsDriver)
        made.append(driver)
        driver.open(events.append)
        driver.declare(QueueSpec("q", dead_letter="q.dead"))
        return driver

    yield make
    for driver in made:
        driver.close(0.0)


@pytest.fixture
def driver(make: Callable[..., SqsDriver]) -> SqsDriver:
    return make()


def publish(driver: SqsDriver, *names: str, timeout: float = 10.0) -> list[Receipt | QueueError]:
    return driver.publish("q", [Message(name, name.encode(), 1.0) for name in names], timeout)


def told(events: list[Event], kind: str) -> int:
    return sum(event.count for event in events if event.kind == kind)


# Publishing


def test_a_throttled_publish_is_tried_again_and_succeeds(fake: FakeSqs, driver: SqsDriver) -> None:
    fake.next("SendMessageBatch", error("ThrottlingException"), error("RequestThrottled"))
    assert publish(driver, "a") == [Receipt("a")]
    assert fake.bodies() == ["a"]


def test_a_publish_that_is_throttled_for_too_long_says_so(fake: FakeSqs, driver: SqsDriver) -> None:
    fake.next("SendMessageBatch", *[error("ThrottlingException")] * 50)
    (answer,) = publish(driver, "a", timeout=0.3)
    assert isinstance(answer, Unavailable)
    assert answer.retryable
    assert "ThrottlingException" in answer.message
    assert fake.bodies() == []


def test_of_a_batch_only_what_failed_is_sent_again(fake: FakeSqs, driver: SqsDriver) -> None:
    fake.next("SendMessageBatch", failing("InternalError", number=1))
    assert publish(driver, "a", "b", "c") == [Receipt("a"), Receipt("b"), Receipt("c")]
    sent = [
        [one["MessageBody"] for one in asked["Entries"]] for asked in fake.asked("SendMessageBatch")
    ]
    assert sent == [["a", "b", "c"], ["b"]]


def test_what_is_the_senders_fault_is_answered_and_not_tried_again(
    fake: FakeSqs, driver: SqsDriver
) -> None:
    fake.next("SendMessageBatch", failing("InvalidMessageContents", sender=True))
    wrong, right = publish(driver, "a", "b")
    assert isinstance(wrong, QueueError)
    assert not wrong.retryable
    assert "InvalidMessageContents" in wrong.message
    assert right == Receipt("b")
    assert len(fake.asked("SendMessageBatch")) == 1


def test_a_reply_that_is_lost_leaves_a_publish_uncertain(fake: FakeSqs, driver: SqsDriver) -> None:
    fake.next("SendMessageBatch", lost)
    (answer,) = publish(driver, "a")
    assert isinstance(answer, Uncertain)
    assert answer.retryable
    assert fake.bodies() == ["a"]


def test_a_fifo_queue_is_asked_again_under_the_same_key(
    fake: FakeSqs, make: Callable[..., SqsDriver]
) -> None:
    fake.attributes["FifoQueue"] = "true"
    driver = make(fifo=True)
    fake.next("SendMessageBatch", lost)
    assert publish(driver, "a") == [Receipt("a")]
    first, second = (asked["Entries"][0] for asked in fake.asked("SendMessageBatch"))
    assert first["MessageDeduplicationId"] == second["MessageDeduplicationId"]


@pytest.mark.parametrize("code", ["ExpiredTokenException", "ExpiredToken", "InvalidClientTokenId"])
def test_expired_credentials_are_a_refusal_with_what_to_do(
    fake: FakeSqs, driver: SqsDriver, code: str
) -> None:
    fake.next("SendMessageBatch", error(code, 403))
    (answer,) = publish(driver, "a")
    assert isinstance(answer, Refused)
    assert code in answer.message
    assert "credentials" in answer.hint
    assert len(fake.asked("SendMessageBatch")) == 1


def test_who_may_not_use_the_key_of_a_queue_is_told_which_rights_it_takes(
    fake: FakeSqs, driver: SqsDriver
) -> None:
    fake.next("SendMessageBatch", error("KmsThrottled"), error("KmsAccessDenied"))
    (answer,) = publish(driver, "a")
    assert isinstance(answer, Refused)
    assert "kms:GenerateDataKey" in answer.hint
    assert len(fake.asked("SendMessageBatch")) == 2


def test_the_waits_between_tries_are_those_of_the_entry_and_differ(
    make: Callable[..., SqsDriver],
) -> None:
    service = make(reconnect_delay=2.0, reconnect_max_delay=10.0)._service
    for tries, longest in ((0, 2.0), (1, 4.0), (2, 8.0), (3, 10.0), (5000, 10.0)):
        waits = {service.pause(tries) for _ in range(20)}
        assert len(waits) > 10
        assert min(waits) >= longest / 2
        assert max(waits) <= longest


def test_the_region_is_that_which_all_tools_of_aws_know(
    make: Callable[..., SqsDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    settings = make(connection_timeout=4.0)._service.settings
    assert made(settings, 4.0).meta.region_name == "eu-north-1"


def test_a_receive_whose_answer_is_lost_is_asked_for_again_by_its_name(
    fake: FakeSqs, make: Callable[..., SqsDriver]
) -> None:
    fake.attributes["FifoQueue"] = "true"
    driver = make(fifo=True)
    fake.next("ReceiveMessage", lost)
    driver.subscribe("q", 10).take(1, 10.0)
    until(lambda: len(fake.asked("ReceiveMessage")) >= 3, "three receives", 10)
    names = [asked["ReceiveRequestAttemptId"] for asked in fake.asked("ReceiveMessage")[:3]]
    assert names[0] == names[1] != names[2]


def test_whose_rights_end_at_the_queues_is_told_of_them_by_doctor(fake: FakeSqs) -> None:
    kind = descriptor("queue.driver.sqs")
    fake.next("ListQueues", error("AccessDeniedException"))
    named = {"name": "d", "kind": kind.kind, "endpoint": fake.endpoint}
    assert kind.reach is not None
    said = kind.reach(kind.fields.model_validate(named), Path())
    assert said == f"{fake.endpoint} as us-east-1"


def test_a_driver_without_credentials_does_not_open(
    make: Callable[..., SqsDriver], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(Refused, match="no credentials") as refusal:
        make(region="eu-north-1")
    assert "AWS_ACCESS_KEY_ID" in refusal.value.hint


def test_who_may_not_list_queues_may_use_them(
    fake: FakeSqs, make: Callable[..., SqsDriver]
) -> None:
    fake.next("ListQueues", error("AccessDeniedException"))
    assert publish(make(), "a") == [Receipt("a")]


def test_a_service_that_is_away_and_back_is_told_and_used_again(
    fake: FakeSqs, driver: SqsDriver, events: list[Event]
) -> None:
    def gone(asked: object) -> None:
        raise Cut(done=False)

    fake.next("ReceiveMessage", gone)
    consumer = driver.subscribe("q", 10)
    publish(driver, "a")
    (delivery,) = consumer.take(1, 10.0)
    assert delivery.message.id == "a"
    assert (told(events, "reconnecting"), told(events, "reconnected")) == (1, 1)
    assert list(driver.health()) == []


# Settling


def test_a_delete_that_fails_for_the_moment_is_tried_again(
    fake: FakeSqs, driver: SqsDriver, events: list[Event]
) -> None:
    publish(driver, "a", "b")
    consumer = driver.subscribe("q", 10)
    fake.next("DeleteMessageBatch", failing("InternalError"), error("ThrottlingException"))
    taken = consumer.take(10, 1.0)
    assert consumer.ack(taken) == [True, True]
    until(lambda: fake.asked("DeleteMessageBatch")[2:], "it was tried again", 5.0)
    last = fake.asked("DeleteMessageBatch")[2]["Entries"]
    assert [one["ReceiptHandle"] for one in last] == [
        fake.asked("DeleteMessageBatch")[0]["Entries"][0]["ReceiptHandle"]
    ]
    assert told(events, "lease_lost") == 0


def test_a_stale_receipt_is_a_lost_lease(
    fake: FakeSqs, driver: SqsDriver, events: list[Event]
) -> None:
    publish(driver, "a")
    consumer = driver.subscribe("q", 10)
    fake.next("DeleteMessageBatch", failing("ReceiptHandleIsInvalid", sender=True))
    taken = consumer.take(1, 1.0)
    assert consumer.ack(taken) == [True]
    until(lambda: told(events, "lease_lost"), "it was told", 5.0)


def test_a_lease_that_cannot_be_prolonged_is_lost_before_another_host_has_the_message(
    fake: FakeSqs, driver: SqsDriver, events: list[Event]
) -> None:
    publish(driver, "a")
    consumer = driver.subscribe("q", 10, lease=0.0)
    fake.next("ChangeMessageVisibilityBatch", failing("MessageNotInflight", sender=True))
    (delivery,) = consumer.take(1, 1.0)
    assert consumer.start(delivery)
    until(lambda: told(events, "lease_lost"), "the lease was lost", 10.0)
    assert not consumer.settle(delivery, Dead("rejected"))
    assert fake.bodies("q-dead") == []
    assert fake.bodies() == ["a"]


def test_a_copy_whose_reply_is_lost_is_sent_again_and_no_message_is_lost(
    fake: FakeSqs, driver: SqsDriver
) -> None:
    publish(driver, "a")
    consumer = driver.subscribe("q", 10)
    (delivery,) = consumer.take(1, 1.0)
    fake.next("SendMessageBatch", lost)
    assert consumer.settle(delivery, Retry(0.0, BOOM))
    consumer.stop()
    assert consumer.close(0.0)
    assert set(fake.bodies()) == {"a"}
    assert all("ReceiptHandle" not in message for message in fake.messages["q"])


def test_a_dead_letter_that_cannot_be_stored_leaves_its_message_where_it_is(
    fake: FakeSqs, driver: SqsDriver, events: list[Event]
) -> None:
    publish(driver, "a")
    consumer = driver.subscribe("q", 10)
    (delivery,) = consumer.take(1, 1.0)
    fake.next("SendMessageBatch", error("QueueDoesNotExist"))
    assert consumer.settle(delivery, Dead("rejected", BOOM))
    until(lambda: told(events, "dead_letter_failed"), "it was told", 5.0)
    until(lambda: fake.asked("DeleteMessageBatch"), "the old one is gone", 5.0)
    assert (fake.bodies(), fake.bodies("q-dead")) == (["a"], [])
    assert fake.asked("SendMessageBatch")[-1]["Entries"][0]["DelaySeconds"] == 29
    consumer.stop()
    assert consumer.close(0.0)
    assert "dead letters cannot be stored" in " ".join(driver.health())
    assert consumer.take(1, 0.5) == []
    again = driver.subscribe("q", 10)
    fake.messages["q"][0].pop("ReceiptHandle", None)
    attribute = fake.messages["q"][0]["MessageAttributes"]["moonq"]
    told_so = json.loads(attribute["StringValue"])
    attribute["StringValue"] = json.dumps({**told_so, "delay": 0, "due": 0})
    (delivery,) = again.take(1, 2.0)
    assert delivery.attempt == 1
    assert again.settle(delivery, Dead("rejected", BOOM))
    again.stop()
    assert again.close(0.0)
    assert fake.bodies("q-dead") == ["a"]
    assert list(driver.health()) == []


# Time and size


@pytest.mark.parametrize("skew", [-3600.0, 3600.0])
def test_a_machine_whose_clock_is_wrong_delivers_nothing_early(
    fake: FakeSqs, make: Callable[..., SqsDriver], skew: float
) -> None:
    """Delays count by the clock of SQS, which tells what time it is."""
    fake.skew = skew
    driver = make()
    consumer = driver.subscribe("q", 10)
    begun = time.monotonic()
    driver.publish("q", [Message("a", b"a", 1.0, delay=1.0)], 2.0)
    taken = consumer.take(1, 0.1) or consumer.take(1, 10.0)
    assert [one.message.id for one in taken] == ["a"]
    assert 1.0 <= time.monotonic() - begun < 4.0


def test_a_queue_that_forgets_too_soon_is_said(
    fake: FakeSqs, make: Callable[..., SqsDriver]
) -> None:
    fake.attributes["MessageRetentionPeriod"] = "345600"
    notes = make(create=False).health()
    assert len(notes) == 2
    assert "q: q at SQS forgets messages after 4 days" in " ".join(notes)
    assert all("1209600 (14 days)" in note for note in notes)
    kind = descriptor("queue.driver.sqs")
    assert kind.advise is not None
    named = {"name": "d", "kind": kind.kind, "endpoint": fake.endpoint, "create": False}
    fields = kind.fields.model_validate(named)
    assert [*kind.advise(fields, [QueueSpec("q", dead_letter="q.dead")])] == notes[::-1]


def test_a_message_near_its_end_turns_health_yellow(fake: FakeSqs, driver: SqsDriver) -> None:
    publish(driver, "a")
    fake.messages["q"][0]["Attributes"]["SentTimestamp"] = "1000"
    driver.subscribe("q", 10).take(1, 1.0)
    assert [*driver.health()] == ["q has messages older than 12 days: SQS forgets them after 14"]


def test_what_nobody_receives_is_known_to_cloudwatch(
    driver: SqsDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Played by botocore's own stand-in: no emulator here knows CloudWatch."""
    from datetime import UTC, datetime

    import boto3
    from botocore.stub import ANY, Stubber

    from moonq.drivers.sqs import ages

    client = boto3.client("cloudwatch", region_name="eu-north-1")
    points = [{"Timestamp": datetime.now(UTC), "Maximum": 13 * 86400.0}]
    asked = dict.fromkeys(("Namespace", "MetricName", "StartTime", "EndTime", "Period"), ANY)
    dimension = [{"Name": "QueueName", "Value": "q-dead"}]
    with Stubber(client) as stub:
        expected = {**asked, "Dimensions": dimension, "Statistics": ["Maximum"]}
        stub.add_response("get_metric_statistics", {"Datapoints": points}, expected)
        monkeypatch.setattr(ages, "made", lambda *_: client)
        driver._ages.look(["q-dead"])
    assert [*driver.health()] == [
        "q.dead has messages older than 12 days: SQS forgets them after 14"
    ]


def test_a_queue_of_a_mebibyte_takes_as_much_less_what_stays_free(
    fake: FakeSqs, driver: SqsDriver
) -> None:
    fits, large = driver.publish(
        "q",
        [
            Message("a", b"x" * (1024 * 1024 - 17 * 1024), 1.0),
            Message("b", b"x" * 1024 * 1024, 1.0),
        ],
        2.0,
    )
    assert fits == Receipt("a")
    assert isinstance(large, QueueError)
    assert "1032192" in large.message
