"""Field tables: the headers of a message and the arguments of a queue, exactly as given.

    decode(encode({"ratio": 0.1, "order": 2**60}), 0) --> ({"ratio": 0.1, "order": 2**60}, 37)

Integers are written as 64-bit ones, floats as doubles. All types that RabbitMQ knows are read; text
that is not UTF-8 is bytes. What does not fit is refused, never rounded or cut.
Source: https://www.rabbitmq.com/amqp-0-9-1-errata (section 3, the column "RabbitMQ").
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from moonq.errors import Invalid, QueueError

#: How deep tables may lie in tables; a broker passes on any depth.
DEPTH = 32
_OCTETS = tuple(bytes((number,)) for number in range(256))
_LONG = struct.Struct(">I")
_INT64 = struct.Struct(">cq")
_DOUBLE = struct.Struct(">cd")
_SECONDS = struct.Struct(">cQ")
_DECIMAL = struct.Struct(">cBI")
_STRING = struct.Struct(">cI")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Names that were written before, with their length in front: a few occur in every message.
_names: dict[str, bytes] = {}


def encode(table: Mapping[str, Any]) -> bytes:
    """Return *table* as it travels, its length in front.

    Raises:
        Invalid: A name or a value does not fit; says where.
    """
    parts = [b""]
    for name, value in table.items():
        parts.append(_names.get(name) or _name(name))
        kind = type(value)
        # The common ones at once: this runs for each header of each message.
        if kind is str:
            data = value.encode()
            parts += (_STRING.pack(b"S", len(data)), data)
        elif kind is int and -0x8000000000000000 <= value < 0x8000000000000000:
            parts.append(_INT64.pack(b"l", value))
        else:
            try:
                parts.append(_value(value))
            except (Invalid, UnicodeError, RecursionError) as problem:
                raise Invalid(f"{name!r}: {problem}") from None
    data = b"".join(parts)
    return _LONG.pack(len(data)) + data


def short(text: str) -> bytes:
    """Return a text of at most 255 bytes as it travels.

    Raises:
        Invalid: It is longer.
    """
    data = text.encode()
    if len(data) > 255:
        raise Invalid(f"{text[:40]!r}… has {len(data)} bytes, AMQP takes 255 there")
    return _OCTETS[len(data)] + data


def _name(name: str) -> bytes:
    if not isinstance(name, str):
        raise Invalid(f"{name!r}: a name in a table is text")
    if len(_names) >= 1000:
        _names.clear()
    return _names.setdefault(name, short(name))


def _value(value: Any) -> bytes:
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    raise Invalid(f"a {type(value).__name__} is nothing that AMQP can carry")


def _integer(value: int) -> bytes:
    try:
        return _INT64.pack(b"l", value)
    except struct.error:
        raise Invalid(f"{value} does not fit into 64 bits") from None


def _text(value: str) -> bytes:
    data = value.encode()
    return _STRING.pack(b"S", len(data)) + data


def _array(value: list[Any] | tuple[Any, ...]) -> bytes:
    data = b"".join(map(_value, value))
    return _STRING.pack(b"A", len(data)) + data


def _timestamp(value: datetime) -> bytes:
    if value.tzinfo is None:
        raise Invalid(f"{value} does not say its time zone")
    seconds = (value - _EPOCH).total_seconds()
    if seconds < 0 or seconds % 1:
        raise Invalid(f"{value} is no whole second since 1970")
    return _SECONDS.pack(b"T", int(seconds))


def _decimal(value: Decimal) -> bytes:
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -255 <= exponent <= 10:
        scale = max(0, -exponent)
        number = int(value.scaleb(scale))
        if 0 <= number <= 0xFFFFFFFF:
            return _DECIMAL.pack(b"D", scale, number)
    raise Invalid(f"the decimal {value} does not fit into 32 bits without a sign")


#: In this order: a bool is an int, too.
_WRITERS: tuple[tuple[Any, Callable[[Any], bytes]], ...] = (
    (bool, lambda value: b"t\x01" if value else b"t\x00"),
    (int, _integer),
    (float, lambda value: _DOUBLE.pack(b"d", value)),
    (str, _text),
    (type(None), lambda _: b"V"),
    ((bytes, bytearray), lambda value: _STRING.pack(b"x", len(value)) + value),
    (Mapping, lambda value: b"F" + encode(value)),
    ((list, tuple), _array),
    (datetime, _timestamp),
    (Decimal, _decimal),
)


class Unreadable(QueueError):
    """Bytes that are no field table."""


def decode(data: bytes, start: int, depth: int = DEPTH) -> tuple[dict[str, Any], int]:
    """Return the table at *start* of *data*, and where it ends.

    Raises:
        Unreadable: There is none.
    """
    try:
        stop = start + 4 + _LONG.unpack_from(data, start)[0]
        if stop > len(data) or not depth:
            raise Unreadable("a table is deeper or longer than what it lies in")
        return _fields(data, start + 4, stop, depth), stop
    except (struct.error, IndexError, UnicodeDecodeError):
        raise Unreadable("a field table ends too soon") from None


def _fields(data: bytes, position: int, stop: int, depth: int) -> dict[str, Any]:
    table: dict[str, Any] = {}
    while position < stop:
        end = position + 1 + data[position]
        name = data[position + 1 : end].decode()
        kind, position = data[end], end + 1
        if kind == _S:
            end = position + 4 + _LONG.unpack_from(data, position)[0]
            table[name], position = _as_text(data[position + 4 : end]), end
        else:
            table[name], position = _read(kind, data, position, depth)
    if position != stop:
        raise Unreadable("a value reaches beyond the end of its table")
    return table


def _read(kind: int, data: bytes, position: int, depth: int) -> tuple[Any, int]:
    """Return the value at *position*, and where it ends."""
    if fixed := _FIXED.get(kind):
        (value,) = fixed.unpack_from(data, position)
        return value, position + fixed.size
    if reader := _READERS.get(kind):
        return reader(data, position, depth)
    raise Unreadable(f"a value of the unknown type {kind:#04x}")


def _read_array(data: bytes, position: int, depth: int) -> tuple[list[Any], int]:
    stop = position + 4 + _LONG.unpack_from(data, position)[0]
    position += 4
    if stop > len(data) or depth <= 1:
        raise Unreadable("an array is deeper or longer than what it lies in")
    values = []
    while position < stop:
        value, position = _read(data[position], data, position + 1, depth - 1)
        values.append(value)
    if position != stop:
        raise Unreadable("a value reaches beyond the end of its array")
    return values, stop


def _read_bytes(data: bytes, position: int, _depth: int) -> tuple[bytes, int]:
    stop = position + 4 + _LONG.unpack_from(data, position)[0]
    return data[position + 4 : stop], stop


def _read_text(data: bytes, position: int, depth: int) -> tuple[str | bytes, int]:
    value, stop = _read_bytes(data, position, depth)
    return _as_text(value), stop


def _read_timestamp(data: bytes, position: int, _depth: int) -> tuple[datetime | int, int]:
    (seconds,) = struct.unpack_from(">Q", data, position)
    try:
        return datetime.fromtimestamp(seconds, UTC), position + 8
    except (ValueError, OverflowError, OSError):
        return seconds, position + 8  # often milliseconds, which no calendar reaches


def _read_decimal(data: bytes, position: int, _depth: int) -> tuple[Decimal, int]:
    scale, number = struct.unpack_from(">BI", data, position)
    return Decimal(number).scaleb(-scale), position + 5


def _as_text(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


_S = ord("S")
_FIXED = {
    ord(code): struct.Struct(f">{layout}")
    for code, layout in {
        "t": "?", "b": "b", "B": "B", "s": "h", "u": "H", "I": "i", "i": "I", "l": "q", "L": "q",
        "f": "f", "d": "d",
    }.items()
}  # fmt: skip
_READERS: dict[int, Callable[[bytes, int, int], tuple[Any, int]]] = {
    ord("S"): _read_text,
    ord("x"): _read_bytes,
    ord("F"): lambda data, position, depth: decode(data, position, depth - 1),
    ord("A"): _read_array,
    ord("T"): _read_timestamp,
    ord("D"): _read_decimal,
    ord("V"): lambda _data, position, _depth: (None, position),
}
