"""The AMQP driver against a broker that is killed, restarted, cut off or frozen.

Every test keeps books (`tests.drivers.load`): what was confirmed is seen. What was in flight when
something broke may run twice, and no more than that.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.drivers.load import QUEUE, Load
from tests.servers import rabbit
from tests.servers.process import until
from tests.servers.proxy import Proxy

from moonq import drivers
from moonq.clock import SystemClock
from moonq.drivers.amqp import ladder
from moonq.drivers.amqp.publishing import WINDOW, Batch, Publisher
from moonq.drivers.amqp.wire.address import Address
from moonq.drivers.amqp.wire.connection import Connection
from moonq.drivers.amqp.wire.messages import Outgoing, Properties
from moonq.drivers.base import Driver
from moonq.errors import QueueError, Refused, Unavailable, Uncertain
from moonq.model import ACK, ErrorRecord, Message, QueueSpec, Receipt, Retry

pytestmark = pytest.mark.aside("amqp")
#: So long after the broker is back, work goes on at the latest.
BACK = 6.0
#: What is held when something breaks: prefetched of both queues, running, published by two.
IN_FLIGHT = 2 * 64 + 2 * 16 + 2 * 10
#: Levels of the ladder that are waited for: up to 12.8 s.
SHORT = 8
#: Seconds after which a broker has written down which queues it has: 3.10 forgets a quorum queue
#: when it is killed before that, with all that was confirmed there.
REGISTERED = 1.5
SPEC = QueueSpec(QUEUE, dead_letter=f"{QUEUE}.dead")
PROBLEM = ErrorRecord(0.0, "INTERNAL", "it fails once")


def make(url: str, **more: Any) -> Callable[[], Driver]:
    """What makes a driver at the broker."""
    descriptor = drivers.descriptor("queue.driver.amqp")
    own = {"name": "driver", "kind": descriptor.kind, "consumer_timeout": "none"}
    said = {**own, "url": url, **more}
    asked = descriptor.fields.model_validate(said)
    return lambda: descriptor.make(asked, SystemClock(), Path())


class Work(Load):
    """A load whose every third message fails once, and is tried again a little later."""

    def _consume(self, _number: int) -> None:
        while not self._over.is_set():
            for delivery in self._subscription.take(16, 0.2):
                if not self._subscription.start(delivery):
                    continue
                name = delivery.message.id
                if delivery.attempt == 1 and name.endswith(("0", "3", "6")):
                    self._subscription.settle(delivery, Retry(0.1, PROBLEM))
                    continue
                with self._lock:
                    self.seen[name] += 1
                self._subscription.settle(delivery, ACK)

    def publish(self, names: list[str], **more: Any) -> None:
        """Publish beside the others, and keep the book."""
        messages = [Message(name, b"x", time.time(), **more) for name in names]
        for answer in self.front.publish(QUEUE, messages, 20.0):
            assert isinstance(answer, Receipt), answer
            self.confirmed.add(answer.id)

    def work_off(self, seconds: float = 30.0) -> None:
        """Publish no more, wait until all that is confirmed was seen, and count."""
        self._publishing.clear()
        until(lambda: not self.confirmed - self.seen.keys(), "all of it is seen", seconds)
        self.account(twice=True)

    @property
    def twice(self) -> int:
        """How many runs there were too many."""
        return sum(times - 1 for times in self.seen.values())


@contextmanager
def opened(url: str, **more: Any) -> Iterator[Any]:
    driver: Any = make(url, **more)()
    driver.open(lambda event: None)
    driver.declare(SPEC)
    yield driver
    driver.close(time.monotonic() + 2)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rabbit.Rabbit]:
    """A broker of this file's own, to be killed."""
    node = rabbit.fresh(tmp_path_factory.mktemp("rabbit"))
    yield node
    node.end()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A way to the shared broker that can fail."""
    with Proxy(rabbit.shared().port) as proxy:
        yield proxy


@pytest.fixture
def way(proxy: Proxy) -> str:
    """The address of a fresh virtual host behind the proxy."""
    return rabbit.shared().url(rabbit.shared().vhost(), port=proxy.port)


@contextmanager
def asking(url: str) -> Iterator[Connection]:
    """A connection of somebody else's."""
    connection = Connection(Address.parse(url), name="test", heartbeat=0, timeout=10.0)
    connection.open()
    yield connection
    connection.close(time.monotonic() + 5.0)


