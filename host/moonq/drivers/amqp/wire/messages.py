"""What travels: messages out and in, their properties, and how deliveries are settled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Properties(NamedTuple):
    """The fourteen properties of AMQP 0-9-1; None: not there, which is not the same as empty."""

    content_type: str | None = None
    content_encoding: str | None = None
    headers: Mapping[str, Any] | None = None
    delivery_mode: int | None = None
    """2: outlives a restart of the broker; 1: need not."""
    priority: int | None = None
    correlation_id: str | None = None
    reply_to: str | None = None
    expiration: str | None = None
    """Milliseconds, written in digits."""
    message_id: str | None = None
    timestamp: int | None = None
    """Whole seconds since 1970, up to 2^64 - 1; some publishers write milliseconds there."""
    type: str | None = None
    user_id: str | None = None
    app_id: str | None = None
    cluster_id: str | None = None


class Outgoing(NamedTuple):
    """A message to publish; what no queue takes comes back when it is *mandatory*."""

    exchange: str
    key: str
    properties: Properties
    body: bytes
    mandatory: bool = True


class Incoming(NamedTuple):
    """A message that was delivered or got, to be settled by its *tag* on its channel."""

    tag: int
    redelivered: bool
    exchange: str
    key: str
    properties: Properties
    body: bytes
    consumer: str = ""
    count: int = 0  # type: ignore[assignment]  # tuples have a method of that name
    """How many are left in the queue; only of one that was got."""
    fault: str = ""
    """Why its properties could not be read, which are empty then: a broker passes on anything."""


class Returned(NamedTuple):
    """A mandatory message that no queue takes; its confirm comes after it."""

    code: int
    text: str
    exchange: str
    key: str
    properties: Properties
    body: bytes


class Settle(NamedTuple):
    """The end of a delivery, or with *multiple* of all open ones up to its tag, which is open."""

    tag: int
    multiple: bool = False
    is_ack: bool = True
    requeue: bool = True
    """What a nack does: back into the queue, or to its dead letters."""
