"""Publish into and look at any queue, whatever its driver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from moonq.clock import Clock
from moonq.drivers.base import Driver, Put
from moonq.errors import Invalid, QueueError, QueueNotFound, TooLarge
from moonq.metrics import Metrics
from moonq.model import NO_HEADERS, Message, QueueInfo, QueueSpec, Receipt
from moonq.registry import names
from moonq.run import crossed, publishing
from moonq.run.ids import new_id
from moonq.run.publishing import Wanted
from moonq.run.schemas import Schema
from moonq.text.json_in import parsed
from moonq.text.suggestions import question

#: What follows `Message.priority` in one that `Route.put` takes.
_AT_ONCE = (0.0, None, None, None)


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
    decodes: bool
    publish_timeout: float
    max_body: int
    content_type: str
    letters_of: str = ""
    """The queue whose dead letters are all that may lie here; "" where anybody publishes."""
    schema: Schema | None = None
    """What each body must fit."""
    put: Put | None = None
    """The short way into the driver, if it has one."""
    traffic: Traffic = field(default_factory=Traffic, compare=False)


class Queues:
    """All queues of a host by their id."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self.metrics = metrics
        self._routes: dict[str, Route] = {}
        self._by_bytes: dict[bytes, Route] = {}
        self.gate: Callable[[Route], None] | None = None
        """Raises what a publish into a queue is to be refused with; None lets all pass."""

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

    def get(self, queue_id: str) -> Route | None:
        """Return where *queue_id* leads; None: there is no such queue."""
        return self._routes.get(queue_id)

    def route(self, queue_id: str) -> Route:
        """Return where *queue_id* leads.

        Raises:
            QueueNotFound: With what was probably meant.
        """
        route = self._routes.get(queue_id)
        if route is None:
            likely = question(names.likely(queue_id, self._routes)[:3])
            raise QueueNotFound(f"queue {queue_id!r} does not exist", hint=likely)
        return route

    def publish(
        self,
        queue_id: bytes,
        body: bytes,
        is_text: bool = False,
        headers: int = 0,
        options: int = 0,
        *pairs: Any,
        may_wait: bool = True,
    ) -> str:
        """Publish a message that crosses from Lua and return its id; see `crossed`.

        Raises:
            QueueError: It was refused, or is not surely stored; its kind says which.
        """
        route = self._by_bytes.get(queue_id) or self.route(queue_id.decode("utf-8", "replace"))
        if route.letters_of or self.gate is not None:
            self._admit(route)
        if headers or options:
            found = crossed.wanted(body, is_text, headers, options, *pairs)
            return self._publish(route, self.message(route, found), may_wait)
        if is_text or not route.decodes or len(body) > route.max_body or route.schema is not None:
            body = self._fit(route, body, is_text)
        now = self._clock.now()
        message_id = new_id(now)
        put = route.put
        # Most messages are like this one: it never is a `Message` until it is taken.
        if (
            put is not None
            and self.metrics.observer is None
            and put(route.spec.name, message_id, body, now, NO_HEADERS, route.content_type)
        ):
            route.traffic.published += 1
            return message_id
        message = Message(message_id, body, now, NO_HEADERS, route.content_type)
        return self._publish(route, message, may_wait)

    def _publish(self, route: Route, message: Message, may_wait: bool) -> str:
        if (
            route.put is not None
            and self.metrics.observer is None
            and message[6:] == _AT_ONCE
            and route.put(route.spec.name, *message[:6])
        ):
            route.traffic.published += 1
            return message.id
        answer = self._store(route, (message,), may_wait)[0]
        if isinstance(answer, QueueError):
            raise answer
        return answer.id

    def publish_batch(
        self, queue_id: str, wanted: Iterable[Wanted | QueueError], *, may_wait: bool = True
    ) -> list[Receipt | QueueError]:
        """Publish many messages and answer for each: its receipt, or why it was refused."""
        route = self.route(queue_id)
        self._admit(route)
        return self._publish_batch(route, wanted, may_wait)

    def publish_all(
        self, queue_id: bytes, messages: Sequence[Any], are_bare: bool, *, may_wait: bool = True
    ) -> list[str | QueueError]:
        """Publish messages that cross from Lua, see `crossed.several`.

        Answers for each with its id, or why it was refused.
        """
        route = self._by_bytes.get(queue_id) or self.route(queue_id.decode("utf-8", "replace"))
        self._admit(route)
        answers: list[str | QueueError] = []
        if are_bare and route.put is not None and self.metrics.observer is None:
            answers = self._put_all(route, route.put, messages)
            messages = messages[2 * len(answers) :]
        found = self._publish_batch(route, crossed.several(messages, are_bare), may_wait)
        return answers + [one.id if isinstance(one, Receipt) else one for one in found]

    def _put_all(self, route: Route, put: Put, messages: Sequence[Any]) -> list[str | QueueError]:
        """Publish bare messages until one is to go the long way."""
        answers: list[str | QueueError] = []
        name, content_type, now = route.spec.name, route.content_type, self._clock.now()
        stored = 0
        for body, is_text in crossed.bare(messages):
            try:
                kept = self._fit(route, body, is_text)
            except QueueError as refusal:
                answers.append(refusal)
                continue
            message_id = new_id(now)
            if not put(name, message_id, kept, now, NO_HEADERS, content_type):
                break
            answers.append(message_id)
            stored += 1
        route.traffic.published += stored
        return answers

    def _publish_batch(
        self, route: Route, wanted: Iterable[Wanted | QueueError], may_wait: bool
    ) -> list[Receipt | QueueError]:
        messages = [self._attempt(route, one) for one in wanted]
        accepted = [message for message in messages if isinstance(message, Message)]
        receipts = iter(self._store(route, accepted, may_wait) if accepted else ())
        return [next(receipts) if isinstance(message, Message) else message for message in messages]

    def check_batch(
        self, queue_id: str, wanted: Iterable[Wanted | QueueError]
    ) -> list[Message | QueueError]:
        """Return what `publish_batch` would hand to the driver, and what it would refuse."""
        route = self.route(queue_id)
        _refuse_letters(route)
        return [self._attempt(route, one) for one in wanted]

    def _admit(self, route: Route) -> None:
        """Let a publish into a queue begin."""
        _refuse_letters(route)
        if self.gate is not None:
            self.gate(route)

    def message(self, route: Route, wanted: Wanted) -> Message:
        """Return what is wanted as a message of *route*: every publish is checked here.

        Raises:
            Invalid: It is not what the queue takes.
        """
        if wanted.crossed and not (wanted.headers or wanted.options):
            now = self._clock.now()
            body = self._fit(route, wanted.body, wanted.is_raw)
            return Message(new_id(now), body, now, NO_HEADERS, route.content_type)
        # Before anything is read: to read what is too large holds up every other worker.
        is_plain = wanted.crossed == "plain"
        if not is_plain or len(wanted.body) + crossed.PLAIN_HEADERS > route.max_body:
            size = wanted.size()
            if wanted.is_raw:
                _check_size(route, size)
            else:
                _check_text(route, len(wanted.body), size - len(wanted.body))
        body = wanted.body
        if wanted.crossed:
            body = _kept(route, body, wanted.is_raw)
        else:
            if route.decodes or not wanted.is_raw:
                publishing.check_body(body)
            if not route.decodes and not wanted.is_raw:
                body = publishing.raw_text(body)
        if body is not wanted.body:
            wanted = wanted._replace(body=body)
            _check_size(route, wanted.size())
        message = publishing.built(wanted, self._clock.now(), route.content_type)
        _check_schema(route, body)
        return message

    def _fit(self, route: Route, body: bytes, is_text: bool) -> bytes:
        """Return a body from Lua that has nothing beside it as the queue keeps it.

        Raises:
            Invalid: The queue does not take it.
        """
        if is_text or not route.decodes:
            if is_text:
                _check_size(route, len(body))
            else:
                _check_text(route, len(body), 0)
            body = _kept(route, body, is_text)
        if len(body) > route.max_body:
            _check_size(route, len(body))
        if route.schema is not None:
            _check_schema(route, body)
        return body

    def _attempt(self, route: Route, wanted: Wanted | QueueError) -> Message | QueueError:
        if isinstance(wanted, QueueError):
            return wanted
        try:
            return self.message(route, wanted)
        except QueueError as problem:
            return problem

    def _store(
        self, route: Route, messages: Sequence[Message], may_wait: bool
    ) -> list[Receipt | QueueError]:
        answers = route.driver.publish(
            route.spec.name, messages, route.publish_timeout, may_wait=may_wait
        )
        for message, answer in zip(messages, answers, strict=True):
            if isinstance(answer, Receipt) and not answer.duplicate:
                self._stored(route, message)
        return answers

    def _stored(self, route: Route, message: Message) -> None:
        route.traffic.published += 1
        observer = self.metrics.observer
        if observer is not None:
            observer.published(route.id, message)

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
        "bytes": info.bytes,
        "dead_bytes": info.dead_bytes,
        "paused": info.paused,
    }
    return {key: value for key, value in values.items() if value is not None}