# The broker


def crash(node: rabbit.Rabbit, times: int, *, late: float = 0.0) -> None:
    """Kill *node* under load, messages waiting in every level of the ladder."""
    url, dice = node.url(node.vhost()), random.Random()
    with Work(make(url), pause=0.02) as load:
        long = [level for level in range(SHORT, ladder.LEVELS) for _ in range(3)]
        waiting = [Message(f"long-{n}", b"x", 0.0, delay=0.1 * 2**level)
                   for n, level in enumerate(long)]  # fmt: skip
        assert all(isinstance(one, Receipt) for one in load.front.publish(QUEUE, waiting, 20.0))
        for time_ in range(times):
            for level in range(SHORT if time_ == 0 else 5):
                names = [f"{time_}-{level}-{n}" for n in (1, 2, 4, 5)]
                load.publish(names, delay=0.1 * 2**level)
            time.sleep(dice.uniform(0.1, 0.5) + (0.0 if time_ else REGISTERED))
            node.kill()
            node.start()
            assert load.goes_on(BACK) <= BACK
        load.work_off(30.0 + late)
        assert load.twice <= times * IN_FLIGHT
        assert len(load.confirmed) > 100 * times
        assert load.back.info(QUEUE).dead == 0
        if not late:
            # What was waited for meanwhile has left the ladder; the rest is there to the last.
            assert count(url, range(SHORT + 2, ladder.LEVELS)) == 3 * (ladder.LEVELS - SHORT - 2)


def count(url: str, levels: range) -> int:
    """How many messages wait in *levels* of the ladder."""
    with asking(url) as connection:
        channel = connection.channel()
        return sum(
            channel.declare_queue(ladder.exchange(level), passive=True)[0] for level in levels
        )


def test_a_broker_that_is_killed_under_load_loses_nothing_on_any_level(
    node: rabbit.Rabbit,
) -> None:
    crash(node, 5)


@pytest.mark.slow
def test_twenty_kills_of_a_broker_as_it_is_delivered_lose_nothing(tmp_path: Path) -> None:
    node = rabbit.fresh(tmp_path, advanced="[].")
    # At a kill the ladder's workers may start before its exchanges, and wait for 180 s then.
    crash(node, 20, late=230.0)


def restart(node: rabbit.Rabbit, times: int) -> None:
    with Work(make(node.url(node.vhost())), pause=0.02) as load:
        for _ in range(times):
            load.publish([f"later-{time.monotonic()}-{n}" for n in (1, 2)], delay=0.4)
            time.sleep(0.3)
            node.stop()
            node.start()
            assert load.goes_on(BACK) <= BACK
        load.work_off()
        assert load.twice <= times * IN_FLIGHT
        assert {"reconnecting", "reconnected"} <= {event.kind for event in load.events}


def test_a_broker_that_its_operator_restarts_loses_nothing(node: rabbit.Rabbit) -> None:
    restart(node, 1)


@pytest.mark.slow
def test_five_restarts_lose_nothing(node: rabbit.Rabbit) -> None:
    restart(node, 5)


# The way to it


def cut_for(proxy: Proxy, url: str, seconds: float) -> None:
    with Work(make(url)) as load:
        load.goes_on(5.0)
        proxy.cut_every(0.25)
        time.sleep(seconds)
        proxy.heal()
        load.work_off()
        assert proxy.cuts > 3 * seconds
        assert load.twice <= proxy.cuts * IN_FLIGHT
        assert load.refused == []


def test_connections_that_are_cut_all_the_time_lose_nothing(proxy: Proxy, way: str) -> None:
    cut_for(proxy, way, 2.0)


