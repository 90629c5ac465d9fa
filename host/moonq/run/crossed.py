"""Messages as they cross from Lua: plain arguments, which cost less than texts that are read.

    body, is_text, headers, options, name, value, name, value, ...

A string crosses as it is (`is_text`), any other body as the JSON text that Lua has written.
`headers` and `options` count the names that follow; -1 says that one JSON text follows instead,
for what is long or not plain (see `lua/run/publishing.lua`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any, Final

from moonq.errors import Invalid, QueueError
from moonq.run.publishing import MAX_HEADERS, MAX_OPTIONS, Wanted

#: More bytes than plain headers have as JSON: 16 names and values of 256 bytes, all escaped.
PLAIN_HEADERS: Final = 16 * 2 * 256 * 6 + 16 * 16
#: Arguments before the names and values.
_HEAD = 4
_NOTHING: Mapping[str, Any] = {}


def wanted(
    body: bytes, is_text: bool = False, headers: int = 0, options: int = 0, *pairs: Any
) -> Wanted:
    """Return one message.

    Raises:
        Invalid: Its headers or options are longer than any are.
    """
    end = _width(headers)
    return Wanted(
        body,
        _mapping("headers", headers, pairs[:end], MAX_HEADERS) if headers else _NOTHING,
        _mapping("options", options, pairs[end:], MAX_OPTIONS) if options else _NOTHING,
        is_text,
        "long" if headers < 0 or options < 0 else "plain",
        len(pairs[0]) if headers < 0 else None,
    )


def bare(parts: Sequence[Any]) -> Iterator[tuple[bytes, bool]]:
    """Return bodies, and whether each is a text: many messages that have no more cross as these."""
    return zip(parts[::2], parts[1::2], strict=True)


def several(parts: Sequence[Any], are_bare: bool) -> Iterator[Wanted | QueueError]:
    """Return many messages, one behind the other, or what is wrong with them."""
    if are_bare:
        yield from (wanted(body, is_text) for body, is_text in bare(parts))
        return
    at, size = 0, len(parts)
    while at < size:
        end = at + _HEAD + _width(parts[at + 2]) + _width(parts[at + 3])
        try:
            yield wanted(*parts[at:end])
        except QueueError as refusal:
            yield refusal
        at = end


def _width(count: int) -> int:
    return 1 if count < 0 else 2 * count


def _mapping(what: str, count: int, parts: Sequence[Any], most: int) -> Mapping[str, Any]:
    if count < 0:
        text = parts[0]
        if len(text) > most:
            raise Invalid(f"the {what} have {len(text)} bytes, more than {most}")
        read: Mapping[str, Any] = json.loads(text)
        return read
    found: dict[str, Any] = {}
    for at in range(0, 2 * count, 2):
        value = parts[at + 1]
        found[parts[at].decode()] = value.decode() if type(value) is bytes else value
    return found


def as_json(text: bytes) -> bytes:
    """Return a body that crossed as a text as Lua would have written it.

    Raises:
        Invalid: It is not UTF-8.
    """
    return encode_basestring(checked(text)).encode()


def checked(text: bytes) -> str:
    """Return a body that crossed as a text.

    Raises:
        Invalid: It is not UTF-8.
    """
    try:
        return text.decode()
    except UnicodeDecodeError as problem:
        words = f"body is not valid UTF-8 (byte {problem.start + 1})"
        raise Invalid(words) from None
