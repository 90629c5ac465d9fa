"""The Redis driver against a real server that is killed, cut off, frozen, filled and replaced.

Every test keeps books (`tests.drivers.load`): what was confirmed is seen, and nothing runs twice
that no lease was lost of.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.drivers.load import QUEUE, Load
from tests.drivers.redis_child import Child
from tests.servers import redis as servers
from tests.servers.process import until
from tests.servers.proxy import Proxy

from moonq import drivers
from moonq.clock import SystemClock
from moonq.conformance.holding import hold, twins
from moonq.drivers.base import Driver
from moonq.drivers.redis import front, session
from moonq.errors import QueueFull, Refused, Unavailable, Uncertain, Unsupported
from moonq.model import ACK, Message, QueueSpec, Receipt

#: It starts servers of its own, and mostly waits.
pytestmark = pytest.mark.aside("redis")

#: The contract: so long after the server is back, work goes on at the latest.
BACK = 6.0


def fields(url: str, **more: Any) -> dict[str, Any]:
    return {"name": "driver", "kind": "queue.driver.redis", "url": url, **more}


def make(url: str, **more: Any) -> Callable[[], Driver]:
    """What makes a driver at the server."""
    descriptor = drivers.descriptor("queue.driver.redis")
    asked = descriptor.fields.model_validate(fields(url, **more))
    return lambda: descriptor.make(asked, SystemClock(), Path())


@contextmanager
def opened(url: str, **more: Any) -> Iterator[Any]:
    driver: Any = make(url, **more)()
    driver.open(lambda event: None)
    driver.declare(QueueSpec(QUEUE, dead_letter=f"{QUEUE}.dead"))
    yield driver
    driver.close(time.monotonic() + 2)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A way to the shared server that can fail."""
    with Proxy(servers.shared().port) as proxy:
        yield proxy


def through(proxy: Proxy) -> dict[str, Any]:
    """The fields of a place behind *proxy* that nobody has used."""
    return {**servers.place(), "url": f"redis://127.0.0.1:{proxy.port}/0"}


# The server


def crash_again_and_again(folder: Path, times: int, **how: Any) -> None:
    # With `everysec` a server whose disk is busy confirms before it has written, for two seconds.
    server = servers.fresh(folder, {"appendfsync": "always"}, **how)
    dice = random.Random()
    with Load(make(server.url)) as load:
        for _ in range(times):
            time.sleep(dice.uniform(0.1, 0.5))
            server.kill()
            time.sleep(dice.uniform(0.0, 0.3))
            server.start()
            assert load.goes_on(BACK) <= BACK
        load.finish()
        load.account()
        assert len(load.confirmed) > 100 * times


def test_a_server_that_is_killed_under_load_loses_nothing_and_repeats_nothing(
    tmp_path: Path,
) -> None:
    crash_again_and_again(tmp_path, 3)


@pytest.mark.slow
def test_twenty_kills_of_the_server_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    crash_again_and_again(tmp_path, 20)


@pytest.mark.slow
def test_a_server_that_is_restarted_by_its_operator_loses_nothing(tmp_path: Path) -> None:
    server = servers.fresh(tmp_path)
    with Load(make(server.url)) as load:
        for _ in range(3):
            time.sleep(0.5)
            server.stop()
            server.start()
            load.goes_on(BACK)
        load.finish()
        load.account()


@pytest.mark.slow
def test_after_a_long_absence_work_goes_on_within_six_seconds(tmp_path: Path) -> None:
    server = servers.fresh(tmp_path)
    with Load(make(server.url)) as load:
        load.goes_on(5)
        server.kill()
        # Long enough for the wait between two tries to have grown to its longest.
        time.sleep(20)
        server.start()
        assert load.goes_on(BACK) <= BACK
        load.finish()
        load.account()
        kinds = [event.kind for event in load.events]
        assert "reconnecting" in kinds
        assert kinds.count("reconnected") <= 4


