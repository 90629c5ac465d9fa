"""A connection and its channels, at a real broker and at servers that do as a test wants."""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from pamqp import commands, heartbeat
from tests.drivers.wire.conftest import Connect, Talk
from tests.servers import rabbit
from tests.servers.process import free_port, until

from moonq.drivers.amqp.wire.channel import Channel
from moonq.drivers.amqp.wire.connection import Connection
from moonq.drivers.amqp.wire.faults import ChannelClosed
from moonq.drivers.amqp.wire.messages import Incoming, Outgoing, Properties
from moonq.errors import QueueError, Refused, Unavailable

pytestmark = pytest.mark.aside("amqp")
Scripted = Callable[[Callable[[Talk], object]], str]
PLAIN = Properties(delivery_mode=2)


def context(*, as_worker: bool = False) -> ssl.SSLContext:
    paths = rabbit.shared().certificates
    made = ssl.create_default_context(cafile=str(paths.ca))
    if as_worker:
        made.load_cert_chain(paths.worker, paths.worker_key)
    return made


# At RabbitMQ


def test_the_broker_says_what_it_is(connect: Connect, url: str) -> None:
    connection = connect(url)
    assert connection.product == "RabbitMQ"
    assert (3, 8) <= connection.version < (9,)
    assert connection.frame_max == 131_072
    rows = rabbit.shared().ctl("list_connections", "client_properties")
    assert re.search("connection_name.*test.*product.*moonq", rows)


def test_messages_come_back_as_they_were_sent(channel: Channel) -> None:
    headers = {
        "text": "größe", "yes": True, "big": 2**62, "exact": 0.1, "raw": b"\0\xff", "none": None,
        "list": [1, {"a": 1.5}],
    }  # fmt: skip
    traits = Properties(
        "application/json", "gzip", headers, 2, 3, "c", "r", "60000", "m", 2**40, "t", "guest", "a"
    )
    channel.declare_queue("größe * %", arguments={"x-max-priority": 5})
    channel.publish([Outgoing("", "größe * %", traits, sent) for sent in (b"", b"x" * 300_000)])
    found = [channel.get("größe * %"), channel.get("größe * %")]
    assert [one and len(one.body) for one in found] == [0, 300_000]
    assert [one and (one.properties, one.count) for one in found] == [(traits, 1), (traits, 0)]
    assert channel.get("größe * %") is None


def test_a_message_that_no_queue_takes_is_returned_before_its_confirm(channel: Channel) -> None:
    said: list[Any] = []
    channel.select_confirms(lambda *confirm: said.append(confirm), said.append)
    channel.publish([Outgoing("", "nowhere", PLAIN, b"back")])
    until(lambda: len(said) == 2, "the confirm")
    assert (said[0].text, said[0].key, said[0].body) == ("NO_ROUTE", "nowhere", b"back")
    assert said[1] == (1, False, True)


def test_what_is_not_settled_is_delivered_again(channel: Channel) -> None:
    got: list[Incoming] = []
    channel.declare_queue("again")
    channel.publish([Outgoing("", "again", PLAIN, b"%d" % n) for n in range(3)])
    tag = channel.consume("again", got.append)
    until(lambda: len(got) == 3, "three deliveries")
    channel.ack(got[0].tag)
    channel.nack(got[1].tag, requeue=False)
    channel.nack(got[2].tag)
    until(lambda: len(got) == 4, "another delivery")
    assert [(one.body, one.redelivered) for one in got[2:]] == [(b"2", False), (b"2", True)]
    channel.ack(got[3].tag, multiple=True)
    channel.cancel(tag)
    assert channel.purge_queue("again") == 0


def test_nothing_is_delivered_once_a_consumer_is_cancelled(channel: Channel) -> None:
    channel.declare_queue("many")
    channel.publish([Outgoing("", "many", PLAIN, b"x")] * 5000)
    got: list[int] = []
    tag = channel.consume("many", on_batch=lambda batch: got.append(len(batch)))
    until(lambda: got, "the first batch")
    channel.cancel(tag)
    count = sum(got)
    channel.recover()
    channel.close()
    assert sum(got) == count
    assert max(got) > 1


def test_a_consumer_is_told_when_its_queue_is_deleted(channel: Channel) -> None:
    channel.declare_queue("short-lived")
    cancelled = threading.Event()
    channel.consume("short-lived", print, on_cancel=cancelled.set)
    assert channel.delete_queue("short-lived") == 0
    assert cancelled.wait(5.0)
    assert channel.is_open


