"""A message as AMQP carries it: any client reads ours, and we read that of any client.

Body, content type, id and priority are where AMQP has a place for them; so are the well-known
headers (`correlation_id`, `reply_to`, `message_type`, `source`). Other headers are headers. What
moonq adds begins with `x-mq-`; whatever a broker wrote into the headers of a message on its way is
taken off when it is published again, because RabbitMQ drops a message for which it finds there that
it has been here before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from moonq.drivers.amqp.wire.messages import Incoming, Properties
from moonq.drivers.letters import X_DEAD_LETTER_REASON, X_ORIGINAL_QUEUE
from moonq.drivers.story import Story, errors, errors_text
from moonq.model import Headers, Message, Priority, Scalar

OURS = "x-mq-"
PUBLISHED, DELAY, TTL, EXPIRES, GROUP = (
    f"{OURS}{name}" for name in ("published", "delay", "ttl", "expires", "group")
)
ATTEMPT, INTERRUPTIONS, SNOOZES, LOST_AT, ERRORS = (
    f"{OURS}{name}" for name in ("attempt", "interruptions", "snoozes", "lost-at", "errors")
)
RUN = f"{OURS}run"
"""Names a run that begins with this copy: delivered once more, that run ended without a verdict."""
#: A header of a publisher's that would mean something to a broker travels behind this.
_ESCAPE = f"{OURS}h-"
_BROKER = ("x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count")
_BROKER_READS = frozenset(("CC", "BCC"))
#: Our names of what AMQP has a property for: texts of up to 255 bytes.
PROPERTIES = {
    "correlation_id": "correlation_id",
    "reply_to": "reply_to",
    "message_type": "type",
    "source": "app_id",
    "content_encoding": "content_encoding",
}
_STORY = (ATTEMPT, INTERRUPTIONS, SNOOZES, LOST_AT, ERRORS, RUN)
_SHORT = 255
_TWO63 = 1 << 63
#: The reasons of dead letters that a broker makes, and ours.
_REASONS = {
    "delivery_limit": "interrupted",
    "expired": "expired",
    "maxlen": "max_length",
    "rejected": "rejected",
}


def pack(
    message: Message, story: Story | None = None, *, expires: float | None = None, durable: bool
) -> Properties:
    """Return *message* as properties, with what happened to it so far."""
    headers: dict[str, Any] = {PUBLISHED: message.published_at}
    found: dict[str, str] = {}
    for name, value in message.headers.items():
        place = PROPERTIES.get(name)
        if place is not None and isinstance(value, str) and len(value.encode()) <= _SHORT:
            found[place] = value
        else:
            headers[_escaped(name)] = value
    if message.delay > 0:
        headers[DELAY] = message.delay
    if message.ttl is not None:
        headers[TTL] = message.ttl
    if expires is not None:
        headers[EXPIRES] = expires
    if message.group is not None:
        headers[GROUP] = message.group
    if story is not None:
        headers |= _told(story)
    return Properties(
        content_type=message.content_type,
        headers=headers,
        delivery_mode=2 if durable else 1,
        priority=int(message.priority),
        message_id=message.id,
        timestamp=max(0, int(message.published_at)),
        **found,
    )


def unpack(
    incoming: Incoming, now: Callable[[], float], queue: Callable[[str], str] = str
) -> tuple[Message, Story, float | None]:
    """Return the message, what happened to it so far, and by when it must have started.

    *queue* gives our name for one of the broker's.
    """
    properties = incoming.properties
    raw = properties.headers or {}
    published = raw.get(PUBLISHED)
    if not isinstance(published, float):
        published = float(properties.timestamp) if properties.timestamp else now()
    message = Message(
        properties.message_id or _made_up(incoming),
        incoming.body,
        published,
        MappingProxyType(_headers(properties, raw, queue)),
        properties.content_type or "application/json",
        _priority(properties.priority),
        _number(raw, DELAY) or 0.0,
        _number(raw, TTL),
        None,
        raw.get(GROUP),
    )
    if len(raw) == 1:
        return message, _FRESH, None
    story = Story(
        int(_number(raw, ATTEMPT) or 1),
        int(_number(raw, INTERRUPTIONS) or 0),
        int(_number(raw, SNOOZES) or 0),
        _number(raw, LOST_AT),
        errors(raw.get(ERRORS)),
    )
    return message, story, _number(raw, EXPIRES)


def renewed(
    properties: Properties, story: Story, *, run: str | None = None, started: bool = True
) -> Properties:
    """Return the properties of the copy that is to follow a delivery.

    It has *story*, names the *run* that begins with it, and does not expire any more where it has
    *started*.
    """
    raw = properties.headers or {}
    gone = (*_STORY, EXPIRES) if started else _STORY
    headers = {
        name: value
        for name, value in raw.items()
        if name not in gone and not name.startswith(_BROKER) and name not in _BROKER_READS
    }
    headers |= _told(story)
    if run is not None:
        headers[RUN] = run
    return properties._replace(
        headers=headers, expiration=None, user_id=None, delivery_mode=properties.delivery_mode or 2
    )


_FRESH = Story()


def _told(story: Story) -> dict[str, Any]:
    """Return what is not as it was at the first publish."""
    told: dict[str, Any] = {}
    if story.attempt != 1:
        told[ATTEMPT] = story.attempt
    if story.interruptions:
        told[INTERRUPTIONS] = story.interruptions
    if story.snoozes:
        told[SNOOZES] = story.snoozes
    if story.lost_at is not None:
        told[LOST_AT] = story.lost_at
    if story.errors:
        told[ERRORS] = errors_text(story.errors)
    return told


def _escaped(name: str) -> str:
    return f"{_ESCAPE}{name}" if name.startswith("x-") or name in _BROKER_READS else name


def _headers(
    properties: Properties, raw: Mapping[str, Any], queue: Callable[[str], str]
) -> Headers:
    headers: dict[str, Scalar] = {}
    for name, value in raw.items():
        if name.startswith(_ESCAPE):
            headers[name.removeprefix(_ESCAPE)] = value
        elif name.startswith(OURS) or name.startswith(_BROKER):
            continue
        elif isinstance(value, str | int | float):
            headers[name] = value
        elif value is not None:
            headers[name] = _as_text(value)
    for name, place in PROPERTIES.items():
        value = getattr(properties, place)
        if value is not None:
            headers[name] = value
    if X_ORIGINAL_QUEUE not in raw and (deaths := raw.get("x-death")):
        headers |= _buried(deaths, queue)
    return headers


def _buried(deaths: Any, queue: Callable[[str], str]) -> Headers:
    """Return what a dead letter wears that the broker made itself; levels of the ladder do not."""
    from moonq.drivers.amqp.ladder import NAME

    for death in deaths if isinstance(deaths, list) else ():
        if not isinstance(death, dict) or str(death.get("queue", "")).startswith(NAME):
            continue
        reason = _REASONS.get(str(death.get("reason")))
        if reason is not None:
            return {X_ORIGINAL_QUEUE: queue(str(death["queue"])), X_DEAD_LETTER_REASON: reason}
    return {}


def _as_text(value: Any) -> str:
    """Return a value that other clients may send, and a header of ours cannot be."""
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode(errors="replace")
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, default=str)


def _number(raw: Mapping[str, Any], name: str) -> float | None:
    value = raw.get(name)
    return value if isinstance(value, int | float) else None


def _priority(number: int | None) -> Priority:
    if number is None:
        return Priority.NORMAL
    return Priority(min(max(number, 0), int(Priority.HIGH)))


def _made_up(incoming: Incoming) -> str:
    """Return an id for a message that came without one: the same each time it is delivered."""
    digest = hashlib.blake2b(incoming.body, digest_size=16)
    digest.update(repr(incoming.properties.timestamp).encode())
    return digest.hexdigest()