def test_a_server_that_has_no_memory_left_refuses_publishes_and_is_worked_off(
    tmp_path: Path,
) -> None:
    server = servers.fresh(tmp_path, {"maxmemory": "12mb"})
    with opened(server.url) as driver:
        body, stored = b"x" * 20_000, 0
        for number in range(2000):
            (answer,) = driver.publish(QUEUE, [Message(f"{number}", body, 0.0)], 2.0)
            if not isinstance(answer, Receipt):
                break
            stored += 1
        assert isinstance(answer, QueueFull)
        assert answer.kind == "RATE_LIMITED"
        assert "has no memory left for messages: it is at its maxmemory" in answer.message
        subscription = driver.subscribe(QUEUE, 20)
        done = 0
        while done < stored:
            taken = subscription.take(20, 5.0)
            assert taken, f"nothing more came after {done} of {stored}"
            for delivery in taken:
                assert subscription.start(delivery)
                assert subscription.settle(delivery, ACK)
            done += len(taken)
        until(lambda: driver.info(QUEUE).message_count == 0, "all of it is settled", 10)
        (answer,) = driver.publish(QUEUE, [Message("again", body, 0.0)], 2.0)
        assert isinstance(answer, Receipt)


@pytest.mark.parametrize(
    ("how", "flush"), [("auto", "FUNCTION FLUSH"), ("evalsha", "SCRIPT FLUSH")]
)
def test_a_server_that_forgets_its_scripts_is_given_them_again_and_nobody_notices(
    tmp_path: Path, how: str, flush: str
) -> None:
    server = servers.fresh(tmp_path)
    with Load(make(server.url, scripts=how)) as load, server.client() as client:
        for _ in range(15):
            time.sleep(0.03)
            client.execute_command(flush)
        load.finish()
        load.account()
        assert load.refused == []
        assert [event.kind for event in load.events] == []


def test_a_failover_to_the_replica_is_followed(tmp_path: Path) -> None:
    watched = servers.Watched(tmp_path)
    hosts = [f"127.0.0.1:{watched.sentinel.port}"]
    sentinel = {"master": "shop", "hosts": hosts}
    with Load(make("redis://", sentinel=sentinel, reconnect_max_delay=0.2)) as load:
        load.goes_on(5)
        # A replica follows a little behind: what it has not heard yet is gone with the master.
        load.rest()
        until(watched.is_level, "the replica has it all", 5)
        watched.first.kill()
        load.go_on()
        until(lambda: watched.master() == watched.second.port, "the replica takes over", 30)
        assert load.goes_on(BACK) <= BACK
        load.finish()
        load.account()


def test_tls_carries_a_load_like_any_other(tmp_path: Path) -> None:
    server, folder = servers.with_tls(tmp_path)
    url, tls = f"rediss://127.0.0.1:{server.port}/0", {"ca": str(folder / "ca.pem")}
    with Load(make(url, tls=tls)) as load:
        load.goes_on(5)
        load.finish()
        load.account()


@pytest.mark.slow
def test_a_node_of_a_cluster_carries_a_load_like_any_other(tmp_path: Path) -> None:
    server = servers.as_cluster(tmp_path)
    with Load(make(server.url, cluster=True)) as load:
        load.goes_on(5)
        load.finish()
        load.account()


def test_a_socket_carries_a_load_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "r.sock"
    servers.fresh(tmp_path, {"unixsocket": str(path)})
    with Load(make(f"unix://{path}?db=2")) as load:
        load.goes_on(5)
        load.finish()
        load.account()


def test_a_server_without_an_append_only_file_is_not_opened(tmp_path: Path) -> None:
    server = servers.fresh(tmp_path, is_durable=False)
    with pytest.raises(Unsupported, match="keeps no append-only file"):
        make(server.url)().open(lambda event: None)
    with opened(server.url, durability="none") as driver:
        assert isinstance(driver.publish(QUEUE, [Message("1", b"x", 0.0)], 2.0)[0], Receipt)


def test_a_user_without_a_right_is_told_which(tmp_path: Path) -> None:
    server = servers.with_users(
        tmp_path,
        "bob on >s3cret ~* &* +@all -zadd -hset",
        "ann on >s3cret ~{moonq}* &* +@all -@admin -@dangerous +info +config|get",
    )
    with pytest.raises(Refused) as caught:
        make(f"redis://bob:s3cret@127.0.0.1:{server.port}")().open(lambda event: None)
    assert "the user may not run hset, zadd" in caught.value.message
    assert caught.value.hint == "let it: ACL SETUSER bob +hset +zadd"
    with Load(make(f"redis://ann:s3cret@127.0.0.1:{server.port}")) as load:
        load.goes_on(5)
        load.finish()
        load.account()


