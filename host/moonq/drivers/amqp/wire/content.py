"""Messages that come in, put together from their frames."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from moonq.drivers.amqp.wire import frames, properties
from moonq.drivers.amqp.wire.messages import Incoming, Properties, Returned
from moonq.drivers.amqp.wire.table import Unreadable

_TAG = struct.Struct(">QB")
_LENGTH = struct.Struct(">Q")
_COUNT = struct.Struct(">I")
_CODE = struct.Struct(">H")
_NOTHING = Properties()
Carried = Incoming | Returned


class Carrier(NamedTuple):
    """What the method of a message says; the consumer is empty but for a delivery."""

    kind: int
    tag: int
    redelivered: bool
    exchange: str
    key: str
    consumer: str = ""
    left: int = 0
    text: str = ""


class Assembly:
    """The message that is coming in on a channel: there is never more than one."""

    def __init__(self) -> None:
        self._carrier: Carrier | None = None
        self._properties = _NOTHING
        self._fault = ""
        self._missing = 0
        self._parts: list[bytes] = []
        self._names: dict[bytes, tuple[str, str]] = {}
        """Exchange and key by how they travel: few, and again and again."""

    def begin(self, index: int, data: bytes, start: int, stop: int) -> None:
        """Take the method of a message."""
        if self._carrier is not None:
            raise ValueError("a message that begins within another")
        self._carrier = _CARRIERS[index](self, data, start, stop)

    def take(self, kind: int, data: bytes, start: int, stop: int) -> Carried | None:
        """Take the header or a piece of the body, and return the message once it is whole."""
        if self._carrier is None or (kind == frames.BODY) != bool(self._missing):
            raise ValueError("a piece of a message out of place")
        if kind == frames.HEADER:
            (self._missing,) = _LENGTH.unpack_from(data, start + 4)
            try:
                self._properties = properties.decode(data, start + 12, stop)
            except Unreadable as problem:
                self._properties, self._fault = _NOTHING, problem.message
            return None if self._missing else self._finish(b"")
        self._missing -= stop - start
        if self._missing < 0:
            raise ValueError("a body that is longer than its header says")
        if self._missing:
            self._parts.append(data[start:stop])
            return None
        if not self._parts:
            return self._finish(data[start:stop])
        self._parts.append(data[start:stop])
        body = b"".join(self._parts)
        self._parts.clear()
        return self._finish(body)

    def _finish(self, body: bytes) -> Carried:
        assert self._carrier is not None
        kind, tag, again, exchange, key, consumer, count, text = self._carrier
        traits, fault = self._properties, self._fault
        self._carrier, self._fault = None, ""
        if kind == frames.RETURN:
            return Returned(tag, text, exchange, key, traits, body)
        return Incoming(tag, again, exchange, key, traits, body, consumer, count, fault)

    def names(self, data: bytes) -> tuple[str, str]:
        """Return the exchange and the key that lie at the beginning of *data*."""
        found = self._names.get(data)
        if found is None:
            exchange, end = _short(data, 0)
            found = (exchange, _short(data, end)[0])
            if len(self._names) >= 1000:
                self._names.clear()
            self._names[data] = found
        return found


def _deliver(assembly: Assembly, data: bytes, start: int, stop: int) -> Carrier:
    consumer, start = _short(data, start)
    tag, redelivered = _TAG.unpack_from(data, start)
    exchange, key = assembly.names(data[start + 9 : stop])
    return Carrier(frames.DELIVER, tag, bool(redelivered), exchange, key, consumer)


def _got(assembly: Assembly, data: bytes, start: int, stop: int) -> Carrier:
    tag, redelivered = _TAG.unpack_from(data, start)
    exchange, key = assembly.names(data[start + 9 : stop - 4])
    (count,) = _COUNT.unpack_from(data, stop - 4)
    return Carrier(frames.GET_OK, tag, bool(redelivered), exchange, key, "", count)


def _returned(assembly: Assembly, data: bytes, start: int, stop: int) -> Carrier:
    (code,) = _CODE.unpack_from(data, start)
    text, start = _short(data, start + 2)
    exchange, key = assembly.names(data[start:stop])
    return Carrier(frames.RETURN, code, False, exchange, key, text=text)


def _short(data: bytes, start: int) -> tuple[str, int]:
    end = start + 1 + data[start]
    return data[start + 1 : end].decode(errors="replace"), end


_CARRIERS: dict[int, Callable[[Assembly, bytes, int, int], Carrier]] = {
    frames.DELIVER: _deliver,
    frames.GET_OK: _got,
    frames.RETURN: _returned,
}
