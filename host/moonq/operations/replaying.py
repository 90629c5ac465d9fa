"""Running a dead letter with the handler as it is now, to see whether a fix is one.

Nothing is settled, published or taken away: the letter stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moonq.errors import Invalid, MoonqError, NotFound
from moonq.model import Stored
from moonq.operations.acting import call_object
from moonq.operations.requests import Requests, checked
from moonq.registry.project import Entry
from moonq.run.publishing import check_body


class Replaying(Requests):
    """The kind of request that tries a dead letter out."""

    @checked
    def replay(self, message: str, queue: str | None = None) -> dict[str, Any]:
        """Run the dead letter *message* (its id, or the ends of it) by hand.

        The answer is that of `call`, with the letter's `id`, its `queue` and the `function`.
        """
        source, stored = self._letter(message, queue)
        consumer = self._consumer_of(source)
        function = consumer.target("func") or ""
        self._record("replay", f"{source} {stored.message.id} with {function}")
        own = {name: v for name, v in stored.message.headers.items() if name[:2] != "x_"}
        result = self._call(
            function,
            _text(stored),
            as_message=True,
            headers=own,
            send=False,
            consumer=consumer.id,
        )
        found = {"id": stored.message.id, "queue": source, "function": function}
        return {**found, **call_object(result)}

    def _letter(self, message: str, queue: str | None) -> tuple[str, Stored]:
        for source in [self._queue(queue)] if queue is not None else self._sources():
            _, route, _ = self._letters(source)
            found = route.driver.find(route.spec.name, self._full_id(route, message))
            if found is not None:
                return source, found
        where = queue if queue is not None else "any queue"
        raise NotFound(
            f"no dead letter {message!r} of {where}", hint="`moonq dead ls QUEUE` shows them"
        )

    def _sources(self) -> Iterator[str]:
        """Yield the queues that keep dead letters."""
        for entry in self._host.project.of_kind("queue.queue"):
            if entry.target("dead_letter"):
                yield entry.id

    def _consumer_of(self, queue: str) -> Entry:
        for entry in self._host.project.of_kind("queue.consumer"):
            if entry.target("queue") == queue:
                return entry
        raise MoonqError(f"no consumer serves {queue}", hint="name one in a `queue.consumer` entry")


def _text(stored: Stored) -> str:
    try:
        text = stored.message.body.decode()
        check_body(stored.message.body)
    except (ValueError, Invalid):
        raise Invalid(f"the body of {stored.message.id} is no JSON") from None
    return text
