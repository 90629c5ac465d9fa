"""What crosses between a host and a child: frames of plain values, each with its length in front.

    near, far = socket.socketpair()
    Channel(near).send(1, b"text", None, 2.5)
    Channel(far, most=4096).receive()   # (1, b"text", None, 2.5)

A frame is a number of bytes, then values: a letter, and what belongs to it. A child is not trusted:
nothing but these five kinds of values can be in a frame, and a frame only so large.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

Value = bytes | int | float | bool | None

# What a host asks of a child: `op, serial, state, argument...`. It is answered by a RESULT.
MAKE, DEFINE, OPEN, DELIVER, CALL, KEEP, RESULTS, POLICY, DECIDE, LIMIT, CLOSE = range(1, 12)
# What a host answers a LENT: `REPLY, reason, answer...`; a reason says why the state is to stop.
REPLY = 20
# What a child says: `HELLO, what failed...`, `LENT, state, memory, function, argument...` and
# `RESULT, serial, spent, memory, status, value...`.
HELLO, LENT, RESULT = 30, 31, 32
# How what was asked has ended.
DONE, STOPPED, FAULT = 0, 1, 2

# What the fork server is told: `SPAWN, number` and `KILL, number`. It tells `READY, 0` and then,
# for each child that has ended, `number, status`: the exit code, minus a signal, or NOT_FORKED plus
# an error where there was no child.
SPAWN, KILL, READY, NOT_FORKED = 1, 2, 0, 1000
RECORD = struct.Struct("<Ii")

#: Bytes beside the largest value that a frame may have.
ROOM = 64 * 1024
_CHUNK = 64 * 1024
_LENGTH = struct.Struct("<I")
_INTEGER = struct.Struct("<q")
_FLOAT = struct.Struct("<d")
_NONE, _TRUE, _FALSE, _INT, _REAL, _BYTES = b"NTFIRB"
_PLAIN: dict[object, bytes] = {None: b"N", True: b"T", False: b"F"}


class Malformed(Exception):
    """A frame is none."""


class Ended(Exception):
    """There is nobody at the other end."""


def pack(values: tuple[Value, ...]) -> bytes:
    """Return the frame of *values*."""
    parts = [b""]
    for value in values:
        kind = type(value)
        if kind is bytes:
            parts += (b"B", _LENGTH.pack(len(value)), value)  # type: ignore[arg-type]
        elif kind is int:
            parts += (b"I", _INTEGER.pack(value))
        elif kind is float:
            parts += (b"R", _FLOAT.pack(value))
        elif value is None or kind is bool:
            parts.append(_PLAIN[value])
        else:
            raise TypeError(f"a {kind.__name__} cannot cross to another process")
    parts[0] = _LENGTH.pack(sum(map(len, parts)))
    return b"".join(parts)


def unpack(data: bytes) -> tuple[Value, ...]:
    """Return the values of a frame without its length.

    Raises:
        Malformed: It is none.
    """
    values: list[Value] = []
    at, end = 0, len(data)
    try:
        while at < end:
            kind, at = data[at], at + 1
            if kind == _BYTES:
                begin = at + 4
                at = begin + _LENGTH.unpack_from(data, at)[0]
                values.append(data[begin:at])
            elif kind == _INT:
                values.append(_INTEGER.unpack_from(data, at)[0])
                at += 8
            elif kind == _REAL:
                values.append(_FLOAT.unpack_from(data, at)[0])
                at += 8
            else:
                values.append({_NONE: None, _TRUE: True, _FALSE: False}[kind])
    except (struct.error, KeyError):
        raise Malformed("a value is none") from None
    if at != end:
        raise Malformed("a value is longer than its frame")
    return tuple(values)


class Channel:
    """One end of a stream of frames; *most* bytes may be in one that arrives."""

    def __init__(self, stream: socket.socket, most: int = ROOM) -> None:
        self.stream = stream
        self.most = most
        self._buffer = bytearray()

    def send(self, *values: Value) -> None:
        """Send a frame; waits until there is room for it.

        Raises:
            Ended: Nobody is there.
        """
        try:
            self.stream.sendall(pack(values))
        except OSError as problem:
            raise Ended(str(problem)) from None

    def receive(self) -> tuple[Any, ...]:
        """Wait for a frame, which has one value at least.

        Raises:
            Ended: Nobody is there.
            Malformed: What came is no frame, or larger than it may be.
        """
        (length,) = _LENGTH.unpack(self._take(4))
        if not 0 < length <= self.most:
            raise Malformed(f"a frame has {length} bytes, and may have {self.most}")
        return unpack(self._take(length))

    def _take(self, count: int) -> bytes:
        buffer = self._buffer
        while len(buffer) < count:
            try:
                came = self.stream.recv(max(_CHUNK, min(count - len(buffer), 16 * _CHUNK)))
            except OSError as problem:
                raise Ended(str(problem)) from None
            if not came:
                raise Ended("the stream has ended")
            buffer += came
        taken = bytes(buffer[:count])
        del buffer[:count]
        return taken

    def close(self) -> None:
        """End the stream."""
        self.stream.close()