def test_exchanges_lead_where_they_are_bound(channel: Channel) -> None:
    channel.declare_exchange("outer", "topic", durable=False)
    channel.declare_exchange("inner", "fanout", internal=True)
    channel.declare_queue("bound")
    channel.bind_exchange("inner", "outer", "a.*")
    channel.bind_queue("bound", "inner", "")
    channel.publish([Outgoing("outer", "a.b", PLAIN, b"x")])
    channel.select_confirms(print)
    assert channel.declare_queue("bound", passive=True) == (1, 0)
    channel.delete_exchange("inner")
    channel.delete_exchange("inner")


@pytest.mark.parametrize(
    ("ask", "code", "says"),
    [
        (lambda channel: channel.declare_queue("none", passive=True), 404, "no queue 'none'"),
        (lambda channel: channel.declare_queue("a", arguments={"x-max-length": 1}), 406,
         "inequivalent arg 'x-max-length'"),
        (lambda channel: channel.declare_queue("amq.mine"), 403, "reserved prefix"),
        (lambda channel: channel.consume("none", print), 404, "no queue 'none'"),
    ],
)  # fmt: skip
def test_what_the_broker_refuses_is_said_in_its_words(
    connect: Connect, url: str, ask: Callable[[Channel], object], code: int, says: str
) -> None:
    told: list[QueueError] = []
    connection = connect(url)
    connection.channel().declare_queue("a")
    channel = connection.channel(on_closed=told.append)
    with pytest.raises(ChannelClosed, match=says) as refused:
        ask(channel)
    assert refused.value.code == code
    until(lambda: told == [refused.value], "who uses the channel is told")
    with pytest.raises(ChannelClosed):
        channel.declare_queue("a")
    with pytest.raises(Unavailable, match=says):
        channel.publish([Outgoing("", "a", PLAIN, b"")])
    assert connection.channel().number == channel.number


def test_a_settle_of_what_is_not_open_closes_the_channel_and_is_told(
    connect: Connect, url: str
) -> None:
    told: list[QueueError] = []
    channel = connect(url).channel(on_closed=told.append)
    channel.ack(77)
    until(lambda: told, "the channel is closed")
    assert "unknown delivery tag 77" in told[0].message


def test_channels_are_given_back(connect: Connect, url: str) -> None:
    connection = connect(url)
    numbers = []
    for _ in range(3):
        channel = connection.channel()
        numbers.append(channel.number)
        channel.close()
    assert numbers == [1, 1, 1]
    with pytest.raises(Unavailable, match="this channel was closed"):
        channel.declare_queue("a")


def test_many_threads_share_a_channel(channel: Channel) -> None:
    channel.declare_queue("shared")
    confirmed = threading.Event()
    channel.select_confirms(lambda tag, *_: confirmed.set() if tag == 8 * 200 else None)

    def publish(number: int) -> None:
        for n in range(200):
            channel.publish([Outgoing("", "shared", PLAIN, b"%d %d" % (number, n))])

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert confirmed.wait(10.0)
    bodies = [one.body for _ in range(1600) if (one := channel.get("shared"))]
    for number in range(8):
        mine = [body for body in bodies if body.startswith(b"%d " % number)]
        assert mine == [b"%d %d" % (number, n) for n in range(200)]


@pytest.mark.parametrize("is_external", [False, True])
def test_tls_carries_what_is_larger_than_any_buffer(
    connect: Connect, vhost: str, is_external: bool
) -> None:
    url = rabbit.shared().tls_url(vhost) + "?auth_mechanism=external" * is_external
    channel = connect(url, tls=context(as_worker=is_external)).channel()
    channel.declare_queue("large")
    got: list[Incoming] = []
    channel.consume("large", got.append)
    channel.publish([Outgoing("", "large", PLAIN, bytes((n,)) * 3_000_000) for n in range(3)])
    until(lambda: len(got) == 3, "three deliveries")
    assert [set(one.body) for one in got] == [{0}, {1}, {2}]
    channel.ack(got[-1].tag, multiple=True)


def test_an_operator_who_closes_a_connection_is_quoted(
    connect: Connect, url: str, vhost: str
) -> None:
    told: list[QueueError] = []
    connection = connect(url, on_closed=told.append)
    channel = connection.channel(on_closed=told.append)
    rabbit.shared().ctl("close_all_connections", "--vhost", vhost, "for a test")
    until(lambda: len(told) == 2, "both are told")
    assert told[0] is told[1]
    assert "CONNECTION_FORCED - for a test" in told[0].message
    with pytest.raises(Unavailable, match="for a test"):
        channel.publish([Outgoing("", "a", PLAIN, b"")])
    with pytest.raises(Unavailable, match="for a test"):
        connection.channel()


