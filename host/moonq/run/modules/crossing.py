"""Values on their way between Lua and Python; `lua/run/lent_values.lua` is the other end.

Each value is one letter, then what belongs to it: `n` nil, `t` and `f` the booleans, `i` an integer
and `d` a float in eight bytes, `s` a string behind its length, `l` a list and `m` a map behind the
number of their items. JSON would do for all of it but for bytes, which need no encoding here.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import json
import struct
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from moonq.errors import Invalid, MoonqError
from moonq.run.modules.shapes import ANY, Shape, Shapes

#: As deep as values may be nested in JSON.
DEEPEST = 128
_SIZE = struct.Struct("<I")
_INTEGER = struct.Struct("<q")
_FLOAT = struct.Struct("<d")


class Unfit(MoonqError):
    """A function answered what no script can have; names the path in the answer, and the type."""


class _Wrong(Exception):
    """What is wrong with a value; its path grows on the way up."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.path = ""


# To Python ---------------------------------------------------------------------------------------


def arguments(data: bytes, called: str, shapes: Shapes) -> list[Any]:
    """Return the arguments in *data* for the function that people call *called*.

    To Lua a nil at the end is the same as nothing, so it leaves a parameter its default.

    Raises:
        Invalid: One of them is no text, and its parameter is not annotated as bytes.
    """
    reader = _Reader(data)
    count = reader.size()
    found: list[Any] = []
    for place in range(count):
        try:
            found.append(reader.value(shapes.at(place)))
        except _Wrong as wrong:
            words = f"{called}: {shapes.name(place)}{wrong.path} {wrong.what}"
            raise Invalid(words, hint="annotate it as bytes to get any string") from None
    while len(found) > shapes.least and found[-1] is None:
        found.pop()
    shapes.bind(called, len(found))
    return found


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def size(self) -> int:
        (found,) = _SIZE.unpack_from(self._data, self._at)
        self._at += _SIZE.size
        return int(found)

    def value(self, shape: Shape | None) -> Any:
        tag = self._data[self._at : self._at + 1]
        self._at += 1
        return _READ[tag](self, shape or ANY)

    def number(self, form: struct.Struct) -> Any:
        (found,) = form.unpack_from(self._data, self._at)
        self._at += form.size
        return found

    def string(self) -> bytes:
        size = self.size()
        found = self._data[self._at : self._at + size]
        self._at += size
        return found

    def text(self, shape: Shape) -> str | bytes:
        found = self.string()
        if shape.is_bytes:
            return found
        try:
            return found.decode()
        except UnicodeDecodeError as problem:
            raise _Wrong(f"is not valid UTF-8 (byte {problem.start + 1})") from None

    def items(self, shape: Shape) -> Any:
        return [self._item(shape.item, place + 1) for place in range(self.size())]

    def fields(self, shape: Shape) -> Any:
        count = self.size()
        if not count and shape.is_list:
            return []
        found = {}
        for _ in range(count):
            try:
                key = self.string().decode()
            except UnicodeDecodeError:
                raise _Wrong("has a name that is not valid UTF-8") from None
            found[key] = self._item(shape.item, key)
        return found

    def _item(self, shape: Shape | None, key: str | int) -> Any:
        try:
            return self.value(shape)
        except _Wrong as wrong:
            wrong.path = _step(key) + wrong.path
            raise


_READ: Mapping[bytes, Callable[[_Reader, Shape], Any]] = {
    b"n": lambda _reader, _shape: None,
    b"t": lambda _reader, _shape: True,
    b"f": lambda _reader, _shape: False,
    b"i": lambda reader, _shape: reader.number(_INTEGER),
    b"d": lambda reader, _shape: reader.number(_FLOAT),
    b"s": _Reader.text,
    b"l": _Reader.items,
    b"m": _Reader.fields,
}


# To Lua ------------------------------------------------------------------------------------------


def results(answer: Any, called: str) -> bytes:
    """Return what the function *called* answered; a tuple is several results.

    Raises:
        Unfit: Something in it cannot cross.
    """
    values = answer if isinstance(answer, tuple) else (answer,)
    out = [_SIZE.pack(len(values))]
    for place, value in enumerate(values, 1):
        try:
            _write(out, value, 0)
        except _Wrong as wrong:
            which = "result" if len(values) == 1 else f"result {place}"
            raise Unfit(f"{called}: {which}{wrong.path} {wrong.what}") from None
    return b"".join(out)


