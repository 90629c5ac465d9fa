"""Messages as SQS carries them: the body as it is, all the rest as JSON in one attribute.

So anybody can read the body, and what anybody else sends is a message as well:

    MessageBody                     {"id": "task-123"}
    MessageAttributes.moonq         {"v":1,"id":"0190…","at":1700000000.0,"order":17…,"attempt":2}

A body that SQS would not take, for it is empty or has odd characters, travels as base64.
"""

from __future__ import annotations

import base64
import json
from types import MappingProxyType
from typing import Any, NamedTuple

from moonq.drivers.base import cut
from moonq.drivers.letters import (
    X_DEAD_LETTER_REASON,
    X_DEAD_LETTER_TIME,
    X_LAST_ERROR,
    X_ORIGINAL_QUEUE,
)
from moonq.drivers.sqs.bounds import is_plain
from moonq.drivers.sqs.names import of_arn
from moonq.drivers.story import FRESH, Story
from moonq.model import NO_HEADERS, ErrorRecord, Message, Scalar
from moonq.text.json_in import parsed

#: The attribute's name, and what it says it is; both count as bytes.
ATTRIBUTE = "moonq"
TYPE = "String"
USUAL_TYPE = "application/json"
VERSION = 1
#: Stands for a body of no bytes, which SQS refuses.
NOTHING = "(empty)"
_STORY = frozenset(("attempt", "interruptions", "snoozes", "lost_at", "errors"))


class _Types(dict[str, Any]):
    def __missing__(self, name: str) -> type:
        return object  # of a later version


#: What somebody else's attribute of our name most likely is not.
_TYPES = _Types(
    **dict.fromkeys(("id", "type", "dedup_key", "group", "encoding"), str),
    **dict.fromkeys(("order", "attempt", "interruptions", "snoozes"), int),
    **dict.fromkeys(("at", "delay", "ttl", "due", "ends", "lost_at"), (int, float)),
    headers=dict,
    errors=list,
)
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Parcel(NamedTuple):
    """A message and what happened to it, as it travels."""

    message: Message
    story: Story = FRESH
    order: int = 0
    """Where it stands among others, whatever way it came back: microseconds of its publish."""
    delay: float = 0.0
    """Seconds, from when it is sent, before which it may not run."""
    ttl: float | None = None
    """Seconds, from when it is sent, within which it must have started; None once it has."""
    due: float = 0.0
    """When that is over, in seconds since the epoch by the clock of SQS; 0: nobody said."""
    ends: float = 0.0
    """When the ttl is over, likewise."""
    native: str = ""
    """The queue from which SQS itself has moved it here, as a dead letter."""


class Packed(NamedTuple):
    """What is sent."""

    body: str
    attribute: str
    size: int
    """Bytes, as SQS counts them."""


def pack(parcel: Parcel, most: float) -> Packed:
    """Return *parcel* to be sent, its oldest errors left out until it has at most *most* bytes."""
    body, encoding = _body(parcel.message.body)
    fields = _fields(parcel, encoding)
    errors = list(parcel.story.errors)
    packed = _packed(body, fields, errors)
    while packed.size > most and len(errors) > 1:
        del errors[0]
        packed = _packed(body, fields, errors)
    while packed.size > most and errors:
        longest = max(len(errors[0].message), len(errors[0].traceback))
        if not longest:
            del errors[0]
        else:
            errors[0] = _shorter(errors[0], longest // 2)
        packed = _packed(body, fields, errors)
    return packed


def _shorter(error: ErrorRecord, most: int) -> ErrorRecord:
    if not most:
        return error._replace(message="", traceback="")
    return error._replace(message=cut(error.message, most), traceback=cut(error.traceback, most))


def _body(body: bytes) -> tuple[str, str]:
    if not body:
        return NOTHING, "empty"
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), "base64"
    if is_plain(text):
        return text, ""
    return base64.b64encode(body).decode(), "base64"


def _fields(parcel: Parcel, encoding: str) -> dict[str, Any]:
    """Return what the attribute says; what is as usual is left out."""
    message, story = parcel.message, parcel.story
    headers = dict(message.headers)
    if X_DEAD_LETTER_REASON in headers:
        headers.pop(X_LAST_ERROR, None)  # it is the text of the last error
    base = {"v": VERSION, "id": message.id, "at": message.published_at, "order": parcel.order}
    found = {
        "encoding": encoding,
        "headers": headers,
        "type": "" if message.content_type == USUAL_TYPE else message.content_type,
        "dedup_key": message.dedup_key,
        "group": message.group,
        "delay": parcel.delay,
        "due": parcel.due,
        "ends": parcel.ends,
        "attempt": story.attempt if story.attempt > 1 else 0,
        "interruptions": story.interruptions,
        "snoozes": story.snoozes,
    }
    some: dict[str, Any] = {name: value for name, value in found.items() if value}
    if parcel.ttl is not None:
        some["ttl"] = parcel.ttl
    if story.lost_at is not None:
        some["lost_at"] = story.lost_at
    return base | some