@pytest.mark.slow
@pytest.mark.parametrize("of", ["redis 6.2", "valkey"])
def test_other_makes_of_server_keep_the_whole_contract(tmp_path: Path, of: str) -> None:
    server = servers.fresh(tmp_path, make=of)
    descriptor = drivers.descriptor("queue.driver.redis")
    asked = descriptor.fields.model_validate(fields(server.url))
    broken = [
        f"{finding.case}: {finding.problem}"
        for finding in hold(twins(descriptor, asked, tmp_path), descriptor.pace)
        if finding.problem
    ]
    assert broken == []


@pytest.mark.slow
@pytest.mark.parametrize("of", ["redis 6.2", "valkey"])
def test_other_makes_of_server_that_are_killed_lose_nothing(tmp_path: Path, of: str) -> None:
    crash_again_and_again(tmp_path, 5, make=of)


# The way to it


def test_connections_that_are_cut_all_the_time_lose_nothing_and_repeat_nothing(
    proxy: Proxy,
) -> None:
    cut_for(proxy, 1.3)


@pytest.mark.slow
def test_a_minute_of_cuts_loses_nothing_and_repeats_nothing(proxy: Proxy) -> None:
    cut_for(proxy, 60)


def cut_for(proxy: Proxy, seconds: float) -> None:
    with Load(make(**through(proxy))) as load:
        load.goes_on(5)
        proxy.cut_every(0.25)
        time.sleep(seconds)
        proxy.heal()
        load.finish()
        load.account()
        assert proxy.cuts > 2 * seconds
        assert load.refused == []


def test_answers_that_never_arrive_lose_nothing_and_repeat_nothing(proxy: Proxy) -> None:
    swallow_for(proxy, 1.3)


@pytest.mark.slow
def test_a_minute_of_lost_answers_loses_nothing_and_repeats_nothing(proxy: Proxy) -> None:
    swallow_for(proxy, 60)


def swallow_for(proxy: Proxy, seconds: float) -> None:
    with Load(make(**through(proxy))) as load:
        load.goes_on(5)
        proxy.swallow_every(0.25)
        time.sleep(seconds)
        proxy.heal()
        load.finish()
        load.account()
        assert proxy.swallowed > seconds
        assert load.refused == []


def test_requests_that_arrive_in_half_lose_nothing_and_repeat_nothing(proxy: Proxy) -> None:
    with Load(make(**through(proxy))) as load:
        for _ in range(5):
            load.goes_on(5)
            proxy.tear()
            time.sleep(0.1)
        proxy.heal()
        load.finish()
        load.account()


def test_what_goes_with_a_heartbeat_that_is_cut_off_is_not_forgotten() -> None:
    with opened(**servers.place()) as driver:
        driver.subscribe(QUEUE, 5)
        wire = driver._sender._wire
        send = wire.send

        def cut_off(name: str, args: Any) -> None:
            wire.send = send
            wire.close()
            raise Unavailable("cut")

        wire.send = cut_off
        driver._sender._round = -math.inf
        (answer,) = driver.publish(QUEUE, [Message("1", b"x", 0.0)], 2.0)
        assert isinstance(answer, Receipt)