@pytest.mark.slow
def test_a_minute_of_cuts_loses_nothing(proxy: Proxy, way: str) -> None:
    cut_for(proxy, way, 60.0)


@pytest.mark.parametrize("how", ["tear", "swallow"])
def test_frames_that_arrive_in_half_and_answers_that_do_not_lose_nothing(
    proxy: Proxy, way: str, how: str
) -> None:
    with Work(make(way)) as load:
        for _ in range(5):
            load.goes_on(BACK)
            getattr(proxy, how)()
            time.sleep(0.15)
        proxy.heal()
        load.work_off()
        assert load.twice <= proxy.connections * IN_FLIGHT


def test_a_broker_that_freezes_is_noticed_and_left(proxy: Proxy, way: str) -> None:
    with Work(make(way, heartbeat=1.0, connection_timeout=0.5), pause=0.05) as load:
        load.goes_on(5.0)
        proxy.black_hole()
        begun = time.monotonic()
        (answer,) = load.front.publish(QUEUE, [Message("late", b"x", 0.0)], 0.5)
        assert isinstance(answer, Unavailable | Uncertain)
        assert time.monotonic() - begun < 6.5
        until(lambda: load.front.health() and load.back.health(), "both drivers know", 5.0)
        proxy.heal()
        load.goes_on(BACK)
        load.work_off()
        until(lambda: not load.back.health(), "all is well", 5.0)


def test_a_broker_that_is_not_up_yet_is_said_and_found_when_it_is(proxy: Proxy, way: str) -> None:
    proxy.refuse()
    driver = make(way)()
    driver.declare(SPEC)
    with pytest.raises(Unavailable, match="nothing listens at"):
        driver.open(lambda event: None)
    assert any("nothing listens at" in one for one in driver.health())
    (answer,) = driver.publish(QUEUE, [Message("1", b"x", 0.0)], 0.1)
    assert isinstance(answer, Unavailable)
    proxy.heal()
    driver.open(lambda event: None)
    (answer,) = driver.publish(QUEUE, [Message("1", b"x", 0.0)], 5.0)
    assert isinstance(answer, Receipt)
    driver.close()


@pytest.mark.parametrize(
    ("said", "error", "says"),
    [
        (lambda node: {"url": node.url(user="guest:s3cret")}, Refused,
         "does not let user 'guest' in: ACCESS_REFUSED"),
        (lambda node: {"url": node.url(), "vhost": "none"}, Refused, "vhost none not found"),
        (lambda node: {"url": node.url(port=node.tls_port)}, Unavailable, "speaks TLS"),
        (lambda node: {"url": node.tls_url()}, Refused, "is not trusted"),
        (lambda node: {"url": node.tls_url().replace(str(node.tls_port), str(node.port)),
                       "tls": {"ca": str(node.certificates.ca)}}, Unavailable,
         "does not speak TLS"),
        (lambda node: {"url": node.tls_url(), "tls": {"ca": "none.pem"}}, Refused, "none.pem"),
    ],
)  # fmt: skip
def test_who_cannot_come_in_is_told_why_in_a_sentence(
    said: Callable[[rabbit.Rabbit], dict[str, Any]], error: type[QueueError], says: str
) -> None:
    with pytest.raises(error) as caught:
        make(**said(rabbit.shared()))().open(lambda event: None)
    assert says in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_tls_carries_a_load_like_any_other() -> None:
    node = rabbit.shared()
    paths = node.certificates
    tls = {"ca": str(paths.ca), "cert": str(paths.worker), "key": str(paths.worker_key)}
    url = f"{node.tls_url(node.vhost(), user='')}?auth_mechanism=external"
    with Work(make(url, tls=tls)) as load:
        load.goes_on(5.0)
        load.work_off()


# Behind its back


