"""Parameters and results as they cross between Lua and Python; `lua/run/sql_values.lua` is there.

A value is one letter and what belongs to it, little-endian: `n`, `t`, `f` nothing, `i` 8 bytes, `d`
a double, `s` a text and `b` bytes with their length in 4 bytes, `l` a count in 4 bytes and as many
values. Parameters are name (length in 1 byte) and value in turn. A result is the values affected
and last id, the names of its columns as a list, the number of its rows, and their values.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from moonq.databases.faults import invalid

_INT, _FLOAT, _LENGTH = struct.Struct("<q"), struct.Struct("<d"), struct.Struct("<I")
#: How deep lists may lie in each other: as deep as PostgreSQL's arrays.
_DEEPEST = 6
Value = None | bool | int | float | str | bytes | list[Any]


class Result(NamedTuple):
    """What a statement led to."""

    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Value]] = ()
    affected: int = 0
    """How many rows it changed."""
    last_id: int | None = None
    """The number that the database gave to an inserted row, where it tells."""

    def packed(self) -> bytes:
        """Return it as it crosses."""
        out = bytearray()
        for value in (self.affected, self.last_id, list(self.columns)):
            _pack(value, out)
        out += _LENGTH.pack(len(self.rows))
        for row in self.rows:
            for one in row:
                _pack(one, out)
        return bytes(out)


def _pack(value: Value, out: bytearray) -> None:
    kind = type(value)
    if kind is bytes:
        out += b"s" + _LENGTH.pack(len(value)) + value  # type: ignore[arg-type, operator]
    elif kind is int:
        out += _number(value)  # type: ignore[arg-type]
    elif value is None:
        out += b"n"
    elif kind is float:
        out += b"d" + _FLOAT.pack(value)
    elif kind is bool:
        out += b"t" if value else b"f"
    elif kind is list:
        out += b"l" + _LENGTH.pack(len(value))  # type: ignore[arg-type]
        for one in value:  # type: ignore[union-attr]
            _pack(one, out)
    else:
        text = str(value).encode("utf-8", "replace")
        out += b"s" + _LENGTH.pack(len(text)) + text


def _number(value: int) -> bytes:
    if -(2**63) <= value < 2**63:
        return b"i" + _INT.pack(value)
    text = str(value).encode()  # as `numeric`: exact, as a string
    return b"s" + _LENGTH.pack(len(text)) + text


def parameters(packed: bytes) -> dict[str, Value]:
    """Return parameters by name.

    Raises:
        Failed: A text is no UTF-8.
    """
    found: dict[str, Value] = {}
    at = 0
    while at < len(packed):
        end = at + 1 + packed[at]
        name = packed[at + 1 : end].decode("utf-8", "replace")
        found[name], at = _unpack(packed, end, name, 0)
    return found


def _unpack(packed: bytes, at: int, name: str, depth: int) -> tuple[Value, int]:
    kind, at = packed[at : at + 1], at + 1
    if kind == b"i":
        return _INT.unpack_from(packed, at)[0], at + 8
    if kind == b"d":
        return _FLOAT.unpack_from(packed, at)[0], at + 8
    if kind in {b"s", b"b", b"l"}:
        (length,) = _LENGTH.unpack_from(packed, at)
        at += 4
        if kind == b"l":
            return _list(packed, at, length, name, depth + 1)
        value = packed[at : at + length]
        return (value if kind == b"b" else _text(value, name)), at + length
    return {b"t": True, b"f": False}.get(kind), at


def _list(packed: bytes, at: int, length: int, name: str, depth: int) -> tuple[Value, int]:
    if depth > _DEEPEST:
        raise invalid(f":{name}: lists lie at most {_DEEPEST} deep in each other")
    values: list[Value] = []
    for number in range(length):
        value, at = _unpack(packed, at, f"{name}[{number + 1}]", depth)
        values.append(value)
    return values, at


def _text(value: bytes, name: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as problem:
        raise invalid(
            f":{name} is no UTF-8 at byte {problem.start + 1}",
            "mark bytes as such: sql.blob(bytes)",
        ) from None
