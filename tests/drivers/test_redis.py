"""What is Redis's own: its scripts, its lists, other programs and other hosts at one server."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.drivers.conftest import make_driver
from tests.servers import redis as servers
from tests.servers.process import until

from moonq.clock import Clock, SystemClock
from moonq.conformance import Scene
from moonq.conformance.scene import Consumer, StrictClock, dead, ids, retry
from moonq.drivers.base import LEASE, Driver, Event, mover
from moonq.drivers.redis.scripts import source
from moonq.errors import Conflict, QueueFull, Unavailable
from moonq.model import ACK, Message, QueueSpec, Receipt

#: It starts servers of its own, and mostly waits.
pytestmark = pytest.mark.aside("redis")

WIRE = Path(__file__).parents[2] / "host/moonq/drivers/redis/WIRE.md"


class Place:
    """A prefix of its own at a server, and the drivers that are there."""

    def __init__(self, server: servers.Server, folder: Path, **fields: Any) -> None:
        prefix = servers.place()["prefix"]
        self.server = server
        self.fields = {
            "name": "driver",
            "kind": "queue.driver.redis",
            "url": server.url,
            "prefix": prefix,
            **fields,
        }
        self.base = f"{{{prefix}}}:"
        self.events: list[Event] = []
        self._folder = folder
        self._drivers: list[Driver] = []

    def make(self, clock: Clock) -> Driver:
        """A driver that is not open yet."""
        driver = make_driver("redis", clock, self._folder, self.fields)
        self._drivers.append(driver)
        return driver

    def open(self, clock: Clock | None = None, name: str = "", **spec: Any) -> Driver:
        """A driver with one queue `q`, on the machine's clock if no other is given."""
        driver = self.make(clock or SystemClock())
        driver.open(self.events.append, name=name)
        driver.declare(QueueSpec("q", **{"dead_letter": "q.dead", **spec}))
        return driver

    def scene(self) -> Scene:
        """A scene on a clock that stands still."""
        return Scene(self.make)

    def close(self) -> None:
        """Close all drivers."""
        for driver in self._drivers:
            driver.close()


