"""Looking, retrying, dropping: snapshots, confirmations, backups and the way back."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from moonq.drivers import paging
from moonq.drivers.memory.driver import MemoryDriver
from moonq.errors import Invalid, NotFound, Unconfirmed, Unsupported
from moonq.host import Host
from moonq.model import Message, Page, Stored
from moonq.operations import backup, choosing
from moonq.operations.performing import Operations

from ..conftest import MakeHost, until
from .conftest import ENTRIES, FILES


@pytest.fixture
def host(make_host: MakeHost) -> Host:
    return make_host(ENTRIES, **FILES)


@pytest.fixture(autouse=True)
def server() -> None:
    """These tests need no socket: what they test is the same behind it."""


class Taking(Operations):
    def take(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Ask for what takes messages away, as the socket does."""
        return self.perform(verb, fields)


@pytest.fixture
def operations(host: Host) -> Taking:
    return Taking(host, "console:tester")


def published(operations: Taking, queue: str, *bodies: Any, **options: Any) -> list[str]:
    messages = [{"json": json.dumps(body), "options": options} for body in bodies]
    answers = operations.publish(queue=queue, messages=messages)["answers"]
    return [answer["id"] for answer in answers]


def ids(operations: Taking, queue: str) -> list[str]:
    return [one["id"] for one in operations.peek(queue=queue, limit=1000)["messages"]]


def kill(operations: Taking, host: Host, *orders: dict[str, Any]) -> list[str]:
    """Publish orders that die, and wait until they have."""
    before = operations.dead_letters(queue="jobs")["count"]
    found = published(operations, "jobs", *orders)
    until(lambda: operations.dead_letters(queue="jobs")["count"] == before + len(orders))
    return found


def test_peeking_consumes_nothing_and_shows_either_end(operations: Taking) -> None:
    found = published(operations, "idle", *range(5))
    assert [one["body"] for one in operations.peek(queue="idle", limit=2)["messages"]] == [0, 1]
    last = operations.peek(queue="idle", limit=2, tail=True)["messages"]
    assert [one["body"] for one in last] == [3, 4]
    after = operations.peek(queue="idle", limit=1, after=found[2])["messages"]
    assert [one["body"] for one in after] == [3]
    assert operations.peek(queue="idle")["info"]["ready"] == 5


def test_a_large_body_is_cut_unless_it_is_asked_for(operations: Taking) -> None:
    published(operations, "idle", "x" * 100_000)
    [message] = operations.peek(queue="idle")["messages"]
    assert message["cut"]
    assert len(message["text"]) == 200
    assert message["size"] == 100_002
    [message] = operations.peek(queue="idle", full=True)["messages"]
    assert message["body"] == "x" * 100_000


def test_a_body_that_is_no_json_is_shown_as_what_it_is(operations: Taking, host: Host) -> None:
    route = host.queues.route("app:idle")
    for data in (b"just text", b"\xff\x00"):
        # As a client that is not ours leaves it at the broker.
        route.driver.publish(route.spec.name, [Message(data.hex(), data, 0.0)], 0.0)
    text, binary = operations.peek(queue="idle")["messages"]
    assert text["text"] == "just text"
    assert binary["base64"] == "/wA="


def test_a_message_is_found_wherever_it_lies(operations: Taking, host: Host) -> None:
    [here] = published(operations, "idle", 1)
    [dead] = kill(operations, host, {"id": 1, "total": -1})
    assert operations.find(message=here)["queue"] == "app:idle"
    assert operations.find(message=dead)["queue"] == "app:jobs.dead"
    with pytest.raises(NotFound):
        operations.find(message="nobody")


