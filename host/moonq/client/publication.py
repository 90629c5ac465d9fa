"""A message of a program, and how it travels."""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypedDict

from moonq.errors import Invalid
from moonq.run.ids import new_id
from moonq.text.json_in import MAX_DEPTH

#: Any JSON value; bytes go as they are: JSON text, or anything for a queue whose codec is `raw`.
Body = None | str | int | float | bool | list[Any] | tuple[Any, ...] | dict[str, Any] | bytes
Header = str | int | float | bool
#: Seconds, or a text such as ``"500ms"``, ``"5m"``, ``"1h30m"``.
Duration = float | str | timedelta
#: Seconds since the epoch, or a datetime, which without a zone is local time.
Moment = float | datetime


class Options(TypedDict, total=False):
    """What may be said about a message beside its body and headers."""

    id: str
    """The message's id; without one a new UUIDv7."""
    delay: Duration
    """Not before so long from now, at most 365 days."""
    at: Moment
    """Not before this moment."""
    ttl: Duration
    """How long it may wait for its first start."""
    priority: Literal["low", "normal", "high"]
    dedup_key: str
    """A second publish with it answers the first's id."""
    group: str
    """Messages of a group run one by one, in order."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One of many messages."""

    body: Body
    headers: Mapping[str, Header] = field(default_factory=dict)
    options: Options = field(default_factory=Options)


def frame(message: Publication) -> dict[str, Any]:
    """Return a message as the socket takes it.

    Raises:
        Invalid: Its body is no JSON value; names the place inside.
    """
    options = {name: _plain(value) for name, value in message.options.items() if value is not None}
    # With an id of ours a message is known even if its answer is lost.
    options.setdefault("id", new_id(time.time()))
    _check(dict(message.headers), "headers")
    _check(options, "options")
    more = {"headers": dict(message.headers), "options": options}
    if isinstance(message.body, bytes):
        return {"base64": base64.b64encode(message.body).decode("ascii"), **more}
    return {"json": _as_json(message.body), **more}


def _check(value: Any, name: str) -> None:
    if fault := _fault(value, name, frozenset()):
        raise Invalid(fault)


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.timestamp() if isinstance(value, datetime) else value


def _as_json(body: Any) -> str:
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as problem:
        raise Invalid(_fault(body, "body", frozenset()) or f"body: {problem}") from None


def _fault(value: Any, path: str, around: frozenset[int]) -> str:
    """Say which value inside is none that JSON can carry; nothing where all are."""
    if isinstance(value, dict | list | tuple):
        return _fault_inside(value, path, around)
    if isinstance(value, float) and not math.isfinite(value):
        return f"{path} is {value}, which JSON does not have"
    if value is None or isinstance(value, str | int | float):
        return ""
    return f"{path} is a {type(value).__name__}, which JSON does not have"


def _fault_inside(value: Any, path: str, around: frozenset[int]) -> str:
    if id(value) in around:
        return f"{path} contains itself"
    if len(around) == MAX_DEPTH:
        return f"{path[:40]}… is nested deeper than {MAX_DEPTH} levels"
    is_dict = isinstance(value, dict)
    for key, inner in value.items() if is_dict else enumerate(value):
        if is_dict and not isinstance(key, str | int | float | None):
            return f"{path} has a {type(key).__name__} as a key"
        step = f"{path}.{key}" if is_dict else f"{path}[{key}]"
        if fault := _fault(inner, step, around | {id(value)}):
            return fault
    return ""
