"""Values of PostgreSQL, in the text that it writes them in, and what parameters are sent as."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from moonq.databases.faults import invalid
from moonq.databases.wire import Value

TEXT, BINARY = 0, 1
_BOOL, _BYTEA, _INT8, _INT2, _INT4, _OID = 16, 17, 20, 21, 23, 26
_FLOAT4, _FLOAT8 = 700, 701
_TIMESTAMP, _TIMESTAMPTZ = 1114, 1184
_UNKNOWN = 0
Read = Callable[[bytes], Value]


class Sent(NamedTuple):
    """A parameter as it is sent; the server finds out itself what an unknown text is."""

    value: bytes | None
    oid: int = _UNKNOWN
    format: int = TEXT


def bound(name: str, value: Value) -> Sent:
    """Return *value*, the parameter called *name*, as it is sent.

    Raises:
        Failed: PostgreSQL has no such text.
    """
    if isinstance(value, str | list):
        text = _array(name, value) if isinstance(value, list) else _text(name, value)
        return Sent(text.encode())
    if isinstance(value, bytes):
        return Sent(value, _BYTEA, BINARY)
    if isinstance(value, bool):
        return Sent(b"t" if value else b"f", _BOOL)
    if isinstance(value, int):
        return Sent(str(value).encode(), _narrowest(value))
    return Sent(None) if value is None else Sent(_float(value), _FLOAT8)


def _narrowest(value: int) -> int:
    # As a literal would be: functions of `integer` take no `bigint`.
    return _INT4 if -(2**31) <= value < 2**31 else _INT8


def _float(value: float) -> bytes:
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(
        repr(value), repr(value)
    ).encode()


def _text(name: str, value: str) -> str:
    if "\0" in value:
        raise invalid(f":{name} holds a zero byte, which no text has in PostgreSQL")
    return value


def _array(name: str, values: list[Value]) -> str:
    return "{" + ",".join(_element(name, one) for one in values) + "}"


def _element(name: str, value: Value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return _array(name, value)
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, float):
        return _float(value).decode()
    escaped = _text(name, value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def reader(oid: int) -> Read:
    """Return what makes a value of the text of a type."""
    element = _ARRAYS.get(oid)
    if element is None:
        return _READERS.get(oid, _as_it_is)
    read = _READERS.get(element, _as_it_is)
    return lambda text: _List(text, read).all()


def _as_it_is(text: bytes) -> Value:
    return text


def _bytea(text: bytes) -> Value:
    return bytes.fromhex(text[2:].decode()) if text.startswith(b"\\x") else text


def _moment(text: bytes) -> Value:
    """`2026-01-02 03:04:05` with a T; `infinity` has none."""
    return text.replace(b" ", b"T", 1) if text[:1].isdigit() else text


def _instant(text: bytes) -> Value:
    moment = _moment(text)
    assert isinstance(moment, bytes)
    return moment[:-3] + b"Z" if moment.endswith(b"+00") else moment


_READERS: dict[int, Read] = {
    _BOOL: lambda text: text == b"t",
    _BYTEA: _bytea,
    **dict.fromkeys((_INT2, _INT4, _INT8, _OID), int),
    **dict.fromkeys((_FLOAT4, _FLOAT8), float),
    _TIMESTAMP: _moment,
    _TIMESTAMPTZ: _instant,
}
#: The arrays of PostgreSQL's own types, by the number of the array -> of what is in it.
_ARRAYS = {
    1000: 16, 1001: 17, 1002: 18, 1003: 19, 1016: 20, 1005: 21, 1007: 23, 1009: 25, 1028: 26,
    199: 114, 1021: 700, 1022: 701, 791: 790, 1040: 829, 1041: 869, 651: 650, 1014: 1042,
    1015: 1043, 1182: 1082, 1183: 1083, 1115: 1114, 1185: 1184, 1187: 1186, 1270: 1266,
    1561: 1560, 1563: 1562, 1231: 1700, 2951: 2950, 3807: 3802,
}  # fmt: skip


class _List:
    """An array's text: `{1,NULL,"a \\"b\\"",{2}}`, with its bounds in front where they are odd."""

    def __init__(self, text: bytes, read: Read) -> None:
        self._text, self._read = text, read
        self._at = text.index(b"{")

    def all(self) -> list[Value]:
        """Return its values."""
        self._at += 1
        values: list[Value] = []
        while (mark := self._text[self._at : self._at + 1]) != b"}":
            if mark == b",":
                self._at += 1
            elif mark == b"{":
                values.append(self.all())
            else:
                values.append(self._one(mark == b'"'))
        self._at += 1
        return values

    def _one(self, is_quoted: bool) -> Value:
        if not is_quoted:
            end = self._at
            while self._text[end : end + 1] not in {b",", b"}"}:
                end += 1
            raw, self._at = self._text[self._at : end], end
            return None if raw == b"NULL" else self._read(raw)
        out = bytearray()
        at = self._at + 1
        while (mark := self._text[at]) != 0x22:
            at += mark == 0x5C
            out.append(self._text[at])
            at += 1
        self._at = at + 1
        return self._read(bytes(out))