def test_a_broker_short_of_memory_says_so_and_when_it_is_over(connect: Connect, url: str) -> None:
    told: list[str | None] = []
    connection = connect(url, on_blocked=told.append)
    channel = connection.channel()
    confirmed: list[int] = []
    channel.declare_queue("waiting")
    channel.select_confirms(lambda tag, *_: confirmed.append(tag))
    rabbit.shared().call("vm_memory_monitor:set_vm_memory_high_watermark({absolute, 1})")
    try:

        def is_told() -> bool:
            # What is published before the alarm blocks nobody.
            channel.publish([Outgoing("", "waiting", PLAIN, b"")])
            return bool(told)

        until(is_told, "the broker says it is blocked")
        assert connection.blocked == told[0] == "low on memory"
    finally:
        rabbit.shared().call(
            "vm_memory_monitor:set_vm_memory_high_watermark({absolute, 2147483648})"
        )
    until(lambda: len(told) == 2 and confirmed, "the broker goes on")
    assert connection.blocked is None


@pytest.mark.parametrize(
    ("address", "error", "says"),
    [
        (lambda node: node.url(user="guest:wrong"), Refused, "does not let user 'guest' in"),
        (lambda node: node.url("none"), Refused, "vhost none not found"),
        (lambda node: node.url(user="lonely:s3cret"), Refused, "refused for user 'lonely'"),
        (lambda node: node.url(port=node.tls_port), Unavailable, "speaks TLS"),
        (lambda node: node.tls_url().replace(str(node.tls_port), str(node.port)), Unavailable,
         "does not speak TLS"),
        (lambda node: node.tls_url() + "?auth_mechanism=external", Refused,
         "does not let our certificate in"),
    ],
)  # fmt: skip
def test_who_is_turned_away_is_told_why(
    connect: Connect, address: Callable[[Any], str], error: type[Exception], says: str
) -> None:
    node = rabbit.shared()
    if "lonely" in address(node):
        node.user("lonely", "s3cret")
    with pytest.raises(error) as refused:
        connect(address(node), tls=context())
    assert says in str(refused.value)
    assert "s3cret" not in str(refused.value)
    assert "wrong:" not in str(refused.value)


def test_a_certificate_of_nobody_we_know_is_not_trusted(connect: Connect, vhost: str) -> None:
    with pytest.raises(Refused, match=r"is not trusted: .*certificate"):
        connect(rabbit.shared().tls_url(vhost))


# At servers that do as a test wants


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", r"is no AMQP broker: it says b'HTTP/1.1 400"),
        (b"-ERR unknown command 'AMQP'\r\n", r"is no AMQP broker: it says b\"-ERR"),
        (b"AMQP\3\1\0\0", "speaks AMQP 1.0.0 only"),
        (b"\x15\x03\x03\0\2\2\x46", "speaks TLS"),
        (b"", "ends the connection without a word of AMQP"),
        (b"\1\0\0\0\0\0\2\0\0\xce", "is no AMQP broker"),
    ],
)
def test_who_is_no_broker_is_found_out(
    connect: Connect, scripted: Scripted, said: bytes, says: str
) -> None:
    with pytest.raises(Unavailable, match=says):
        connect(scripted(lambda talk: (talk.sock.recv(8), talk.sock.sendall(said))))


def test_one_who_says_nothing_is_not_waited_for(connect: Connect, scripted: Scripted) -> None:
    gone = threading.Event()
    began = time.monotonic()
    with pytest.raises(Unavailable, match="says nothing of AMQP in time"):
        connect(scripted(lambda _: gone.wait(10.0)), timeout=0.2)
    gone.set()
    assert time.monotonic() - began < 2.0