def test_a_black_hole_is_noticed_in_time_and_left_without_a_loss(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PATIENCE", 0.5)
    monkeypatch.setattr(front, "LEAST", 0.5)
    with Load(make(**through(proxy), connection_timeout=0.5), pause=0.05) as load:
        load.goes_on(5)
        proxy.black_hole()
        begun = time.monotonic()
        (answer,) = load.front.publish(QUEUE, [Message("late", b"x", 0.0)], 0.2)
        assert isinstance(answer, Unavailable | Uncertain)
        # Storing is waited for a little longer than the publisher said: it may have been sent.
        assert time.monotonic() - begun < 0.2 + front.LEAST + 1.0
        until(lambda: load.front.health() and load.back.health(), "both drivers know", 5)
        proxy.heal()
        assert load.goes_on(BACK) <= BACK
        load.finish()
        load.account()
        assert list(load.back.health()) == []


def test_a_slow_way_is_made_up_for_by_batches(proxy: Proxy) -> None:
    with Load(make(**through(proxy)), batch=100, pause=0.0) as load:
        load.goes_on(5)
        proxy.slow(0.1)
        time.sleep(0.5)
        before, begun = sum(load.seen.values()), time.monotonic()
        time.sleep(0.8)
        rate = (sum(load.seen.values()) - before) / (time.monotonic() - begun)
        # A round trip takes 0.2 s: one by one that would be five a second.
        assert rate > 100
        proxy.heal()
        load.finish()
        load.account()
        assert [event.kind for event in load.events] == []


# Hosts


def publish(driver: Driver, names: list[str], **more: Any) -> None:
    messages = [Message(name, b"x", time.time(), **more) for name in names]
    assert all(isinstance(one, Receipt) for one in driver.publish(QUEUE, messages, 5.0))


def test_a_host_that_was_frozen_longer_than_its_lease_starts_nothing_more(
    tmp_path: Path,
) -> None:
    place = servers.place()
    with opened(**place) as driver:
        names = [f"m{number:02}" for number in range(10)]
        publish(driver, names)
        host = Child(fields(**place), queue=QUEUE, lease=1.0, work=0.3, prefetch=10)
        until(lambda: host.told("seen"), "it has begun", 10)
        host.process.send_signal(19)
        subscription = driver.subscribe(QUEUE, 10, lease=1.0)
        ours: list[str] = []

        def worked_off() -> bool:
            for delivery in subscription.take(10, 0.2):
                assert subscription.start(delivery)
                ours.append(delivery.message.id)
                assert subscription.settle(delivery, ACK)
            return len(ours) >= len(names) - len(host.told("settled"))

        until(worked_off, "another host takes over", 11)
        host.process.send_signal(18)
        until(lambda: len(host.told("skipped")) + len(host.told("settled")) >= 1, "it goes on", 10)
        host.end()
        theirs = host.told("seen")
        # The one that was running when it froze is all that both have begun.
        assert set(ours) & set(theirs) <= {theirs[-1]}
        assert set(ours) | set(theirs) == set(names)
        assert driver.info(QUEUE).message_count == 0


def test_hosts_whose_clocks_are_two_minutes_apart_agree_on_what_is_due(tmp_path: Path) -> None:
    place = servers.place()
    early = Child(fields(**place), queue=QUEUE, skew=-60.0, name="early")
    late = Child(fields(**place), queue=QUEUE, skew=60.0, name="late")
    with opened(**place) as driver:
        begun = time.monotonic()
        publish(driver, ["now"])
        publish(driver, ["delayed"], delay=1.0)
        publish(driver, ["perishable"], ttl=30.0)
        publish(driver, ["known"], dedup_key="k")
        known = driver.publish(QUEUE, [Message("again", b"x", 0.0, dedup_key="k")], 5.0)
        assert known == [Receipt("known", duplicate=True)]
        seen: dict[str, float] = {}

        def all_seen() -> bool:
            for host in (early, late):
                said = list(host.said)
                seen.update({line["seen"]: line["at"] - begun for line in said if "seen" in line})
            return len(seen) == 4

        until(all_seen, "all of it is seen", 10)
        assert 0.95 <= seen["delayed"] < 2.0
        assert max(seen[name] for name in ("now", "perishable", "known")) < 0.9
        assert driver.info(QUEUE).dead == 0
    for host in (early, late):
        host.end()
        assert not [line for line in host.said if "skipped" in line]


GROUPS, EACH = 20, 15


def test_of_three_hosts_one_is_killed_and_every_group_keeps_its_order(tmp_path: Path) -> None:
    place = servers.place()
    how: dict[str, Any] = {"queue": QUEUE, "lease": 1.0, "work": 0.002, "take": 3}
    hosts = [Child(fields(**place), **how, workers=2) for _ in range(3)]
    with opened(**place) as driver:
        for number in range(EACH):
            for group in range(GROUPS):
                publish(driver, [f"{group}-{number}"], group=f"g{group}")
            if number == EACH // 3:
                until(lambda: len(hosts[0].told("seen")) > 5, "the first host works", 10)
                hosts[0].kill()
        until(lambda: driver.info(QUEUE).message_count == 0, "all of it is done", 30)
    for host in hosts[1:]:
        host.end()
    lines = sorted((line for host in hosts for line in host.said), key=lambda line: line["at"])
    seen = [line["seen"] for line in lines if "seen" in line]
    assert set(seen) == {f"{group}-{number}" for group in range(GROUPS) for number in range(EACH)}
    for group in range(GROUPS):
        numbers = [int(name.partition("-")[2]) for name in seen if name.startswith(f"{group}-")]
        assert numbers == sorted(numbers), f"group {group} ran out of order"
    # Only what the killed host held at its end may have begun twice.
    begun = set(hosts[0].told("seen")) - set(hosts[0].told("settled"))
    assert {name for name in seen if seen.count(name) > 1} <= begun | set(
        hosts[0].told("seen")[-10:]
    )