def _write(out: list[bytes], value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise _Wrong(f"is nested deeper than {DEEPEST} levels")
    for kind, write in _WRITE:
        if isinstance(value, kind):
            write(out, value, depth)
            return
    raise _Wrong(f"is of type {_type_name(value)}, which cannot cross to Lua")


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _string(data: bytes) -> bytes:
    return b"s" + _SIZE.pack(len(data)) + data


def _write_text(out: list[bytes], value: str, _depth: int) -> None:
    try:
        out.append(_string(value.encode()))
    except UnicodeEncodeError:
        raise _Wrong("has a lone surrogate, which no text has") from None


def _write_integer(out: list[bytes], value: int, _depth: int) -> None:
    try:
        out.append(b"i" + _INTEGER.pack(value))
    except struct.error:
        raise _Wrong("is an integer of more than 64 bits") from None


def _write_list(out: list[bytes], value: list[Any] | tuple[Any, ...], depth: int) -> None:
    out.append(b"l" + _SIZE.pack(len(value)))
    for place, item in enumerate(value, 1):
        _write_item(out, item, place, depth)


def _write_map(out: list[bytes], value: dict[Any, Any], depth: int) -> None:
    # As in the body of a message, a field without a value is not there.
    items = [(key, item) for key, item in value.items() if item is not None]
    out.append(b"m" + _SIZE.pack(len(items)))
    for key, item in items:
        name = key.value if isinstance(key, enum.Enum) else key
        if not isinstance(name, str):
            raise _Wrong(f"has a key of type {_type_name(name)}; names are strings")
        out.append(_string(name.encode("utf-8", "replace"))[1:])
        _write_item(out, item, name, depth)


def _write_item(out: list[bytes], value: Any, key: str | int, depth: int) -> None:
    try:
        _write(out, value, depth + 1)
    except _Wrong as wrong:
        wrong.path = _step(key) + wrong.path
        raise


def _step(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if key.isidentifier() else f"[{key[:60]!r}]"


def _as_text(make: Callable[[Any], str]) -> Callable[[list[bytes], Any, int], None]:
    return lambda out, value, _depth: out.append(_string(make(value).encode()))


#: In this order: a boolean is an integer to Python, a moment is a day, and an Enum may be a string.
_WRITE: tuple[tuple[Any, Callable[[list[bytes], Any, int], None]], ...] = (
    (type(None), lambda out, _value, _depth: out.append(b"n")),
    (enum.Enum, lambda out, value, depth: _write(out, value.value, depth + 1)),
    (str, _write_text),
    (bool, lambda out, value, _depth: out.append(b"t" if value else b"f")),
    (int, _write_integer),
    (float, lambda out, value, _depth: out.append(b"d" + _FLOAT.pack(value))),
    (dict, _write_map),
    ((list, tuple), _write_list),
    ((bytes, bytearray), lambda out, value, _depth: out.append(_string(bytes(value)))),
    (decimal.Decimal, _as_text(str)),
    ((datetime.date, datetime.time), _as_text(lambda value: str(value.isoformat()))),
    (uuid.UUID, _as_text(str)),
)


# For people --------------------------------------------------------------------------------------

#: Characters of arguments that are shown.
_SHOWN = 200


class _Lenient(_Reader):
    """Reads any bytes as text."""

    def string(self) -> bytes:
        return super().string().decode("utf-8", "replace").encode()


def shown(data: bytes) -> str:
    """Return the arguments in *data* as a script would write them, cut where they are long."""
    reader = _Lenient(data)
    values = [reader.value(ANY) for _ in range(reader.size())]
    while values and values[-1] is None:
        values.pop()
    found = ", ".join("nil" if value is None else _lua(value) for value in values)
    return found if len(found) <= _SHOWN else f"{found[: _SHOWN - 1]}…"


def _lua(value: Any) -> str:
    if isinstance(value, dict):
        fields = (f"{_lua_key(key)} = {_lua(item)}" for key, item in sorted(value.items()))
        return f"{{ {', '.join(fields)} }}" if value else "{}"
    if isinstance(value, list):
        return f"{{ {', '.join(map(_lua, value))} }}" if value else "{}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None:
        return "json.null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lua_key(key: str) -> str:
    return key if key.isidentifier() else f"[{json.dumps(key, ensure_ascii=False)}]"
