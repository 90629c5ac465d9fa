"""Messages as rows of the table `msg`, there and back."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from moonq.drivers.weight import OVERHEAD
from moonq.model import NO_HEADERS, Headers, Message, Priority

if TYPE_CHECKING:
    from collections.abc import Sequence

USUAL_TYPE = "application/json"
_PRIORITIES = tuple(Priority)

#: What makes a message again, in the order of `message`; the body comes last.
MESSAGE = "pri, mid, grp, pub, ctype, hdr, dkey, body"
#: The same without the body, which may be large.
ENVELOPE = "pri, mid, grp, pub, ctype, hdr, dkey, x''"

#: The columns of a published message, in the order of `published`.
PUBLISHED = "q, state, sess, pri, pos, due, exp, mid, grp, pub, ctype, hdr, dkey, body"
Values = tuple[Any, ...]


def published(
    queue: int,
    state: int,
    pos: float,
    due: float | None,
    exp: float | None,
    message: Message,
    session: int | None = None,
) -> Values:
    """Return a row's values for `PUBLISHED`; one that is leased at once names its session."""
    return (
        queue,
        state,
        session,
        int(message.priority),
        pos,
        due,
        exp,
        message.id,
        message.group,
        message.published_at,
        None if message.content_type == USUAL_TYPE else message.content_type,
        headers_text(message.headers) if message.headers else None,
        message.dedup_key,
        message.body,
    )


def weighed(values: Values) -> int:
    """Return what a row of these `PUBLISHED` values weighs, as the triggers of the file have it."""
    *_, headers, _, body = values
    return OVERHEAD + len(body) + (len(headers) if headers else 0)


def message(values: Sequence[Any]) -> Message:
    """Return the message whose columns `MESSAGE` are *values*."""
    pri, mid, grp, pub, ctype, hdr, dkey, body = values
    return Message(
        mid,
        body,
        pub,
        NO_HEADERS if hdr is None else _headers(hdr),
        USUAL_TYPE if ctype is None else ctype,
        _PRIORITIES[pri],
        0.0,
        None,
        dkey,
        grp,
    )


def as_stored(message: Message) -> Message:
    """Return *message* as it would come out of its row, where times are moments."""
    if message.ttl is None and message.delay == 0:
        return message
    return message._replace(ttl=None, delay=0.0)


def headers_text(headers: Headers) -> str:
    """Return *headers* as they are stored."""
    return json.dumps(dict(headers))


def _headers(text: str) -> Headers:
    return MappingProxyType(json.loads(text))
