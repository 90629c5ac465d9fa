"""Frames: what is sent is cut into them, and what comes is put together, however it was cut."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import body, commands, frame, header

from moonq.drivers.amqp.wire import frames
from moonq.drivers.amqp.wire.channel import Calls, Channel
from moonq.drivers.amqp.wire.messages import Outgoing, Properties, Settle
from moonq.errors import Invalid, TooLarge, Unavailable


class Wire:
    """A connection that keeps what is sent."""

    frame_max = 4096
    body_max = 100_000

    def __init__(self) -> None:
        self.sent = b""
        self.left: list[int] = []

    def send(self, data: bytes) -> None:
        self.sent += data

    def leave(self, number: int) -> None:
        self.left.append(number)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def pieces(data: bytes) -> list[Any]:
    """What pamqp makes of *data*; no frame of it is larger than agreed."""
    found = []
    while data:
        size, channel, one = frame.unmarshal(data)
        assert channel == 3
        assert size <= Wire.frame_max
        found.append(one)
        data = data[size:]
    return found


@pytest.mark.parametrize("size", [0, 1, 4088, 4089, 8176, 8177, 50_000])
def test_a_body_of_any_size_is_sent_in_frames_as_agreed(wire: Wire, size: int) -> None:
    sent = bytes(n % 251 for n in range(size))
    traits = Properties(content_type="text/plain", headers={"a": 1}, delivery_mode=2)
    tag = Channel(wire, 3, print).publish([Outgoing("x", "key", traits, sent)])
    carrier, head, *rest = pieces(wire.sent)
    assert tag == 1
    assert (carrier.exchange, carrier.routing_key, carrier.mandatory) == ("x", "key", True)
    assert head.body_size == size
    assert head.properties.headers == {"a": 1}
    assert b"".join(piece.value for piece in rest) == sent
    assert len(rest) == -(-size // 4088)


def test_messages_are_counted_and_settles_sent_in_their_order(wire: Wire) -> None:
    channel = Channel(wire, 3, print)
    one = Outgoing("", "q", Properties(), b"x", mandatory=False)
    assert [channel.publish([one] * 3), channel.publish([]), channel.publish([one])] == [1, 4, 4]
    wire.sent = b""
    channel.settle([Settle(7, True), Settle(9, is_ack=False), Settle(2**60, False, False, False)])
    said = [(one.name, *dict(one).values()) for one in pieces(wire.sent)]
    assert said == [
        ("Basic.Ack", 7, True),
        ("Basic.Nack", 9, False, True),
        ("Basic.Nack", 2**60, False, False),
    ]


@pytest.mark.parametrize(
    ("message", "error", "says"),
    [
        (Outgoing("", "k" * 256, Properties(), b""), Invalid, "has 256 bytes, AMQP takes 255"),
        (Outgoing("", "q", Properties(headers={"a": 2**64}), b""), Invalid, "header 'a'"),
        (Outgoing("", "q", Properties(headers={"a": "x" * 4096}), b""), TooLarge,
         "the headers of a message need 4121 bytes, the broker takes 4088"),
        (Outgoing("", "q", Properties(), b"x" * 100_001), TooLarge,
         "a message has 100001 bytes, the broker takes 100000"),
    ],
)  # fmt: skip
def test_of_messages_with_one_that_does_not_fit_none_is_sent(
    wire: Wire, message: Outgoing, error: type[Exception], says: str
) -> None:
    channel = Channel(wire, 3, print)
    with pytest.raises(error, match=says):
        channel.publish([Outgoing("", "q", Properties(), b""), message])
    assert wire.sent == b""
    assert channel.publish([]) == 1


def test_nothing_is_sent_on_a_closed_channel(wire: Wire) -> None:
    channel = Channel(wire, 3, print)
    channel.end(Unavailable("the broker has gone"), is_told=False)
    with pytest.raises(Unavailable, match="the broker has gone"):
        channel.publish([Outgoing("", "q", Properties(), b"")])
    channel.ack(1)
    assert wire.sent == b""


def carried(method: Any, content: bytes, cut: int) -> bytes:
    """A message as a broker sends it, its body in pieces of *cut* bytes."""
    traits = commands.Basic.Properties(message_id="m", headers={"n": 1})
    parts = [frame.marshal(method, 3)]
    parts.append(frame.marshal(header.ContentHeader(0, len(content), traits), 3))
    pieces = (content[start : start + cut] for start in range(0, len(content), cut))
    return b"".join(parts) + b"".join(frame.marshal(body.ContentBody(one), 3) for one in pieces)


STREAM = (
    carried(commands.Basic.Deliver("c", 1, False, "x", "key"), b"first", 100)
    + frames.PULSE
    + carried(commands.Basic.Deliver("c", 2, True, "", "q"), b"", 100)
    + carried(commands.Basic.Return(312, "NO_ROUTE", "x", "nowhere"), b"back again", 3)
    + frame.marshal(commands.Basic.Ack(5, True), 3)
    + carried(commands.Basic.Deliver("c", 3, False, "x", "key"), b"a body in pieces", 5)
    + frame.marshal(commands.Basic.Nack(6, False, False), 3)
    + carried(commands.Basic.Deliver("unknown", 4, False, "x", "key"), b"dropped", 100)
    + frame.marshal(commands.Basic.Cancel("c", True), 3)
)


def told(chunks: list[bytes]) -> list[Any]:
    """What a channel tells its user about a stream that comes in *chunks*."""
    said: list[Any] = []
    channel = Channel(Wire(), 3, said.append)
    channel._on_confirm = lambda *confirm: said.append(confirm)
    channel._on_return = said.append
    channel._ask = lambda *_: None  # type: ignore[method-assign]
    channel.consume("q", said.append, tag="c", on_cancel=lambda: said.append("cancelled"))
    feed(channel, chunks)
    return said


def feed(channel: Channel, chunks: list[bytes]) -> None:
    cutter = frames.Cutter(4096)
    for chunk in chunks:
        calls: Calls = []
        data, found = cutter.cut(chunk)
        for kind, number, start, stop in found:
            if number:
                channel.take(kind, data, start, stop, calls)
        for call, arguments in calls:
            call(*arguments)


def test_the_tags_of_a_channel_come_in_their_order_whoever_consumes() -> None:
    stream = b"".join(
        carried(commands.Basic.Deliver(owner, tag, False, "x", "key"), b"", 9)
        for tag, owner in enumerate("aabbabb", 1)
    )
    said: list[Any] = []
    channel = Channel(Wire(), 3, said.append)
    channel._ask = lambda *_: None  # type: ignore[method-assign]
    for name in "ab":
        channel.consume("q", tag=name, on_batch=lambda batch: said.append([m.tag for m in batch]))
    feed(channel, [stream])
    assert said == [[1, 2], [3, 4], [5], [6, 7]]


def test_a_channel_tells_what_came_in_its_order() -> None:
    said = told([bytes((one,)) for one in STREAM])
    assert [type(one).__name__ for one in said] == [
        "Incoming", "Incoming", "Returned", "tuple", "Incoming", "tuple", "str",
    ]  # fmt: skip
    assert [
        (one.tag, one.key, one.redelivered, one.body) for one in (said[0], said[1], said[4])
    ] == [(1, "key", False, b"first"), (2, "q", True, b""), (3, "key", False, b"a body in pieces")]
    assert said[0].properties == Properties(headers={"n": 1}, message_id="m")
    assert (said[2].code, said[2].text, said[2].body) == (312, "NO_ROUTE", b"back again")
    assert (said[3], said[5], said[6]) == ((5, True, True), (6, False, False), "cancelled")


@given(st.sets(st.integers(1, len(STREAM) - 1)))
def test_frames_may_be_cut_at_every_byte(cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[start:stop] for start, stop in itertools.pairwise(edges)]
    key = repr
    assert sorted(told(chunks), key=key) == sorted(told([STREAM]), key=key)


def test_headers_that_cannot_be_read_are_said_with_the_message() -> None:
    broken = struct.pack(">HHQHI", 60, 0, 2, 0x2000, 99) + b"\1aS"
    parts = (
        frame.marshal(commands.Basic.Deliver("c", 1, False, "x", "key"), 3),
        struct.pack(">BHI", 2, 3, len(broken)) + broken + b"\xce",
        frame.marshal(body.ContentBody(b"ok"), 3),
    )
    (message,) = told([b"".join(parts)])
    assert message.body == b"ok"
    assert message.properties == Properties()
    assert "a table is deeper or longer than what it lies in" in message.fault


@pytest.mark.parametrize(
    ("chunk", "says"),
    [
        (b"\1\0\3\0\1\0\0" + b"x" * 10, "a frame of 65536 bytes, where 4096 were agreed"),
        (b"\1\0\3\0\0\0\1xx" + b"\0", "a frame without an end"),
        (frame.marshal(body.ContentBody(b"x"), 3), "out of place"),
        (frame.marshal(commands.Basic.Deliver("c", 1, False, "", ""), 3) * 2, "within another"),
        (carried(commands.Basic.Deliver("c", 1, False, "", ""), b"x", 9)[:-9]
         + frame.marshal(body.ContentBody(b"longer"), 3), "longer than its header says"),
    ],
)  # fmt: skip
def test_what_are_no_frames_is_said(chunk: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        told([chunk])