def test_dead_letters_are_grouped_by_place_and_words_without_their_variable_parts(
    operations: Taking, host: Host
) -> None:
    for number in range(3):
        kill(operations, host, {"id": number, "total": -1})
    kill(operations, host, {"id": 9, "bank": "down"})
    found = operations.dead_letters(queue="jobs")
    assert found["count"] == 4
    first, second = found["groups"]
    assert (first["count"], first["where"]) == (3, "work.lua:6")
    assert first["error"].startswith("negative total of order")
    assert (second["count"], second["error"]) == (1, "TIMEOUT bank is down")
    again = operations.dead_letters(queue="jobs", error=second["fingerprint"])
    assert again["count"] == 1
    # The queue of dead letters may be named itself.
    assert operations.dead_letters(queue="app:jobs.dead")["count"] == 4


def test_a_dead_letter_tells_its_whole_story(operations: Taking, host: Host) -> None:
    [dead] = kill(operations, host, {"id": 7, "total": -1})
    found = operations.dead_letter(queue="jobs", message=dead)
    assert found["body"] == {"id": 7, "total": -1}
    assert found["headers"]["x_dead_letter_reason"] == "max_attempts"
    [error] = found["errors"]
    assert error["where"] == "work.lua:6"
    assert "work.lua:6: in upvalue 'charge'" in error["traceback"]
    shortened = f"{dead[:4]}…{dead[-6:]}"
    assert operations.dead_letter(queue="jobs", message=shortened)["id"] == dead


def test_a_retry_takes_those_that_were_shown_and_no_later_ones(
    operations: Taking, host: Host
) -> None:
    host.consumers["app:worker"].resume()
    kill(operations, host, {"id": 1, "total": -1}, {"id": 2, "total": -1})
    snapshot = operations.take("snapshot", queue="jobs", dead=True)
    [later] = kill(operations, host, {"id": 3, "total": -1})
    host.consumers["app:worker"].pause()
    answer = operations.take("retry", snapshot=snapshot["snapshot"], confirm="app:jobs")
    assert (answer["chosen"], answer["retried"]) == (2, 2)
    assert ids(operations, "jobs.dead") == [later]
    [first, _] = operations.peek(queue="jobs")["messages"]
    assert first["attempt"] == 1
    assert first["headers"] == {"x_redriven": 1}


def test_what_was_published_among_dead_letters_is_none_of_them(
    make_host: MakeHost,
) -> None:
    graves = "  - {name: graves, kind: queue.queue, driver: memory}\n"
    index = ENTRIES.replace(
        "retry: {max_attempts: 1}", "retry: {max_attempts: 1}, dead_letter: {queue: graves}"
    )
    host = make_host(index + graves, **FILES)
    operations = Taking(host, "test")
    [alive] = published(operations, "graves", {"id": 7})
    [dead] = kill(operations, host, {"id": 1, "total": -1})
    for queue in ("jobs", "graves"):
        found = operations.dead_letters(queue=queue)
        assert (found["count"], [one["id"] for one in found["messages"]]) == (1, [dead])
        assert operations.dead_letter(queue=queue, message=dead)["id"] == dead
        with pytest.raises(NotFound, match="no dead letter"):
            operations.dead_letter(queue=queue, message=alive)
        with pytest.raises(NotFound):
            operations.replay(message=alive, queue=queue)
        with pytest.raises(NotFound):
            operations.take("retry", queue=queue, ids=[alive], confirm=f"app:{queue}")
    host.consumers["app:worker"].pause()
    assert operations.take("retry", queue="graves", confirm="app:graves")["retried"] == 1
    assert ids(operations, "graves") == [alive]


def test_nobody_publishes_where_only_dead_letters_lie(operations: Taking) -> None:
    messages = [{"json": "1"}]
    for dry in (False, True):
        with pytest.raises(Invalid, match="takes nothing but the dead letters of 'app:jobs'"):
            operations.publish(queue="app:jobs.dead", messages=messages, dry_run=dry)
    assert operations.dead_letters(queue="jobs")["count"] == 0