def test_a_level_of_the_ladder_that_somebody_deletes_is_made_again() -> None:
    url = rabbit.shared().url(rabbit.shared().vhost())
    with Work(make(url)) as load:
        load.goes_on(5.0)
        with asking(url) as connection:
            connection.channel().delete_queue(ladder.exchange(2))
        load.publish([f"delayed-{n}" for n in (1, 2, 4, 5)], delay=0.4)
        load.work_off()


# Queues beside each other


def test_a_queue_without_a_leader_holds_up_no_other(proxy: Proxy) -> None:
    node, vhost = rabbit.shared(), rabbit.shared().vhost()
    replica = f"'{vhost}_{QUEUE}'"
    other = QueueSpec("other", dead_letter="other.dead")
    with opened(node.url(vhost, port=proxy.port)) as driver:
        driver.declare(other)
        stuck = driver.subscribe(QUEUE, 10)
        well = driver.subscribe("other", 10)
        node.call(f"sys:suspend({replica})")
        try:
            proxy.cut()
            (answer,) = driver.publish("other", [Message("1", b"x", 0.0)], 10.0)
            assert isinstance(answer, Receipt)
            (delivery,) = well.take(1, 10.0)
            assert well.start(delivery)
            assert well.settle(delivery, ACK)
            until(lambda: any("has not answered" in one for one in driver.health()), "it is told")
        finally:
            node.call(f"sys:resume({replica})")
        (answer,) = driver.publish(QUEUE, [Message("2", b"x", 0.0)], 20.0)
        assert isinstance(answer, Receipt)
        (delivery,) = stuck.take(1, 20.0)
        assert delivery.message.id == "2"
        until(lambda: not driver.health(), "all is well", 10.0)


class Silent:
    """A channel of a broker that confirms nothing."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def select_confirms(self, *_: object) -> None: ...

    def encode(self, message: Outgoing) -> bytes:
        return message.body

    def send(self, encoded: list[bytes]) -> int:
        self.sent += encoded
        return len(self.sent) - len(encoded) + 1


def test_what_a_queue_does_not_confirm_fills_the_window_only_while_somebody_waits() -> None:
    channel: Any = Silent()
    publisher = Publisher()
    publisher.connected(channel)
    stuck = Batch([Outgoing("", "stuck", Properties(), b"stuck")] * WINDOW)
    publisher.submit(stuck.parcels)
    other = Batch([Outgoing("", "other", Properties(), b"other")])
    publisher.submit(other.parcels)
    assert channel.sent == [b"stuck"] * WINDOW
    assert not stuck.wait(0.0)
    last = Batch([Outgoing("", "other", Properties(), b"last")])
    publisher.submit(last.parcels)
    assert channel.sent[WINDOW:] == [b"other", b"last"]
    publisher._confirmed(WINDOW + 2, True, True)
    assert other.outcomes == last.outcomes == ["stored"]


# Hosts


def test_fifty_stops_under_load_bury_nothing(node: rabbit.Rabbit) -> None:
    url = node.url(node.vhost())
    with Work(make(url), consumers=0, batch=5, pause=0.01) as load:
        load._subscription.close(time.monotonic() + 5.0)
        for _ in range(50):
            load._subscription = load.back.subscribe(QUEUE, 16, timeout=60.0)
            for delivery in load._subscription.take(16, 0.2)[:2]:
                if load._subscription.start(delivery):
                    load.seen[delivery.message.id] += 1
                    assert delivery.interruptions == 0
                    load._subscription.settle(delivery, ACK)
            load._subscription.stop()
            load._subscription.close(time.monotonic() + 5.0)
        load._publishing.clear()
        load._subscription = load.back.subscribe(QUEUE, 64, timeout=60.0)
        while load.confirmed - load.seen.keys():
            taken = load._subscription.take(64, 5.0)
            assert taken, "some are gone"
            for delivery in taken:
                assert (delivery.attempt, delivery.interruptions) == (1, 0)
                assert load._subscription.start(delivery)
                load.seen[delivery.message.id] += 1
                load._subscription.settle(delivery, ACK)
        load.account()
        assert load.back.info(QUEUE).dead == 0