@pytest.fixture(params=["auto", "evalsha"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    found = Place(servers.shared(), tmp_path, scripts=request.param)
    yield found
    found.close()


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """Makes places at servers of their own, which a test may restart or flush."""
    places: list[Place] = []

    def make(settings: dict[str, str | list[str]] | None = None, **fields: Any) -> Place:
        places.append(Place(servers.fresh(tmp_path, settings), tmp_path, **fields))
        return places[-1]

    yield make
    for one in places:
        one.close()
        one.server.kill()


def message(name: str, body: bytes = b"{}") -> Message:
    return Message(name, body, 1.0)


def publish(driver: Driver, *names: str) -> list[Any]:
    return list(driver.publish("q", [message(name) for name in names], 5.0))


def finish(driver: Driver, count: int, timeout: float = 5.0) -> list[str]:
    """Take and acknowledge so many messages, waiting for each."""
    subscription = driver.subscribe("q", 10)
    done: list[str] = []
    while len(done) < count and (taken := subscription.take(1, timeout)):
        assert subscription.start(taken[0])
        assert subscription.settle(taken[0], ACK)
        done += ids(taken)
    subscription.close(SystemClock.monotonic() + 5)
    return done


# The scripts


def test_both_ways_to_run_scripts_keep_what_was_published(place: Place) -> None:
    driver = place.open()
    assert publish(driver, "a", "b") == [Receipt("a"), Receipt("b")]
    assert finish(driver, 2) == ["a", "b"]
    with place.server.client() as client:
        if place.fields["scripts"] == "auto":
            assert f"moonq_{source().digest}" in libraries(client)
        else:
            assert client.script_exists(source().sha) == [True]


def libraries(client: Any) -> set[str]:
    """The names of the libraries of Functions at a server."""
    return {row[b"library_name"].decode() for row in client.execute_command("FUNCTION", "LIST")}


@pytest.mark.parametrize("how", ["auto", "evalsha"])
def test_scripts_that_the_server_forgets_are_given_it_again(lone: Any, how: str) -> None:
    place = lone(scripts=how)
    driver = place.open()
    subscription = driver.subscribe("q", 10)
    with place.server.client() as client:
        for number in range(3):
            client.script_flush()
            client.execute_command("FUNCTION", "FLUSH")
            assert publish(driver, f"m{number}") == [Receipt(f"m{number}")]
            client.script_flush()
            client.execute_command("FUNCTION", "FLUSH")
            (taken,) = subscription.take(1, 5.0)
            client.script_flush()
            client.execute_command("FUNCTION", "FLUSH")
            assert subscription.start(taken)
            assert subscription.settle(taken, ACK)
            assert driver.info("q").message_count == 0
    assert place.events == []


def test_another_version_of_the_scripts_stays_as_it_is(lone: Any) -> None:
    place = lone()
    does_nothing = "redis.register_function('work_0123456789ab', function() end)"
    with place.server.client() as client:
        client.function_load(f"#!lua name=moonq_0123456789ab\n{does_nothing}")
        place.open()
        assert libraries(client) == {"moonq_0123456789ab", f"moonq_{source().digest}"}


def test_a_version_of_the_scripts_goes_when_its_last_host_is_gone(lone: Any) -> None:
    place = lone()
    does_nothing = "redis.register_function('work_0123456789ab', function() end)"
    with place.server.client() as client:
        client.function_load(f"#!lua name=moonq_0123456789ab\n{does_nothing}")
        client.sadd(f"{place.base}scripts", "0123456789ab")
        client.hset(f"{place.base}s:other", mapping={"n": 0, "scripts": "0123456789ab"})
        client.zadd(f"{place.base}seats", {"other|": 4e9})
        place.open()
        assert libraries(client) == {"moonq_0123456789ab", f"moonq_{source().digest}"}
        client.zadd(f"{place.base}seats", {"other|": 1})
        place.open()
        assert libraries(client) == {f"moonq_{source().digest}"}


def test_a_newer_layout_is_refused_and_left_alone(place: Place) -> None:
    driver = place.open()
    publish(driver, "a")
    driver.close()
    with place.server.client() as client:
        client.hset(f"{place.base}about", mapping={"layout": 2, "moonq": "9.1.0"})
        before = sorted(client.scan_iter(f"{place.base}*"))
        newer = place.make(SystemClock())
        with pytest.raises(Conflict, match=r"written by moonq 9\.1\.0, .* layout 2; .* knows 1"):
            newer.open(place.events.append)
        assert sorted(client.scan_iter(f"{place.base}*")) == before
    assert newer.health() != []


# Servers that come back


def test_a_server_that_is_restarted_is_gone_on_with(lone: Any) -> None:
    place = lone({"appendfsync": "always"}, reconnect_max_delay=0.2)
    driver = place.open()
    publish(driver, "a", "b")
    subscription = driver.subscribe("q", 1)
    (taken,) = subscription.take(1, 5.0)
    assert subscription.start(taken)
    place.server.stop()
    until(driver.health, "the driver notices", 5)
    (answer,) = driver.publish("q", [message("late")], 0.0)
    assert isinstance(answer, Unavailable)
    assert subscription.settle(taken, ACK)
    place.server.start()
    assert ids(subscription.take(1, 6.0)) == ["b"]
    assert driver.info("q").message_count == 1
    assert [event.kind for event in place.events] == ["reconnecting", "reconnected"]
    assert list(driver.health()) == []


def test_a_server_that_forgot_everything_is_told_of_the_queues_again(lone: Any) -> None:
    """Without that what dies would be dropped, and nothing bounded."""
    place = lone({"appendonly": "no"}, durability="none", reconnect_max_delay=0.2)
    driver = place.open(max_length=2)
    publish(driver, "lost")
    place.server.kill()
    place.server.start()
    until(lambda: isinstance(publish(driver, "a")[0], Receipt), "it is published again", 10)
    answers = publish(driver, "b", "c")
    assert isinstance(answers[1], QueueFull)
    subscription = driver.subscribe("q", 1)
    (taken,) = subscription.take(1, 5.0)
    assert subscription.start(taken)
    assert subscription.settle(taken, dead())
    assert (driver.info("q").dead, driver.info("q").ready) == (1, 1)


def test_memory_that_is_full_refuses_publishes_and_nothing_else(lone: Any) -> None:
    for how in ("auto", "evalsha"):
        place = lone(scripts=how)
        driver = place.open()
        publish(driver, "a", "b", "c")
        with place.server.client() as client:
            client.config_set("maxmemory", "1mb")
            client.config_set("maxmemory-policy", "noeviction")
            (answer,) = publish(driver, "d")
            assert isinstance(answer, QueueFull)
            assert "maxmemory" in answer.message
            assert answer.kind == "RATE_LIMITED"
            assert finish(driver, 3) == ["a", "b", "c"]
            client.config_set("maxmemory", "0")
        assert publish(driver, "d") == [Receipt("d")]
        assert finish(driver, 1) == ["d"]


def test_a_refusal_that_lasts_is_said_once_and_stays_in_the_health(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    driver = place.open()
    subscription = driver.subscribe("q", 10)
    assert subscription.take(1, 0.0) == []
    caplog.clear()
    with place.server.client() as client:
        client.set(f"{place.base}q:d", "another program's")
        until(driver.health, "it is told", 5)
        assert "another program's data" in " ".join(driver.health())
        assert subscription.take(1, 0.3) == []
        assert len(caplog.records) == 1
        client.delete(f"{place.base}q:d")
    until(lambda: not driver.health(), "it is over", 5)
    assert publish(driver, "a") == [Receipt("a")]
    assert ids(subscription.take(1, 5.0)) == ["a"]


# Other programs


def test_what_any_client_pushes_is_a_message(place: Place) -> None:
    driver = place.open()
    subscription = driver.subscribe("q", 10)
    assert subscription.take(1, 0.0) == []
    with place.server.client() as client:
        client.rpush(f"{place.base}q:in", '{"json":1}', b"\x00raw")
    taken = [*subscription.take(1, 5.0), *subscription.take(1, 5.0)]
    assert [delivery.message.body for delivery in taken] == [b'{"json":1}', b"\x00raw"]
    assert all(re.fullmatch(r"in-\d+-\d+", name) for name in ids(taken))
    assert [subscription.start(one) and subscription.settle(one, ACK) for one in taken] == [
        True
    ] * 2
    assert driver.info("q").message_count == 0


def test_what_is_pushed_into_a_full_queue_waits_for_room(place: Place) -> None:
    scene = place.scene()
    scene.declare("q", max_length=2)
    scene.publish("a")
    with place.server.client() as client:
        client.rpush(f"{place.base}q:in", "b", "c")
        assert scene.info().ready == 3
        assert client.llen(f"{place.base}q:in") == 1
    assert isinstance(scene.offer("d"), QueueFull)
    consumer = scene.consumer(prefetch=1)
    bodies = []
    while taken := consumer.run(1):
        bodies.append(taken[0].message.body)
        consumer.settle(taken[0])
    assert bodies == [b"a", b"b", b"c"]


def test_a_queue_that_rests_takes_in_what_is_pushed(place: Place) -> None:
    scene = place.scene()
    scene.driver.pause("q")
    with place.server.client() as client:
        client.rpush(f"{place.base}q:in", "a")
    assert (scene.info().ready, scene.info().paused) == (1, True)
    consumer = scene.consumer()
    assert consumer.take() == []
    scene.driver.resume("q")
    assert len(consumer.take()) == 1


def test_the_reader_of_the_page_reads_what_lies_there(place: Place, tmp_path: Path) -> None:
    """The page says how others read messages; its example is run as it stands there."""
    scene = place.scene()
    scene.publish("a", body=b'{"n":1}', group="g", headers={"tenant": "t1"})
    scene.publish("b", body=b'{"n":2}\n')
    (program,) = re.findall(r"```python\n(.*?)```", WIRE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(program.rstrip().splitlines()) <= 25
    (tmp_path / "reader.py").write_text(program, encoding="utf-8")
    argv = [sys.executable, "reader.py", place.server.url, place.fields["prefix"], "q"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=True)
    at = scene.clock.now()
    assert done.stdout == f'a {at} 0 {{"n":1}}\nb {at} 0 {{"n":2}}\n\n'


# Other hosts


def test_a_publish_wakes_a_worker_of_another_host(place: Place) -> None:
    clock = StrictClock()
    first, second = place.open(clock, "blue"), place.open(clock, "green")
    consumer = Consumer(first.subscribe("q", 1), 0.0)
    assert consumer.take() == []
    publish(second, "a")
    subscription = consumer.subscription
    assert ids(subscription.take(1, 60.0)) == ["a"]


def test_the_last_declaration_wins_and_it_is_said(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    clock = StrictClock()
    first = place.open(clock, "blue", max_length=5)
    assert caplog.text.count("by another declaration") == 0
    second = place.open(clock, "green", max_length=1)
    assert "queue 'q' had `max_length` 5 by another declaration" in caplog.text
    assert publish(first, "a") == [Receipt("a")]
    for driver in (first, second):
        (answer,) = publish(driver, "b")
        assert isinstance(answer, QueueFull)


def test_a_pause_holds_for_all_hosts(place: Place) -> None:
    clock = StrictClock()
    first, second = place.open(clock), place.open(clock)
    publish(first, "a", "b")
    consumer = Consumer(first.subscribe("q", 2), 0.0)
    assert len(consumer.take(1)) == 1
    second.pause("q")
    until(lambda: first.info("q").leased == 0, "the buffer is handed back", 5)
    assert consumer.take() == []
    first.resume("q")
    assert ids(Consumer(second.subscribe("q", 2), 0.0).take()) == ["a", "b"]


def test_what_a_host_that_vanished_held_runs_again_one_by_one(place: Place) -> None:
    """It may be what killed it: the innocent are not taken along a second time."""
    scene = place.scene()
    scene.publish(*"abc")
    with place.server.client() as client:
        victim = scene.consumer(prefetch=3)
        victim.run(2)
        assert scene.counts() == {"running": 2, "leased": 1}
        _vanish(scene.driver)
        heir = Scene(lambda _: place.make(scene.clock))
        assert heir.consumer().take() == []
        scene.later(LEASE + 2)
        consumer = heir.consumer()
        told = []
        for _ in range(3):
            (delivery,) = consumer.run()
            told.append((delivery.message.id, delivery.interruptions))
            assert consumer.take() == []
            consumer.settle(delivery)
        assert told == [("a", 1), ("b", 1), ("c", 0)]
        assert heir.told("interrupted") == 2
        assert heir.counts() == {}
        assert client.zcard(f"{place.base}seats") == 2


def _vanish(driver: Any) -> None:
    """End its thread as a kill does: nothing is sent any more."""
    sender = driver._sender
    sender._give_up, sender._leaves = 0.0, False
    sender.ring()
    sender._thread.join(5)
    driver._is_open = False
    driver._listener.stop()


def test_a_host_whose_lease_is_over_starts_nothing_and_begins_anew(place: Place) -> None:
    scene = place.scene()
    consumer, delivery = scene.running("a")
    with place.server.client() as client:
        session = scene.driver._sender.session  # type: ignore[attr-defined]
        client.delete(f"{place.base}s:{session}", f"{place.base}q:f:{session}")
        client.zrem(f"{place.base}seats", f"{session}|", f"{session}|q")
    scene.later(1)
    until(lambda: scene.driver._sender.session != session, "another session begins", 5)  # type: ignore[attr-defined]
    assert not consumer.settle(delivery)
    assert scene.told("lease_lost") == 1
    scene.publish("b")
    assert consumer.finish() == ["b"]


def test_leases_of_one_host_end_each_in_its_own_time(place: Place) -> None:
    scene = place.scene()
    scene.declare("other")
    scene.publish("a")
    scene.publish("b", queue="other")
    short, long = scene.consumer(lease=5.0), scene.consumer(queue="other", lease=300.0)
    assert ids([*short.run(), *long.run()]) == ["a", "b"]
    _vanish(scene.driver)
    heir = Scene(lambda _: place.make(scene.clock))
    heir.declare("other")
    scene.later(8)
    assert heir.consumer().finish() == ["a"]
    scene.later(250)
    assert heir.consumer(queue="other").finish() == []
    scene.later(60)
    assert heir.consumer(queue="other").finish() == ["b"]


def test_messages_are_moved_page_by_page_whatever_their_state(place: Place) -> None:
    scene = place.scene()
    scene.declare("other")
    scene.publish(*(f"m{n}" for n in range(20)))
    scene.publish("late", delay=60.0)
    after, moved = 0, 0
    while page := mover(scene.driver).waiting("q", 6, after):
        after = page[-1].number
        moved += len(mover(scene.driver).adopt("other", page, "q"))
    assert (moved, scene.counts(), scene.counts("other")) == (21, {}, {"ready": 20, "delayed": 1})


def test_a_purge_leaves_nothing_of_a_queue_behind(place: Place) -> None:
    scene = place.scene()
    scene.publish(*(f"m{n}" for n in range(700)))
    scene.publish("key", dedup_key="k", group="g", ttl=60.0, delay=10.0)
    scene.consumer().finish(retry(5), limit=3)
    assert scene.driver.purge("q") == 701
    scene.driver.close()
    with place.server.client() as client:
        left = {key.decode().removeprefix(place.base) for key in client.scan_iter(f"{place.base}*")}
    assert {key for key in left if key.startswith("q:")} == {"q:spec"}


# What does not pile up


def test_more_verdicts_than_a_script_can_stack_are_settled_at_once(place: Place) -> None:
    """The stack of the server's Lua ends near 8000; a refused call would be made again for ever."""
    driver = place.open()
    names = [f"m{number}" for number in range(9000)]
    publish(driver, *names)
    subscription = driver.subscribe("q", 10_000)
    taken: list[Any] = []
    while len(taken) < len(names):
        taken += subscription.take(10_000, 5.0)
    assert all(map(subscription.start, taken))
    assert all(subscription.ack(taken))
    assert driver.info("q").message_count == 0
    assert place.events == []


def test_a_call_is_short_however_much_a_consumer_wants_and_a_publisher_has(lone: Any) -> None:
    place = lone()
    driver = place.open()
    with place.server.client() as client:
        client.config_set("slowlog-log-slower-than", "0")
        client.config_set("slowlog-max-len", "1000")
        client.config_set("client-query-buffer-limit", "20mb")
        publish(driver, *(f"m{number}" for number in range(2500)))
        subscription = driver.subscribe("q", 10_000)
        taken: list[Any] = []
        while len(taken) < 2500:
            taken += subscription.take(10_000, 5.0)
        wanted = [int(one["command"].split(b" ")[12]) for one in works(client)]
        assert max(wanted) == 1000
        body = b"0" * 1_000_000
        answers = driver.publish("q", [message(f"b{n}", body) for n in range(30)], 5.0)
        assert answers == [Receipt(f"b{n}") for n in range(30)]


def works(client: Any) -> list[Any]:
    """The calls of a session that the server has noted."""
    return [one for one in client.slowlog_get(1000) if b"FCALL work_" in one["command"]]


def test_a_host_that_ends_leaves_nothing_but_its_queues(place: Place) -> None:
    """Neither does one that vanished, once its lease is over."""
    scene = place.scene()
    scene.publish("a")
    consumer = scene.consumer()
    assert consumer.finish() == ["a"]
    assert consumer.take() == []
    scene.driver.close()
    gone = Scene(lambda _: place.make(scene.clock))
    assert gone.consumer().take() == []
    _vanish(gone.driver)
    scene.later(LEASE + 2)
    heir = Scene(lambda _: place.make(scene.clock))
    heir.later(2)
    heir.driver.close()
    assert left(place) == {"about", "q:spec", "queues", "scripts", "seq"}


def left(place: Place) -> set[str]:
    """The keys at a place, without what they all begin with."""
    with place.server.client() as client:
        return {key.decode().removeprefix(place.base) for key in client.scan_iter(f"{place.base}*")}


def test_messages_that_expire_and_nobody_reads_leave_no_numbers(place: Place) -> None:
    scene = place.scene()
    scene.declare("q", dead_letter=None, on_expire="drop")
    for round_ in range(3):
        scene.publish(*(f"m{round_}-{n}" for n in range(30)), ttl=5.0)
        scene.later(6)
    with place.server.client() as client:
        until(lambda: client.hlen(f"{place.base}q:m") == 0, "all have expired")
        assert client.exists(f"{place.base}q:r1") == 0


def test_keys_whose_window_is_over_go_as_fast_as_others_come(place: Place) -> None:
    scene = place.scene()
    scene.declare("q", dedup_window=5.0)
    with place.server.client() as client:
        for round_ in range(3):
            names = [f"m{round_}-{n}" for n in range(400)]
            many = [message(name)._replace(dedup_key=name) for name in names]
            scene.driver.publish("q", many, 5.0)
            scene.clock.advance(6.0)
        assert client.hlen(f"{place.base}q:y") <= 400


def test_a_bound_that_is_lowered_far_is_reached_by_and_by(place: Place) -> None:
    """A script that dropped a million at once would keep everybody waiting."""
    scene = place.scene()
    scene.publish(*(f"m{number}" for number in range(500)))
    scene.declare("q", max_length=10, overflow="drop_oldest")
    while isinstance(scene.offer("new"), QueueFull):
        pass
    assert scene.info().ready == 10
    assert scene.info().dead == 491
