"""Queues, consumers and messages as plain data, for people and programs alike.

Keys are only ever added. A number that is not known is absent, never zero.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from typing import Any

from moonq.errors import MoonqError
from moonq.model import ErrorRecord, Stored
from moonq.text.json_in import parsed

REDACTED = "[redacted]"
#: Bytes of one body that are shown unless all of it is asked for.
SHOWN = 16 * 1024
_FRAME = re.compile(r"(?P<place>\S[^\n]*?:\d+): in ")
_PLACE = re.compile(r"(?P<place>\S+?:\d+): ")


def message_object(
    stored: Stored, now: float, *, full: bool = False, hidden: Collection[str] = ()
) -> dict[str, Any]:
    """Return one message as it lies in its queue, its fields called like *hidden* covered."""
    message = stored.message
    found: dict[str, Any] = {
        "id": message.id,
        "state": stored.state,
        "attempt": stored.attempt,
        "interruptions": stored.interruptions,
        "published_at": message.published_at,
        "age": max(0.0, now - message.published_at),
        "size": len(message.body),
        "headers": covered(dict(message.headers), hidden),
        "priority": message.priority.name.lower(),
        **body_object(message.body, full=full, hidden=hidden),
    }
    if message.group is not None:
        found["group"] = message.group
    if stored.due is not None:
        found["due"] = stored.due
    if stored.errors:
        found["errors"] = [record_object(record) for record in stored.errors]
    return found


def body_object(body: bytes, *, full: bool = False, hidden: Collection[str] = ()) -> dict[str, Any]:
    """Return a body as `body` (JSON), `text`, or `base64`; `cut` says that it is not the whole."""
    if len(body) > SHOWN and not full:
        # A part of a JSON text is no JSON, and may hold what is to be hidden.
        return {"cut": True} if hidden else {"text": _text(body[:200]), "cut": True}
    try:
        return {"body": covered(parsed(body), hidden)}
    except ValueError:
        pass
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _text(body: bytes) -> str:
    return body.decode("utf-8", "ignore")


def covered(value: Any, hidden: Collection[str]) -> Any:
    """Return *value* with the fields called like one of *hidden* covered, however deep they lie."""
    if not hidden:
        return value
    if isinstance(value, dict):
        return {
            key: REDACTED if key in hidden else covered(item, hidden) for key, item in value.items()
        }
    if isinstance(value, list):
        return [covered(item, hidden) for item in value]
    return value


def error_object(problem: MoonqError) -> dict[str, Any]:
    """Return *problem* with all that tells a program what to do about it."""
    return {
        "type": type(problem).__name__,
        "kind": problem.kind,
        "message": problem.message,
        "hint": problem.hint,
        "retryable": problem.retryable,
    }


def record_object(record: ErrorRecord) -> dict[str, Any]:
    """Return one failed attempt."""
    return {
        "time": record.time,
        "kind": record.kind,
        "message": record.message,
        "where": where(record),
        "traceback": record.traceback,
    }


def where(record: ErrorRecord) -> str:
    """Return the innermost place of the script that failed, such as ``pay.lua:31``, or nothing."""
    found = _FRAME.match(record.traceback) or _PLACE.match(record.message)
    return found["place"] if found else ""


def words(record: ErrorRecord) -> str:
    """Return what went wrong without its place."""
    found = _PLACE.match(record.message)
    text = record.message[found.end() :] if found else record.message
    return text if record.kind == "UNKNOWN" else f"{record.kind} {text}"