def _packed(body: str, fields: dict[str, Any], errors: list[ErrorRecord]) -> Packed:
    text = _encoder.encode({**fields, "errors": errors} if errors else fields)
    if not text.isascii() and not is_plain(text):
        text = json.dumps({**fields, "errors": errors}, separators=(",", ":"))
    size = _bytes(body) + len(ATTRIBUTE) + len(TYPE) + _bytes(text)
    return Packed(body, text, size)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


# Receiving ----------------------------------------------------------------------------------------


def unpack(raw: dict[str, Any]) -> Parcel:
    """Return what was received; a message that is not from moonq is one with attributes only."""
    attributes = raw.get("MessageAttributes") or {}
    text = attributes.get(ATTRIBUTE, {}).get("StringValue")
    fields = _parsed(text) if text else None
    if fields is None:
        return _foreign(raw, attributes)
    story = FRESH
    if not _STORY.isdisjoint(fields):
        story = Story(
            fields.get("attempt", 1),
            fields.get("interruptions", 0),
            fields.get("snoozes", 0),
            fields.get("lost_at"),
            tuple(ErrorRecord(*error) for error in fields.get("errors", ())),
        )
    headers = fields.get("headers")
    if headers is not None and X_DEAD_LETTER_REASON in headers:
        headers[X_LAST_ERROR] = story.errors[-1].message if story.errors else ""
    message = Message(
        fields["id"],
        _unbody(raw["Body"], fields.get("encoding", "")),
        fields["at"],
        NO_HEADERS if headers is None else MappingProxyType(headers),
        fields.get("type", USUAL_TYPE),
        dedup_key=fields.get("dedup_key"),
        group=fields.get("group"),
    )
    return Parcel(
        message,
        story,
        fields.get("order", 0),
        fields.get("delay", 0.0),
        fields.get("ttl"),
        fields.get("due", 0.0),
        fields.get("ends", 0.0),
        _native(raw) if headers is None or X_ORIGINAL_QUEUE not in headers else "",
    )


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        fields = parsed(text)
    except ValueError:
        return None
    if not isinstance(fields, dict) or not fields.keys() >= {"id", "at"}:
        return None
    is_ours = all(map(isinstance, fields.values(), map(_TYPES.__getitem__, fields)))
    return fields if is_ours else None


def _unbody(text: str, encoding: str) -> bytes:
    if encoding == "empty":
        return b""
    return base64.b64decode(text) if encoding == "base64" else text.encode()


def _foreign(raw: dict[str, Any], attributes: dict[str, Any]) -> Parcel:
    """Return a message of somebody else's: its attributes are its headers."""
    system = raw.get("Attributes") or {}
    sent = int(system.get("SentTimestamp", 0))
    headers = {
        name: _value(one)
        for name, one in attributes.items()
        if name != ATTRIBUTE and "StringValue" in one and not name.startswith("x_")
    }
    group = system.get("MessageGroupId")
    message = Message(
        raw["MessageId"], raw["Body"].encode(), sent / 1000, MappingProxyType(headers), group=group
    )
    return Parcel(message, order=sent * 1000, native=_native(raw))


def _native(raw: dict[str, Any]) -> str:
    arn = (raw.get("Attributes") or {}).get("DeadLetterQueueSourceArn")
    return of_arn(arn) if arn else ""


def _value(attribute: dict[str, Any]) -> Scalar:
    text: str = attribute["StringValue"]
    if attribute.get("DataType", "").partition(".")[0] != "Number":
        return text
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def of_native(message: Message, origin: str, now: float) -> Message:
    """Return a dead letter that SQS itself has moved, dressed as ours are."""
    headers: dict[str, Scalar] = dict(message.headers)
    headers[X_ORIGINAL_QUEUE] = origin
    headers[X_DEAD_LETTER_REASON] = "interrupted"
    headers[X_DEAD_LETTER_TIME] = now
    headers[X_LAST_ERROR] = "SQS moved it here: it was received too often without an end"
    return message._replace(headers=MappingProxyType(headers))