def test_a_retry_by_fingerprint_or_id_leaves_the_others(operations: Taking, host: Host) -> None:
    ill = kill(operations, host, {"id": 1, "total": -1}, {"id": 2, "total": -1})
    [down] = kill(operations, host, {"id": 3, "bank": "down"})
    host.consumers["app:worker"].pause()
    timeout = operations.dead_letters(queue="jobs")["groups"][1]["fingerprint"]
    operations.take("retry", queue="jobs", error=timeout, confirm="app:jobs")
    assert ids(operations, "jobs") == [down]
    operations.take("retry", queue="jobs", ids=[ill[1]], confirm="app:jobs")
    assert ids(operations, "jobs.dead") == [ill[0]]
    with pytest.raises(NotFound, match=r"not in app:jobs\.dead: nobody"):
        operations.take("retry", queue="jobs", ids=["nobody"], confirm="app:jobs")


@pytest.mark.parametrize("confirm", [None, "", "jobs", "app:idle", "yes"])
@pytest.mark.parametrize("action", ["retry", "drop"])
def test_without_the_queues_full_name_nothing_is_taken_away(
    operations: Taking, host: Host, action: str, confirm: str | None
) -> None:
    kill(operations, host, {"id": 1, "total": -1})
    with pytest.raises(Unconfirmed) as raised:
        getattr(operations, action)(queue="jobs", confirm=confirm)
    assert "app:jobs" in raised.value.hint
    assert operations.dead_letters(queue="jobs")["count"] == 1


def test_a_purge_drops_what_was_counted_and_saves_it_first(operations: Taking, host: Host) -> None:
    published(operations, "idle", 1, 2)
    published(operations, "idle", 3, delay=3600)
    snapshot = operations.take("snapshot", queue="idle")
    assert snapshot["count"] == 3
    [later] = published(operations, "idle", 4)
    answer = operations.take("purge", snapshot=snapshot["snapshot"], confirm="app:idle")
    assert (answer["chosen"], answer["dropped"]) == (3, 3)
    assert ids(operations, "idle") == [later]
    backup = Path(answer["backup"])
    assert backup.parent == host.project.root / ".moonq" / "trash"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in backup.read_text().splitlines()]
    assert [line["body"] for line in lines] == [1, 2, 3]
    assert lines[2]["options"]["at"] > host.clock.now() + 3000


def test_only_so_many_are_taken_when_that_is_asked_the_oldest_first(
    operations: Taking, host: Host
) -> None:
    [*_, last] = published(operations, "idle", 1, 2, 3)
    snapshot = operations.take("snapshot", queue="idle", limit=2)
    assert snapshot["count"] == 2
    operations.take("purge", snapshot=snapshot["snapshot"], confirm="app:idle")
    assert ids(operations, "idle") == [last]
    with pytest.raises(Invalid, match="limit"):
        operations.take("snapshot", queue="idle", limit=0)