def test_a_port_that_nobody_listens_at_and_a_name_nobody_knows(connect: Connect) -> None:
    with pytest.raises(Unavailable, match="nothing listens at"):
        connect(f"amqp://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable, match=r"nobody knows a host called|cannot be looked up"):
        connect("amqp://no-such-host.invalid")


def test_a_broker_without_our_way_to_prove_ourselves_says_what_it_takes(
    connect: Connect, scripted: Scripted
) -> None:
    def script(talk: Talk) -> None:
        talk.sock.recv(8)
        talk.say(commands.Connection.Start(0, 9, {}, "GSSAPI AMQPLAIN", "en_US"))
        talk.sock.recv(8)

    with pytest.raises(Refused, match="does not take PLAIN, only GSSAPI AMQPLAIN"):
        connect(scripted(script))


def test_a_connection_keeps_to_what_was_agreed(connect: Connect, scripted: Scripted) -> None:
    def script(talk: Talk) -> None:
        talk.let_in()
        talk.sock.recv(65_536)
        talk.say(commands.Connection.CloseOk())

    connection = connect(scripted(script))
    agreed = (connection.version, connection.frame_max, connection.body_max)
    connection.close(time.monotonic() + 5.0)
    assert agreed == ((4, 1, 0), 8192, 2**24)


def test_heartbeats_are_sent_and_missed(connect: Connect, scripted: Scripted) -> None:
    told: list[QueueError] = []
    beats: list[Any] = []
    over = threading.Event()

    def script(talk: Talk) -> None:
        talk.let_in(beat=1)
        beats.extend((talk.read(), talk.read()))
        over.wait(10.0)

    connect(scripted(script), heartbeat=30.0, on_closed=told.append)
    until(lambda: told, "the silence is noticed", 10.0)
    over.set()
    assert [type(beat) for beat in beats] == [heartbeat.Heartbeat] * 2
    assert "was not heard of for 2 s" in told[0].message


def test_sending_never_waits_for_one_who_does_not_read(
    connect: Connect, scripted: Scripted
) -> None:
    reading = threading.Event()
    read: list[Any] = []

    def script(talk: Talk) -> None:
        talk.let_in()
        talk.read()
        talk.say(commands.Channel.OpenOk(), 1)
        reading.wait(10.0)
        for _ in range(3 * 20):
            talk.read()  # method and header
            talk.read()
            pieces = [talk.read() for _ in range(-(-1_000_000 // 8184))]
            read.append({byte for piece in pieces for byte in piece.value})  # type: ignore[union-attr]

    channel = connect(scripted(script)).channel()
    began = time.monotonic()
    for n in range(60):
        channel.publish([Outgoing("", "a", PLAIN, bytes((n,)) * 1_000_000)])
    assert time.monotonic() - began < 2.0
    reading.set()
    until(lambda: len(read) == 60, "all of it is read")
    assert read == [{n} for n in range(60)]


def test_a_question_that_is_not_answered_ends_and_so_does_its_channel(
    connect: Connect, scripted: Scripted
) -> None:
    over = threading.Event()

    def script(talk: Talk) -> None:
        talk.let_in()
        talk.read()
        talk.say(commands.Channel.OpenOk(), 1)
        told.append(talk.read())
        # Too late, and of no consequence; with the end of the channel its number is free.
        told.append(talk.read())
        talk.say(commands.Basic.ConsumeOk("c"), 1)
        talk.say(commands.Channel.CloseOk(), 1)
        told.append(talk.read())
        talk.say(commands.Channel.OpenOk(), 1)
        over.wait(10.0)

    told: list[Any] = []
    connection = connect(scripted(script))
    channel = connection.channel()
    with pytest.raises(Unavailable, match=r"has not answered Basic.Consume in 0.1 s"):
        channel.consume("q", print, tag="c", timeout=0.1)
    assert not channel.is_open
    until(lambda: len(told) == 2 and not connection._channels, "its number is free")
    assert connection.channel().number == 1
    assert [one.name for one in told] == ["Basic.Consume", "Channel.Close", "Channel.Open"]
    over.set()


def test_what_is_not_amqp_any_more_ends_the_connection(
    connect: Connect, scripted: Scripted
) -> None:
    told: list[QueueError] = []

    def script(talk: Talk) -> None:
        talk.let_in()
        talk.sock.sendall(b"and now for something else")

    connect(scripted(script), on_closed=told.append)
    until(lambda: told, "it is noticed")
    assert "sent what is not AMQP" in told[0].message


def test_who_waits_for_an_answer_learns_that_the_broker_has_gone(
    connect: Connect, scripted: Scripted
) -> None:
    def script(talk: Talk) -> None:
        talk.let_in()
        talk.read()

    with pytest.raises(Unavailable, match="has cut the connection"):
        connect(scripted(script)).channel()


def test_a_connection_that_was_closed_says_so_and_tells_nobody(connect: Connect, url: str) -> None:
    told: list[QueueError] = []
    connection = connect(url, on_closed=told.append)
    channel = connection.channel(on_closed=told.append)
    connection.close(time.monotonic() + 5.0)
    connection.close(time.monotonic() + 5.0)
    with pytest.raises(Unavailable, match="was closed"):
        channel.declare_queue("a")
    assert told == []


def test_one_who_does_not_let_go_is_left(connect: Connect, scripted: Scripted) -> None:
    over = threading.Event()

    def script(talk: Talk) -> None:
        talk.let_in()
        over.wait(10.0)

    connection: Connection = connect(scripted(script))
    began = time.monotonic()
    connection.close(began + 0.2)
    assert time.monotonic() - began < 2.0
    assert not connection.is_open
    over.set()
