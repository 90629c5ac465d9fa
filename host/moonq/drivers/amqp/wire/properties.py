"""The properties of a message as they travel: a word of flags, then those that are there.

The sixteen flags of the word are one property each, the first the highest; the last is for a
further word, which no property needs.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from moonq.drivers.amqp.wire import table
from moonq.drivers.amqp.wire.messages import Properties
from moonq.errors import Invalid

Reader = Callable[[bytes, int], tuple[Any, int]]
_FLAGS = struct.Struct(">H")
_SECONDS = struct.Struct(">Q")
_OCTETS = {number: bytes((number,)) for number in range(256)}
_BITS = tuple(0x8000 >> position for position in range(len(Properties._fields)))
#: How those are written that are no short text; what does not fit raises any of `_MISFITS`.
_WRITERS: dict[str, Callable[[Any], bytes]] = {
    "headers": table.encode,
    "delivery_mode": _OCTETS.__getitem__,
    "priority": _OCTETS.__getitem__,
    "timestamp": _SECONDS.pack,
}
_READERS: dict[str, Reader] = {
    "headers": table.decode,
    "delivery_mode": lambda data, start: (data[start], start + 1),
    "priority": lambda data, start: (data[start], start + 1),
    "timestamp": lambda data, start: (_SECONDS.unpack_from(data, start)[0], start + 8),
}
_WRITE = tuple(_WRITERS.get(name, table.short) for name in Properties._fields)
_MISFITS = (Invalid, KeyError, TypeError, AttributeError, UnicodeError, struct.error)
#: What a word of flags means: the properties that are there, and how those are read that are no
#: short text.
_layouts: dict[int, tuple[tuple[int, Reader | None], ...]] = {}


def encode(properties: Properties) -> bytes:
    """Return *properties* as they travel.

    Raises:
        Invalid: One does not fit; names it.
    """
    flags, parts = 0, [b""]
    position = 0
    try:
        for position, value in enumerate(properties):
            if value is not None:
                flags |= _BITS[position]
                parts.append(_WRITE[position](value))
    except _MISFITS as problem:
        raise _misfit(Properties._fields[position], properties[position], problem) from None
    parts[0] = _FLAGS.pack(flags)
    return b"".join(parts)


def _misfit(name: str, value: Any, problem: Exception) -> Invalid:
    if isinstance(problem, Invalid):
        return Invalid(f"{'header' if name == 'headers' else f'property {name!r}:'} {problem}")
    return Invalid(f"property {name!r}: a {type(value).__name__} such as {value!r} does not fit")


def decode(data: bytes, start: int, stop: int) -> Properties:
    """Return the properties between *start* and *stop* of *data*.

    Raises:
        Unreadable: There are none.
    """
    try:
        (flags,) = _FLAGS.unpack_from(data, start)
        values: list[Any] = [None] * len(_BITS)
        start += 2
        for position, read in _layouts.get(flags) or _layout(flags):
            if read is None:
                end = start + 1 + data[start]
                values[position], start = data[start + 1 : end].decode(), end
            else:
                values[position], start = read(data, start)
    except (struct.error, IndexError, UnicodeDecodeError):
        raise table.Unreadable("its properties end too soon, or are no text") from None
    if start != stop:
        raise table.Unreadable("its properties are not as long as their frame")
    return Properties._make(values)


def _layout(flags: int) -> tuple[tuple[int, Reader | None], ...]:
    if flags & 3:
        raise table.Unreadable(f"its flags {flags:#06x} are of no property")
    there = [position for position, bit in enumerate(_BITS) if flags & bit]
    found = tuple((place, _READERS.get(Properties._fields[place])) for place in there)
    return _layouts.setdefault(flags, found)
