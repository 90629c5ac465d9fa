"""Frames: what the bytes of a connection are cut into, and those that are written all the time.

A frame is its kind, its channel, its length, its payload and one last byte. A message is three or
more of them: the method that carries it, a header with its properties, and its body in pieces.
Source: the AMQP 0-9-1 specification, section 4.2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from moonq.drivers.amqp.wire import properties, table
from moonq.drivers.amqp.wire.messages import Outgoing, Settle
from moonq.errors import TooLarge

METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
END = 0xCE
#: Bytes of a frame around its payload.
AROUND = 8
PULSE = b"\x08\x00\x00\x00\x00\x00\x00\xce"
PUBLISH, RETURN, DELIVER, GET_OK = 0x003C0028, 0x003C0032, 0x003C003C, 0x003C0047
ACK, NACK = 0x003C0050, 0x003C0078
_FRAME = struct.Struct(">BHI")
_METHOD = struct.Struct(">BHII")
#: A content header up to the properties; 60 is the class `basic`.
_CONTENT = struct.Struct(">BHIHHQ")
_SETTLE = struct.Struct(">BHIIQBB")
_LAST = bytes((END,))


def first(data: bytes, frame_max: int) -> int:
    """Return how many bytes the first frame of *data* has; 0: not all of it is there.

    Raises:
        ValueError: It is none.
    """
    if len(data) < AROUND:
        return 0
    _, _, size = _FRAME.unpack_from(data)
    if size > frame_max:
        raise ValueError(f"a frame of {size} bytes, where {frame_max} were agreed")
    return size + AROUND if len(data) >= size + AROUND else 0


class Cutter:
    """Cuts what comes into frames, however it comes."""

    def __init__(self, frame_max: int) -> None:
        self.frame_max = frame_max
        self._rest = b""

    def cut(self, data: bytes) -> tuple[bytes, list[tuple[int, int, int, int]]]:
        """Return bytes and the frames in them: kind, channel, start and stop of each payload.

        Raises:
            ValueError: These are no frames.
        """
        if self._rest:
            data = self._rest + data
        found = []
        position, last = 0, len(data) - AROUND
        unpack = _FRAME.unpack_from
        while position <= last:
            kind, channel, size = unpack(data, position)
            stop = position + 7 + size
            if size > self.frame_max:
                raise ValueError(f"a frame of {size} bytes, where {self.frame_max} were agreed")
            if stop >= len(data):
                break
            if data[stop] != END:
                raise ValueError("a frame without an end")
            found.append((kind, channel, position + 7, stop))
            position = stop + 1
        self._rest = data[position:]
        return data, found


def method(channel: int, index: int, arguments: bytes) -> bytes:
    """Return a frame with a method."""
    return _METHOD.pack(METHOD, channel, len(arguments) + 4, index) + arguments + _LAST


def publish(channel: int, message: Outgoing) -> bytes:
    """Return the method that carries *message*: all of it but what is its own.

    Raises:
        Invalid: A name is too long.
    """
    names = table.short(message.exchange) + table.short(message.key)
    return method(channel, PUBLISH, b"\0\0" + names + (b"\1" if message.mandatory else b"\0"))


def content(channel: int, message: Outgoing, carrier: bytes, frame_max: int) -> bytes:
    """Return *message* behind the method that carries it.

    Raises:
        Invalid: A property does not fit; names it.
        TooLarge: Its properties need more than one frame.
    """
    traits = properties.encode(message.properties)
    body, size = message.body, len(traits) + 12
    room = frame_max - AROUND
    if size > room:
        raise TooLarge(f"the headers of a message need {size} bytes, the broker takes {room}")
    header = _CONTENT.pack(HEADER, channel, size, 60, 0, len(body))
    if len(body) <= room:
        if not body:
            return b"".join((carrier, header, traits, _LAST))
        frame = _FRAME.pack(BODY, channel, len(body))
        return b"".join((carrier, header, traits, _LAST, frame, body, _LAST))
    parts = [carrier, header, traits, _LAST]
    for start in range(0, len(body), room):
        piece = body[start : start + room]
        parts += (_FRAME.pack(BODY, channel, len(piece)), piece, _LAST)
    return b"".join(parts)


def settles(channel: int, ends: Iterable[Settle]) -> bytes:
    """Return the acks and nacks of *ends*, in their order."""
    pack = _SETTLE.pack
    return b"".join(
        pack(METHOD, channel, 13, ACK if is_ack else NACK, tag,
             multiple if is_ack else multiple | requeue << 1, END)
        for tag, multiple, is_ack, requeue in ends
    )  # fmt: skip


def check_body(size: int, largest: int) -> None:
    """Refuse what the broker would close the channel for.

    Raises:
        TooLarge: A message of *size* bytes is larger than that.
    """
    if size > largest:
        raise TooLarge(
            f"a message has {size} bytes, the broker takes {largest}",
            hint="keep what is large elsewhere, and send where it is",
        )