def _refuse_letters(route: Route) -> None:
    """Let nobody publish where only dead letters lie: it would be none, and nobody would serve it.

    Raises:
        Invalid: *route* is such a queue.
    """
    if route.letters_of:
        raise Invalid(
            f"{route.id!r} takes nothing but the dead letters of {route.letters_of!r}",
            hint="publish into that queue, or declare a `queue.queue` of this name",
        )


def _kept(route: Route, body: bytes, is_text: bool) -> bytes:
    """Return a body from Lua as the codec of *route* keeps it.

    Raises:
        Invalid: It is not UTF-8, or no text where only such is kept.
    """
    if is_text and route.decodes:
        return crossed.as_json(body)
    if is_text:
        crossed.checked(body)
    elif not route.decodes:
        return publishing.raw_text(body)
    return body


def _check_text(route: Route, body: int, headers: int) -> None:
    """Refuse a body that is JSON text when it must be too large, whatever is in it."""
    if not route.decodes:
        # It is kept as the text in it, of which a character may be written with six.
        body = (body - len('""')) // len("\\u0000")
    _check_size(route, body + headers)


def _check_size(route: Route, size: int) -> None:
    if size > route.max_body:
        raise TooLarge(
            f"the message has {size} bytes with headers; {route.id!r} takes {route.max_body}",
            hint="publish a reference to the data, or raise `max_body` of the queue",
        )


def _check_schema(route: Route, body: bytes) -> None:
    if route.schema is None:
        return
    problem = route.schema.problem(parsed(body))
    if problem:
        raise Invalid(f"the body does not fit the schema of {route.id!r}: {problem}")
