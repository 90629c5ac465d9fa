"""Watching a host: everything is told, nothing is held up, and what is left out is counted."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from moonq import log
from moonq.control import outbox
from moonq.control.backlog import Backlog
from moonq.control.client import Client, Subscription
from moonq.control.feed import ROOM
from moonq.control.locating import place_of
from moonq.control.outbox import Outbox
from moonq.host import Host

from ..conftest import until


def publish(host: Host, queue: str = "app:jobs", **job: Any) -> str:
    return host.queues.publish(queue.encode(), json.dumps(job).encode())


def story(events: Subscription, message: str, end: tuple[str, ...] = ("ack", "dead")) -> list[Any]:
    """What happened to one message, up to its end."""
    found = []
    while True:
        event = events.next(10)
        assert event is not None, found
        if event.get("id") == message:
            found.append(event)
            if event["event"] in end:
                return found


def test_a_message_is_followed_from_its_publish_to_its_end(client: Client, host: Host) -> None:
    events = client.subscribe("tail", events=["publish", "deliver", "ack", "nack", "dead"])
    well = publish(host, id=1, total=5)
    kinds = sorted(event["event"] for event in story(events, well))
    assert kinds == ["ack", "deliver", "publish"]
    ill = publish(host, id=2, total=-5)
    last = story(events, ill)[-1]
    assert (last["event"], last["reason"], last["attempt"]) == ("dead", "max_attempts", 1)
    assert last["function"] == "app:work"
    assert last["error"]["where"] == "work.lua:6"
    assert "negative total of order 2" in last["error"]["message"]


def test_filters_choose_by_target_event_and_condition(client: Client, host: Host) -> None:
    by_queue = client.subscribe("tail", targets=["idle"], events=["publish"])
    by_worth = client.subscribe("tail", events=["publish"], where="body.total > 100", body=True)
    by_error = client.subscribe("tail", where='error.message:find("order 2")')
    for number, total in ((1, 5), (2, -5), (3, 500)):
        publish(host, id=number, total=total)
    there = publish(host, "app:idle", id=4)
    event = by_queue.next(10)
    assert event is not None
    assert event["id"] == there
    event = by_worth.next(10)
    assert event is not None
    assert event["body"] == {"id": 3, "total": 500}
    event = by_error.next(10)
    assert event is not None
    assert event["event"] == "dead"


def test_one_message_is_followed_by_its_id(client: Client, host: Host) -> None:
    events = client.subscribe("tail", targets=["the-one"], events=["publish", "ack"])
    publish(host, id=1, total=1)
    host.queues.publish(b"app:jobs", b'{"id":2,"total":1}', False, 0, 1, b"id", b"the-one")
    publish(host, id=3, total=1)
    assert [event["event"] for event in story(events, "the-one")][-1] == "ack"


def test_log_lines_are_told_with_who_spoke(client: Client, host: Host) -> None:
    logging.getLogger().setLevel(logging.INFO)
    log.get("app:work")
    events = client.subscribe("tail", events=["log"], targets=["app:work"])
    message = publish(host, id=1, total=1)
    event = events.next(10)
    assert event is not None
    assert (event["logger"], event["message"], event["level"]) == ("app:work", "working", "info")
    assert (event["id"], event["fields"]) == (message, {"job": 1})


def test_nobody_is_told_anything_while_nobody_listens(client: Client, host: Host) -> None:
    handlers = len(logging.getLogger().handlers)
    assert host.metrics.observer is None
    events = client.subscribe("tail")
    assert host.metrics.observer is not None
    assert len(logging.getLogger().handlers) == handlers + 1
    events.close()
    until(lambda: host.metrics.observer is None)
    assert len(logging.getLogger().handlers) == handlers


def test_subscriptions_end_with_their_client(clients: Callable[[], Client], host: Host) -> None:
    client = clients()
    client.subscribe("tail")
    client.subscribe("stats")
    client.close()
    until(lambda: host.metrics.observer is None)


def test_numbers_come_at_once_and_then_again(client: Client, host: Host) -> None:
    events = client.subscribe("stats", interval=0.2)
    publish(host, "app:idle", id=1)
    first = events.next(10)
    assert first is not None
    assert {"time", "status", "queues", "consumers"} <= first.keys()
    until(lambda: ready(events, "app:idle") == 1)


def ready(events: Subscription, queue: str) -> int:
    event = events.next(10)
    assert event is not None
    [row] = [row for row in event["queues"] if row["id"] == queue]
    return int(row["ready"])


def test_a_client_that_does_not_read_holds_nobody_up_and_learns_what_it_missed(
    host: Host,
) -> None:
    """Thousands of events for a client that is asleep: the host goes on at its own pace."""
    host.queues.route("app:idle").driver.declare(
        host.queues.route("app:idle").spec._replace(max_length=1_000_000)
    )
    with socket.socket(socket.AF_UNIX) as asleep:
        asleep.connect(str(place_of(host.project.root).socket))
        asleep.sendall(b'{"kind":"subscribe","id":1,"topic":"tail","events":["publish"]}\n')
        until(lambda: host.metrics.observer is not None)
        slowest = 0.0
        for number in range(20_000):
            began = time.perf_counter()
            publish(host, "app:idle", id=number, text="x" * 50)
            slowest = max(slowest, time.perf_counter() - began)
        assert slowest < 1
        total, received, dropped = 20_000, 0, 0
        asleep.settimeout(10)
        lines = asleep.makefile("rb")
        while received + dropped < total:
            # Whoever wakes up learns with the next event how many there were meanwhile.
            if received % 500 == 499:
                total += 1
                publish(host, "app:idle", id=-1)
            frame = json.loads(lines.readline())
            if frame["kind"] == "event":
                received += 1
                dropped += frame["dropped"]
        assert dropped > 1000
        assert received + dropped == total


def test_a_backlog_has_an_end_and_counts_what_goes_over_it() -> None:
    backlog: Backlog[int] = Backlog(room=2)
    for number in range(5):
        backlog.put(number)
    assert (backlog.take(), backlog.dropped) == (0, 3)
    backlog.close()
    assert not backlog.ended
    assert (backlog.take(), backlog.take(), backlog.ended) == (1, None, True)
    backlog = Backlog(room=2)
    backlog.put(1)
    backlog.close(forget=True)
    assert backlog.take() is None
    assert ROOM > 2


def test_an_outbox_keeps_answers_drops_events_and_hangs_up_on_the_greedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox, "ROOM", 100_000)
    monkeypatch.setattr(outbox, "LARGEST", 2_000_000)
    here, there = socket.socketpair()
    box = Outbox(here)
    event = {"kind": "event", "text": "x" * 10_000}
    while box.offer(event):
        pass
    assert not box.offer(event)
    box.put({"kind": "result", "text": "kept"})
    there.settimeout(10)
    lines = there.makefile("rb")
    while json.loads(lines.readline())["kind"] == "event":
        pass
    for _ in range(3000):
        box.put({"kind": "result", "text": "x" * 10_000})
    while lines.readline():
        pass  # it ends: the other side hung up
    here.close()
    lines.close()
    there.close()


def test_many_watchers_at_once_all_see_the_same(clients: Callable[[], Client], host: Host) -> None:
    watchers = [clients().subscribe("tail", events=["publish"]) for _ in range(8)]
    seen: list[list[str]] = [[] for _ in watchers]

    def watch(number: int) -> None:
        while len(seen[number]) < 50:
            event = watchers[number].next(10)
            assert event is not None
            seen[number].append(event["id"])

    threads = [threading.Thread(target=watch, args=(one,)) for one in range(len(watchers))]
    for thread in threads:
        thread.start()
    ids = [publish(host, "app:idle", id=number) for number in range(50)]
    for thread in threads:
        thread.join(20)
    assert all(one == ids for one in seen)
