"""The limits of a publish: the one place that says what a message may be, for every road in.

    message = built(Wanted(b'{"id":7}', {"source": "shop"}, {"ttl": 60}), now, "application/json")

Bodies are JSON texts, durations and moments are seconds; each road in converts its own forms first.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal, NamedTuple

from moonq import durations
from moonq.errors import Invalid
from moonq.model import NO_HEADERS, Message, Priority
from moonq.run.ids import new_id
from moonq.sandbox.bodies import Bodies
from moonq.text import suggestions
from moonq.text.json_in import parsed

#: Bytes of an id, a key, or a group: what any driver can carry as a name.
MAX_NAME = 255
#: Bytes of headers and of options that are read at all, whatever a queue takes.
MAX_HEADERS = 1024 * 1024
MAX_OPTIONS = 64 * 1024
MAX_DELAY = 365 * 86400.0
_SCALARS = (str, int, float)
_NUMBERS = (int, float)
#: How the names of our own headers begin.
OURS = "x_"
_DURATION = 'a duration is expected ("500ms", "5s", "1h30m" or seconds)'


class Wanted(NamedTuple):
    """A message to publish, not yet checked."""

    body: bytes
    """A JSON text; with *is_raw* bytes as they are to be kept."""
    headers: Mapping[str, Any] = {}
    options: Mapping[str, Any] = {}
    is_raw: bool = False
    crossed: Literal["", "plain", "long"] = ""
    """How it came from Lua, if so: what that wrote it can read, and what *is_raw* is a text. What
    is plain has few short headers and options, all of them scalars and texts."""
    headers_size: int | None = None
    """The bytes of the headers as JSON, where that is known."""

    def size(self) -> int:
        """Return the bytes of body and headers."""
        size = self.headers_size
        if size is None:
            size = len(_compact(self.headers)) if self.headers else 0
        return len(self.body) + size


def built(wanted: Wanted, now: float, content_type: str) -> Message:
    """Return the message that was wanted; its body and size are the queue's matter.

    Raises:
        Invalid: A header or an option is not what it may be.
    """
    headers, options = wanted.headers, wanted.options
    if wanted.crossed != "plain":
        _check_objects(headers, options)
        _check_headers(headers)
    elif headers:
        _check_names(headers)
    if headers:
        content_type = str(headers.get("content_type", content_type))
    else:
        headers = NO_HEADERS
    if not options:
        return Message(new_id(now), wanted.body, now, headers, content_type)
    known = _options(options, now).get
    return Message(
        known("id") or new_id(now),
        wanted.body,
        now,
        headers,
        content_type,
        known("priority", Priority.NORMAL),
        known("delay", known("at", 0.0)),
        known("ttl"),
        known("dedup_key"),
        known("group"),
    )


# Bodies -----------------------------------------------------------------------------------------


def check_body(body: bytes) -> None:
    """Refuse what no handler could be given.

    Raises:
        Invalid: Lua cannot decode it; says where.
    """
    fault = _bodies().fault(body)
    if fault is not None:
        raise Invalid(f"the body is not JSON: {fault}")


@cache
def _bodies() -> Bodies:
    return Bodies()


def raw_text(body: bytes) -> bytes:
    """Return the text in *body*, a JSON text: the codec `raw` keeps only text.

    Raises:
        Invalid: It is no text.
    """
    value = parsed(body)
    if not isinstance(value, str):
        raise Invalid(
            "the queue's codec is raw, so a body must be a string",
            hint="encode it yourself, or use the codec json",
        )
    return value.encode("utf-8", "surrogatepass")


# Headers ----------------------------------------------------------------------------------------


def _check_objects(headers: Any, options: Any) -> None:
    for what, value in (("headers", headers), ("options", options)):
        if type(value) is not dict and not isinstance(value, Mapping):
            raise Invalid(f"{what}: names and values expected, got {_kind(value)}")


def _check_headers(headers: Mapping[str, Any]) -> None:
    for name, value in sorted(headers.items()):
        fault = _header_fault(name, value)
        if fault:
            raise Invalid(f"headers: {_shown(name)}: {fault}")


def _check_names(headers: Mapping[str, Any]) -> None:
    """Check headers of which all else is known."""
    for name in headers:
        if name.startswith(OURS):
            _check_headers(headers)


def _header_fault(name: str, value: Any) -> str:
    if not _is_text(name) or (isinstance(value, str) and not _is_text(value)):
        return "valid UTF-8 expected"
    if name.startswith(OURS):
        return "names that begin with x_ belong to moonq"
    if not isinstance(value, _SCALARS):
        return f"string, number or boolean expected, got {_kind(value)}"
    if not isinstance(value, str) and not _is_plain_number(value):
        return "a finite number of at most 64 bits expected"
    return ""


# Options ----------------------------------------------------------------------------------------


def _options(options: Mapping[str, Any], now: float) -> dict[str, Any]:
    names = sorted(options) if len(options) > 1 else options
    given = {name: _option(name, options[name], now) for name in names}
    if "delay" in given and "at" in given:
        raise Invalid("options 'delay' and 'at' both say when; give one of them")
    return given


def _option(name: str, value: Any, now: float) -> Any:
    """Return what option *name* means; `at` as a delay."""
    read = _READERS.get(name)
    if read is None:
        close = suggestions.close(name, _READERS)
        known = f" (there are {', '.join(sorted(_READERS))})"
        hint = f", did you mean '{close[0]}'?" if close else known
        raise Invalid(f"unknown option {_shown(name)}{hint}")
    try:
        return read(value, now)
    except ValueError as problem:
        raise Invalid(f"option '{name}': {problem}") from None


def _name(value: Any, _now: float) -> str:
    if not isinstance(value, str):
        raise ValueError(f"string expected, got {_kind(value)}")
    if not _is_text(value):
        raise ValueError("valid UTF-8 expected")
    size = len(value.encode())
    if not 0 < size <= MAX_NAME:
        raise ValueError(f"1 to {MAX_NAME} bytes expected, got {size}")
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, str):
        return durations.parse(value)
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise ValueError(f"{_DURATION}, got {_kind(value)}")
    if not 0 <= value < durations.LONGEST:
        raise ValueError(f"{_DURATION}, got {_number(value)}")
    return float(value)


def _delay(value: Any, _now: float) -> float:
    seconds = _seconds(value)
    if seconds > MAX_DELAY:
        raise ValueError(f"at most 365 days expected, got {durations.show(seconds)}")
    return seconds


def _ttl(value: Any, _now: float) -> float:
    seconds = _seconds(value)
    if seconds == 0:
        raise ValueError("more than 0 seconds expected")
    return seconds


def _at(value: Any, now: float) -> float:
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise ValueError(f"seconds since 1970 expected, got {_kind(value)}")
    if not 0 <= value < durations.LONGEST:
        raise ValueError(f"seconds since 1970 expected, got {_number(value)}")
    return _delay(max(0.0, value - now), now)


def _priority(value: Any, _now: float) -> Priority:
    if not isinstance(value, str):
        raise ValueError(f"string expected, got {_kind(value)}")
    priority = _PRIORITIES.get(value)
    if priority is None:
        raise ValueError(f"one of {', '.join(_PRIORITIES)} expected, got {_shown(value)}")
    return priority


_PRIORITIES = {one.name.lower(): one for one in Priority}
_READERS: Mapping[str, Callable[[Any, float], Any]] = {
    "id": _name,
    "delay": _delay,
    "at": _at,
    "ttl": _ttl,
    "priority": _priority,
    "dedup_key": _name,
    "group": _name,
}


# Values -----------------------------------------------------------------------------------------


def _compact(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _is_text(value: str) -> bool:
    """Whether it can be written as UTF-8: JSON can escape halves of characters."""
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


def _is_plain_number(value: float) -> bool:
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return math.isfinite(value)


def _number(value: float) -> str:
    """Return a number as Lua shows it."""
    return f"{value:.14g}" if isinstance(value, float) else str(value)[:40]


def _shown(name: str) -> str:
    return f"'{name[:80].encode('utf-8', 'replace').decode()}'"


def _kind(value: Any) -> str:
    """Return what JSON calls a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, _NUMBERS):
        return "number"
    if isinstance(value, str):
        return "string"
    return "a list" if isinstance(value, list) else "an object"
