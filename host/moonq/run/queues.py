"""Publish into and look at any queue, whatever its driver."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moonq.clock import Clock
from moonq.drivers.base import Driver
from moonq.errors import Invalid, QueueError, QueueNotFound, TooLarge
from moonq.metrics import Metrics
from moonq.model import (
    NO_HEADERS,
    Headers,
    Message,
    Priority,
    QueueInfo,
    QueueSpec,
    Receipt,
)
from moonq.run.ids import new_id
from moonq.text import suggestions

DEFAULT_MAX_BODY = 256 * 1024
MAX_DELAY = 365 * 86400.0
_OPTIONS = {"id", "delay", "at", "ttl", "priority", "dedup_key", "group"}


@dataclass(slots=True)
class Traffic:
    """What came into a queue since the start; counted without a lock, so nearly exact."""

    published: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """Where a queue's messages go: its driver and its name there."""

    id: str
    driver: Driver
    spec: QueueSpec
    decodes: bool = True
    publish_timeout: float = 5.0
    max_body: int = DEFAULT_MAX_BODY
    content_type: str = "application/json"
    traffic: Traffic = field(default_factory=Traffic, compare=False)


class Queues:
    """All queues of a host by their id."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._routes: dict[str, Route] = {}
        self._by_bytes: dict[bytes, Route] = {}

    def add(self, *routes: Route) -> None:
        """Make queues known; their driver has declared them."""
        for route in routes:
            before = self._routes.get(route.id)
            if before is not None:
                route.traffic.published = before.traffic.published
            self._routes[route.id] = route
            self._by_bytes[route.id.encode()] = route

    def remove(self, queue_id: str) -> None:
        """Forget a queue; its messages stay with the driver."""
        self._routes.pop(queue_id, None)
        self._by_bytes.pop(queue_id.encode(), None)

    @property
    def published(self) -> int:
        """Grows with every publish; two equal readings mean that none came between."""
        return sum(route.traffic.published for route in tuple(self._routes.values()))

    def traffic(self) -> dict[str, int]:
        """Return how much was published since the start, by queue."""
        return {route.id: route.traffic.published for route in tuple(self._routes.values())}

    def ids(self) -> list[str]:
        """Return the ids of all queues, sorted."""
        return sorted(self._routes)

    def route(self, queue_id: str) -> Route:
        """Return where *queue_id* leads.

        Raises:
            QueueNotFound: With what was probably meant.
        """
        route = self._routes.get(queue_id)
        if route is None:
            close = suggestions.close(queue_id, self._routes)
            hint = f"did you mean {close[0]!r}?" if close else ""
            shown = f"; {hint}" if hint else ""
            raise QueueNotFound(f"queue {queue_id!r} does not exist{shown}", hint=hint)
        return route

    def publish(
        self,
        queue_id: bytes,
        body: bytes,
        headers: bytes = b"",
        options: bytes = b"",
        *,
        may_wait: bool = True,
    ) -> str:
        """Publish *body* (a JSON text; a string where the codec is raw) and return its id.

        Headers and options are JSON objects, or empty; durations are seconds.

        Raises:
            QueueError: It was refused, or is not surely stored; its kind says which.
        """
        route = self._by_bytes.get(queue_id)
        if route is None:
            route = self.route(queue_id.decode("utf-8", "replace"))
        message = self._encoded(route, body, headers, options)
        route.traffic.published += 1
        answer = route.driver.publish(
            route.spec.name, (message,), route.publish_timeout, may_wait=may_wait
        )[0]
        if isinstance(answer, QueueError):
            raise answer
        observer = self._metrics.observer
        if observer is not None and not answer.duplicate:
            observer.published(route.id, message)
        return answer.id

    def publish_batch(
        self, queue_id: str, items: Sequence[Mapping[str, Any]], *, may_wait: bool = True
    ) -> list[str | QueueError]:
        """Publish many `{body, headers?, options?}` and answer for each: its id, or the error."""
        route = self.route(queue_id)
        messages = [_attempt(self._checked, route, item) for item in items]
        return self._store(route, messages, may_wait)

    def publish_many(
        self, queue_id: str, parts: Sequence[bytes], *, may_wait: bool = True
    ) -> list[str | QueueError]:
        """Publish messages given as body, headers and options in turn; see `publish`."""
        route = self.route(queue_id)
        triples = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
        return self._store(
            route, [_attempt(self._encoded, route, *triple) for triple in triples], may_wait
        )

    def _store(
        self, route: Route, messages: list[Message | QueueError], may_wait: bool
    ) -> list[str | QueueError]:
        """Hand over what is a message, and answer for each."""
        accepted = [message for message in messages if isinstance(message, Message)]
        if not accepted:
            return [message for message in messages if isinstance(message, QueueError)]
        route.traffic.published += len(accepted)
        stored = route.driver.publish(
            route.spec.name, accepted, route.publish_timeout, may_wait=may_wait
        )
        self._tell(route, accepted, stored)
        receipts = iter(stored)
        return [
            _id(next(receipts)) if isinstance(message, Message) else message for message in messages
        ]

    def check_batch(
        self, queue_id: str, items: Sequence[Mapping[str, Any]]
    ) -> list[str | QueueError]:
        """Answer as `publish_batch` would where the queue takes everything; publish nothing."""
        route = self.route(queue_id)
        answers: list[str | QueueError] = []
        for item in items:
            try:
                answers.append(self._checked(route, item).id)
            except QueueError as problem:
                answers.append(problem)
        return answers

    def _tell(
        self, route: Route, messages: Sequence[Message], answers: Sequence[Receipt | QueueError]
    ) -> None:
        observer = self._metrics.observer
        if observer is not None:
            for message, answer in zip(messages, answers, strict=True):
                if isinstance(answer, Receipt) and not answer.duplicate:
                    observer.published(route.id, message)

    def _encoded(self, route: Route, body: bytes, headers: bytes, options: bytes) -> Message:
        if not route.decodes:
            body = _raw(body)
        if len(body) + len(headers) > route.max_body:
            raise _too_large(route, len(body) + len(headers))
        if headers or options:
            return self._message(route, body, _object(headers), _object(options))
        now = self._clock.now()
        return Message(new_id(now), body, now, NO_HEADERS, route.content_type)

    def _checked(self, route: Route, item: Mapping[str, Any]) -> Message:
        body = _body(route, item)
        headers = item.get("headers") or {}
        message = self._message(route, body, headers, item.get("options") or {})
        size = len(body) + (len(json.dumps(headers)) if headers else 0)
        if size > route.max_body:
            raise _too_large(route, size)
        return message

    def _message(
        self,
        route: Route,
        body: bytes,
        headers: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> Message:
        for key in options:
            if key not in _OPTIONS:
                known = ", ".join(sorted(_OPTIONS))
                raise Invalid(f"unknown publish option {key!r}; there are {known}")
        now = self._clock.now()
        return Message(
            id=_message_id(options.get("id"), now),
            body=body,
            published_at=now,
            headers=_headers(headers),
            content_type=str(headers.get("content_type", route.content_type)),
            priority=_priority(options.get("priority", "normal")),
            delay=_delay(options, now),
            ttl=_seconds("ttl", options["ttl"]) if "ttl" in options else None,
            dedup_key=_key("dedup_key", options.get("dedup_key")),
            group=_key("group", options.get("group")),
        )

    def info(self, queue_id: str) -> QueueInfo:
        """Count the messages of a queue by state."""
        route = self.route(queue_id)
        return route.driver.info(route.spec.name)


def info_object(info: QueueInfo) -> dict[str, int | float | bool]:
    """Return *info* as people read it; what the broker cannot give is absent, never zero."""
    values = {
        "ready": info.ready,
        "delayed": info.delayed,
        "leased": info.leased,
        "running": info.running,
        "dead": info.dead,
        "message_count": info.message_count,
        "consumer_count": info.consumer_count,
        "oldest_age": info.oldest_age,
        "paused": info.paused,
    }
    return {key: value for key, value in values.items() if value is not None}


def _id(answer: Any) -> str | QueueError:
    return answer if isinstance(answer, QueueError) else answer.id


def _attempt(make: Callable[..., Message], *arguments: Any) -> Message | QueueError:
    try:
        return make(*arguments)
    except QueueError as problem:
        return problem


def _too_large(route: Route, size: int) -> TooLarge:
    return TooLarge(
        f"the message has {size} bytes with headers; {route.id!r} takes {route.max_body}",
        hint="publish a reference to the data, or raise `max_body` of the queue",
    )


def _body(route: Route, item: Mapping[str, Any]) -> bytes:
    """Return the bytes of an item: `bytes` as they are, `body` as the codec has it."""
    if "bytes" in item:
        return bytes(item["bytes"])
    body: bytes = item["body"].encode() if isinstance(item["body"], str) else item["body"]
    return body if route.decodes else _raw(body)


def _raw(body: bytes) -> bytes:
    """Return the text in *body*, which Lua wrote as JSON: the codec `raw` keeps only text."""
    value = json.loads(body)
    if not isinstance(value, str):
        raise Invalid(
            "the queue's codec is raw, so a body must be a string",
            hint="encode it yourself, or use the codec json",
        )
    return value.encode("utf-8", "surrogatepass")


def _object(text: bytes) -> dict[str, Any]:
    value = json.loads(text) if text else {}
    if not isinstance(value, dict):
        raise Invalid("headers and options must be objects")
    return value


def _headers(headers: Mapping[str, Any]) -> Headers:
    for name, value in headers.items():
        if name.startswith("x_"):
            raise Invalid(f"header {name!r}: names that begin with x_ belong to moonq")
        if not isinstance(value, str | int | float | bool):
            raise Invalid(f"header {name!r} must be a string, a number or a boolean")
    return headers or NO_HEADERS


def _message_id(value: Any, now: float) -> str:
    if value is None:
        return new_id(now)
    if not isinstance(value, str) or not 0 < len(value) <= 255:
        raise Invalid("option 'id' must be a string of 1 to 255 characters")
    return value


def _priority(name: Any) -> Priority:
    try:
        return Priority[name.upper()]
    except (KeyError, AttributeError):
        raise Invalid(f"option 'priority': low, normal or high expected, got {name!r}") from None


def _seconds(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Invalid(f"option {name!r}: seconds expected, got {value!r}")
    if value < 0:
        raise Invalid(f"option {name!r} must not be negative, got {value!r}")
    return float(value)


def _delay(options: Mapping[str, Any], now: float) -> float:
    if "delay" in options and "at" in options:
        raise Invalid("give either 'delay' or 'at', not both")
    if "at" in options:
        delay = max(0.0, _seconds("at", options["at"]) - now)
    else:
        delay = _seconds("delay", options.get("delay", 0))
    if delay > MAX_DELAY:
        raise Invalid("a message can wait 365 days at most")
    return delay


def _key(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= 255:
        raise Invalid(f"option {name!r} must be a string of 1 to 255 characters")
    return value