def test_a_queue_that_shows_nothing_is_emptied_without_a_copy_only(
    operations: Taking, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at SQS, where to look at a message is to receive it, and counts are not exact."""
    published(operations, "idle", 1, 2)
    driver = host.drivers["app:memory"]
    none = driver.info("app:idle")._replace(ready=0)

    def peek(self: MemoryDriver, *_: object, **__: object) -> Page:
        raise Unsupported("no message is shown")

    monkeypatch.setattr(MemoryDriver, "peek", peek)
    with monkeypatch.context() as patch:
        patch.setattr(MemoryDriver, "info", lambda self, queue: none)
        snapshot = operations.take("snapshot", queue="idle")
    assert (snapshot["count"], snapshot["all"]) == (0, True)
    named = {"snapshot": snapshot["snapshot"], "confirm": "app:idle", "most": 1}
    with pytest.raises(Unsupported, match="cannot be written to a file") as refusal:
        operations.take("purge", **named)
    assert "--no-backup" in refusal.value.hint
    for choice in ({"ids": ["a"]}, {"older": 60}):
        with pytest.raises(Unsupported):
            operations.take("snapshot", queue="idle", **choice)
    answer = operations.take("purge", keep=False, **named)
    assert (answer["chosen"], answer["dropped"], answer["left"]) == (2, 2, 0)
    assert driver.info("app:idle").ready == 0


@pytest.fixture(params=["memory", "sqlite"])
def twins(make_host: MakeHost, request: pytest.FixtureRequest) -> Taking:
    """Operations on a host of that driver."""
    entries = f"""
  - {{name: disk, kind: queue.driver.sqlite, path: queue.db}}
  - {{name: jobs, kind: queue.queue, driver: {"disk" if request.param == "sqlite" else "memory"},
     retry: {{max_attempts: 1}}}}
  - {{name: worker, kind: queue.consumer, queue: jobs, func: work}}
  - {{name: work, kind: function.lua, source: file://work.lua}}
"""
    host = make_host(entries, work="return function() error('no') end")
    return Taking(host, "console:tester")


def test_messages_that_share_an_id_are_counted_saved_and_dropped_each(twins: Taking) -> None:
    consumer = twins._host.consumers["app:worker"]
    consumer.pause()
    published(twins, "jobs", 1, 2, id="same")
    published(twins, "jobs", 3)
    assert twins.take("snapshot", queue="jobs")["count"] == 3
    answer = twins.take("purge", queue="jobs", confirm="app:jobs")
    assert (answer["chosen"], answer["dropped"]) == (3, 3)
    lines = [json.loads(line) for line in Path(answer["backup"]).read_text().splitlines()]
    assert [line["body"] for line in lines] == [1, 2, 3]
    consumer.resume()
    published(twins, "jobs", 4, 5, 6, id="same")
    until(lambda: twins.dead_letters(queue="jobs")["count"] == 3)
    consumer.pause()
    answer = twins.take("retry", queue="jobs", ids=["same"], confirm="app:jobs")
    assert (answer["chosen"], answer["retried"]) == (3, 3)
    consumer.resume()
    until(lambda: twins.dead_letters(queue="jobs")["count"] == 3)
    answer = twins.take("drop", queue="jobs", confirm="app:jobs")
    assert (answer["chosen"], answer["dropped"]) == (3, 3)
    lines = Path(answer["backup"]).read_text().splitlines()
    assert [json.loads(line)["body"] for line in lines] == [4, 5, 6]


def test_what_cannot_be_saved_is_not_dropped(operations: Taking, host: Host) -> None:
    published(operations, "idle", 1)
    (host.project.root / ".moonq").write_text("in the way")
    with pytest.raises(Exception, match="nothing was dropped"):
        operations.take("purge", queue="idle", confirm="app:idle")
    assert operations.peek(queue="idle")["info"]["ready"] == 1
    operations.take("purge", queue="idle", confirm="app:idle", keep=False)
    assert operations.peek(queue="idle")["info"]["ready"] == 0


def test_only_old_messages_are_purged_when_that_is_asked(operations: Taking, host: Host) -> None:
    published(operations, "idle", 1)
    assert operations.take("snapshot", queue="idle", older=3600)["count"] == 0
    assert operations.take("snapshot", queue="idle", older=0)["count"] == 1
    assert operations.take("snapshot", queue="idle", older="1h")["count"] == 0
    assert operations.take("snapshot", queue="idle", older="0s")["count"] == 1
    for wrong in ("soon", -1, True):
        with pytest.raises(Invalid, match="snapshot: field 'older': "):
            operations.take("snapshot", queue="idle", older=wrong)


def test_a_snapshot_serves_what_it_was_taken_for(operations: Taking) -> None:
    snapshot = operations.take("snapshot", queue="idle")["snapshot"]
    with pytest.raises(Invalid, match="taken for something else"):
        operations.take("retry", snapshot=snapshot, confirm="app:idle")
    with pytest.raises(NotFound):
        operations.take("purge", snapshot="s99", confirm="app:idle")
    for _ in range(8):
        operations.take("snapshot", queue="idle")
    with pytest.raises(NotFound):
        operations.take("purge", snapshot=snapshot, confirm="app:idle")


def test_publishing_answers_for_each_and_a_trial_publishes_nothing(
    operations: Taking,
) -> None:
    messages = [
        {"json": "1"},
        {"json": "2", "headers": {"x_mine": "no"}},
        {"json": "3", "options": {"priority": "urgent"}},
    ]
    trial = operations.publish(queue="idle", messages=messages, dry_run=True)["answers"]
    assert [("id" in one, "error" in one) for one in trial] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    assert operations.peek(queue="idle")["info"]["ready"] == 0
    real = operations.publish(queue="idle", messages=messages)["answers"]
    assert [one.get("error", {}).get("kind") for one in real] == [None, "INVALID", "INVALID"]
    assert operations.peek(queue="idle")["info"]["ready"] == 1


def test_pausing_names_queues_and_consumers_alike(operations: Taking, host: Host) -> None:
    assert operations.pause(target="worker") == {"paused": "app:worker"}
    assert operations.consumers()["consumers"][0]["paused"]
    assert operations.pause(target="jobs") == {"paused": "app:jobs"}
    assert operations.peek(queue="jobs")["info"]["paused"]
    assert operations.resume(target="app:jobs") == {"resumed": "app:jobs"}
    with pytest.raises(NotFound, match=r"not queue\.queue or queue\.consumer"):
        operations.pause(target="work")
    with pytest.raises(NotFound):
        operations.pause(target="wrker")


def test_the_graph_leads_from_an_entry_both_ways(operations: Taking) -> None:
    found = operations.graph(name="jobs")
    assert {"from": "app:worker", "field": "queue", "to": "app:jobs"} in found["edges"]
    assert {"from": "app:jobs", "field": "driver", "to": "app:memory"} in found["edges"]
    names = [node["id"] for node in found["nodes"]]
    assert "app:jobs.dead" in names
    assert "app:idle" not in names


def test_a_drivers_secrets_are_not_shown(make_host: MakeHost) -> None:
    from moonq.operations.entries import _is_secret

    assert all(map(_is_secret, ("url", "password", "access_key", "secret_key", "auth_token")))
    assert not any(map(_is_secret, ("name", "driver", "prefetch", "path")))


def test_consumers_that_were_left_out_can_be_started(make_host: MakeHost) -> None:
    host = make_host(ENTRIES, start=False, **FILES)
    host.start(consumers=False)
    operations = Operations(host, "console:tester")
    assert operations.consumers()["consumers"][0]["state"] == "stopped"
    published(operations, "jobs", {"id": 1, "total": 1})
    operations.start(target="worker")
    until(lambda: host.report().acked == 1)
    with pytest.raises(NotFound, match=r"of kind function\.lua, not "):
        operations.start(target="work")


def test_only_what_was_saved_is_dropped(
    operations: Taking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that comes back while the backup is written is in the snapshot, not in the file."""
    published(operations, "idle", 1, 2, 3)
    snapshot = operations.take("snapshot", queue="idle")["snapshot"]
    real = choosing.of_numbers
    monkeypatch.setattr(choosing, "of_numbers", lambda *asked: list(real(*asked))[1:])
    assert operations.take("purge", snapshot=snapshot, confirm="app:idle")["dropped"] == 2
    monkeypatch.undo()
    assert [one["body"] for one in operations.peek(queue="idle")["messages"]] == [1]


def test_a_queue_that_moves_is_read_once_and_to_its_end(
    operations: Taking, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last message of each page is taken before the next page is asked for."""
    monkeypatch.setattr(paging, "PAGE", 3)
    found = published(operations, "idle", *range(8))
    route = host.queues.route("app:idle")
    seen = []
    for stored in choosing.stored_in(route):
        seen.append(stored.message.id)
        if len(seen) == 3:
            route.driver.purge("app:idle", [seen[-1]])
    assert seen == found


REPLAYED = """
  - {name: a, kind: queue.queue, driver: memory, retry: {max_attempts: 1}}
  - {name: b, kind: queue.queue, driver: memory, retry: {initial_delay: 5s}}
  - {name: on_a, kind: queue.consumer, queue: a, func: work}
  - {name: on_b, kind: queue.consumer, queue: b, func: work}
  - {name: work, kind: function.lua, source: "return function() return false end"}
"""


def test_a_replay_is_judged_by_the_queue_that_the_letter_died_in(make_host: MakeHost) -> None:
    """Not by another one that its function serves, nor by the defaults."""
    host = make_host(REPLAYED)
    operations = Operations(host, "console:tester")
    (name,) = published(operations, "a", 1)
    until(lambda: host.queues.info("app:a").dead == 1)
    found = operations.replay(message=name)
    assert (found["verdict"], found["reason"]) == ("dead", "max_attempts")


def test_pages_that_large_bodies_cut_short_leave_no_message_out(operations: Operations) -> None:
    found = published(operations, "idle", *("x" * 9000 for _ in range(600)))
    seen: list[str] = []
    after, pages = "", 0
    while pages == 0 or after:
        page = operations.peek(queue="idle", limit=500, after=after)
        seen += [one["id"] for one in page["messages"]]
        after, pages = page["next"], pages + 1
    assert seen == found
    assert pages > 2


def test_pages_follow_each_other_by_their_cursor(operations: Taking) -> None:
    found = published(operations, "idle", *range(5))
    first = operations.peek(queue="idle", limit=2)
    second = operations.peek(queue="idle", limit=2, after=first["next"])
    last = operations.peek(queue="idle", limit=2, after=second["next"])
    shown = [one["id"] for page in (first, second, last) for one in page["messages"]]
    assert shown == found
    assert last["next"] == ""
    with pytest.raises(NotFound, match="look again from the beginning"):
        operations.peek(queue="idle", after="~nonsense")


@pytest.mark.parametrize(
    "body", [b"NaN", b"[1,-Infinity]", b'{"a":1,"a":2}', b"\xff", b"1e999", b'"\\ud800"', b"1.50"]
)
def test_a_body_that_is_no_strict_json_is_saved_byte_for_byte(body: bytes) -> None:
    line = backup.line(Stored(Message("a", body, 1.0), "ready"), 1.0)
    assert base64.b64decode(line["base64"]) == body


def test_a_text_is_not_taken_for_the_json_it_spells() -> None:
    message = Message("a", b'{"a":1}', 1.0, content_type="text/plain")
    assert "base64" in backup.line(Stored(message, "ready"), 1.0)


def test_json_of_a_queue_that_holds_text_is_saved_byte_for_byte() -> None:
    line = backup.line(Stored(Message("a", b'{"a":1}', 1.0), "ready"), 1.0, decodes=False)
    assert base64.b64decode(line["base64"]) == b'{"a":1}'


def test_only_a_dead_letter_is_saved_as_one() -> None:
    message = Message("a", b"1", 1.0, {"x_redriven": 1})
    line = backup.line(Stored(message, "delayed", due=9.0), 1.0)
    assert (line["state"], line["story"], line["body"]) == ("delayed", {"x_redriven": 1}, 1)
    dead = message._replace(headers={"x_dead_letter_reason": "rejected"})
    assert backup.line(Stored(dead, "ready"), 1.0)["state"] == "dead"


def test_a_wait_that_no_publish_may_ask_for_is_saved_as_the_longest() -> None:
    line = backup.line(Stored(Message("a", b"1", 1.0), "delayed", due=1e300), 1.0)
    assert line["options"]["at"] == 1.0 + 365 * 86400


def test_what_would_have_expired_meanwhile_can_still_be_published() -> None:
    line = backup.line(Stored(Message("a", b"1", 1.0), "ready", expires=5.0), 9.0)
    assert line["options"]["ttl"] > 0
