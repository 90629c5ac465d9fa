"""Looking at a host: nothing here changes anything."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import nlargest
from itertools import dropwhile, islice
from typing import Any

from moonq.drivers.paging import is_cursor
from moonq.errors import NotFound
from moonq.model import MessageState, Stored
from moonq.operations import access, choosing, entries, letters, orphans, overview
from moonq.operations.requests import Requests, checked
from moonq.run.queues import Route, info_object

MOST_SHOWN = 1000
#: Bytes of bodies in one answer.
ROOM = 2 * 1024 * 1024


class Queries(Requests):
    """Kinds of request that only look."""

    @checked
    def status(self) -> dict[str, Any]:
        """Return what the process is, has done, and which of its services are up."""
        return overview.status(self._host, self._meter)

    @checked
    def peers(self) -> dict[str, Any]:
        """Return `drivers`, each with the `hosts` that have it open, the longest there first.

        A host is known by `name`, `machine` and `pid`; it came at `since` and is `busy` with so
        many messages. `hosts` is null where the broker cannot tell, and absent where there is a
        `problem` or nobody else can be at the driver.
        """
        return {"drivers": overview.peers(self._host)}

    @checked
    def queues(self) -> dict[str, Any]:
        """Return `queues`, each with its numbers, rates and consumers.

        `orphans`, where there are any, are messages of queues that nobody declares.
        """
        found = {"queues": overview.queues(self._host, self._meter)}
        lost = [one.object() for one in orphans.of_host(self._host)]
        return {**found, "orphans": lost} if lost else found

    @checked
    def consumers(self) -> dict[str, Any]:
        """Return `consumers`: each with its state, workers, counts and rates."""
        return {"consumers": overview.consumers(self._host, self._meter)}

    @checked
    def entries(
        self,
        pattern: str | None = None,
        entry_kind: str | None = None,
        meta: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return `entries` that fit the patterns: id, kind, file, line, meta.

        A name without `*`, `?` and `[` that no entry has is an error.
        """
        return {"entries": entries.find(self._host.project, pattern, entry_kind, meta or {})}

    @checked
    def entry(self, name: str) -> dict[str, Any]:
        """Return one entry with all its fields, what it needs and who needs it."""
        return entries.show(self._host.project, name)

    @checked
    def access(
        self,
        actor: str,
        action: str,
        resource: str,
        meta: dict[str, Any] | None = None,
        entry: str = "",
    ) -> dict[str, Any]:
        """Return `cases`: what policies say of it, for each entry that acts as *actor*."""
        return access.explain(self._host.services, actor, action, resource, meta or {}, entry)

    @checked
    def graph(self, name: str | None = None) -> dict[str, Any]:
        """Return `nodes` and `edges`: the references around an entry, or all."""
        return entries.graph(self._host.project, name, self._sendings(self._host.project))

    @checked
    def peek(
        self,
        queue: str,
        limit: int = 10,
        after: str = "",
        state: MessageState | None = None,
        tail: bool = False,
        full: bool = False,
        redact: bool = True,
    ) -> dict[str, Any]:
        """Return `messages` of a queue without consuming any; *tail* shows the last ones.

        *after* is the `next` of an answer before, or the id of a message.
        """
        route = self._route(queue)
        limit = max(0, min(limit, MOST_SHOWN))
        if tail:
            stored, following = list(deque(choosing.stored_in(route, state), maxlen=limit)), ""
        elif after and not is_cursor(after):
            stored, following = list(islice(self._behind(route, after, state), limit)), ""
        else:
            stored, following = route.driver.peek(route.spec.name, limit, after, state)
        room = ROOM
        messages: list[dict[str, Any]] = []
        for one in stored:
            room -= min(len(one.message.body), len(one.message.body) if full else 16384)
            if room < 0 and messages:
                break
            messages.append(self._message(one, full=full, redact=redact))
        is_page = not tail and (not after or is_cursor(after))
        if is_page and len(messages) < len(stored):
            # The next page begins behind what is shown, not behind what was read.
            following = route.driver.peek(route.spec.name, len(messages), after, state).next
        return {
            "queue": route.id,
            "driver": route.driver.kind,
            "info": info_object(route.driver.info(route.spec.name)),
            "messages": messages,
            "shown": len(messages),
            "left_off": len(stored) - len(messages),
            "next": following,
        }

    def _behind(self, route: Route, message: str, state: MessageState | None) -> Iterator[Stored]:
        """Yield what stands behind *message*.

        Raises:
            NotFound: It is not in the queue any more.
        """
        rest = dropwhile(lambda one: one.message.id != message, choosing.stored_in(route, state))
        if next(rest, None) is None:
            raise NotFound(
                f"queue {route.spec.name!r}: message {message!r} is not there any more",
                hint="look again from the beginning",
            )
        return rest

    @checked
    def find(self, message: str, queue: str | None = None, redact: bool = True) -> dict[str, Any]:
        """Return one message and the `queue` that it lies in, wherever that is."""
        names = [self._queue(queue)] if queue is not None else self._host.queues.ids()
        for name in names:
            route = self._host.queues.route(name)
            stored = route.driver.find(route.spec.name, self._full_id(route, message))
            if stored is not None:
                return {"queue": name, **self._message(stored, full=True, redact=redact)}
        where = names[0] if queue is not None else "any queue"
        raise NotFound(f"no message {message!r} in {where}", hint="it may be done already")

    @checked
    def dead_queues(self) -> dict[str, Any]:
        """Return `queues` that have dead letters: how many, and the `dead_queue` they lie in."""
        found: list[dict[str, Any]] = []
        for name in self._host.queues.ids():
            entry = self._host.project.entries.get(name)
            dead = entry.target("dead_letter") if entry else None
            if dead is None:
                continue
            route = self._host.queues.route(name)
            count = route.driver.info(route.spec.name).dead
            if count != 0:
                found.append({"queue": name, "dead_queue": dead, "count": count})
        found.sort(key=lambda one: -(one["count"] or 0))
        return {"queues": found}

    @checked
    def dead_letters(
        self,
        queue: str,
        error: str | None = None,
        older: float | None = None,
        limit: int = 20,
    ) -> dict[str, Any]:
        """Return `groups` of dead letters by kind of error, and the newest `messages` of them."""
        source, route, origin = self._letters(queue)
        groups = letters.Groups()
        found = islice(self._letters_in(route, origin, error, older), choosing.LARGEST)
        limit = max(0, min(limit, MOST_SHOWN))
        # All are counted, even where none is shown.
        newest = nlargest(limit or 1, map(groups.add, found), key=letters.died_at)[:limit]
        return {
            "queue": source,
            "dead_queue": route.id,
            "count": groups.count,
            "groups": groups.objects(),
            "messages": [self._message(one, full=False, redact=True) for one in newest],
        }

    @checked
    def dead_letter(self, queue: str, message: str, redact: bool = True) -> dict[str, Any]:
        """Return one dead letter: body, headers, and every remembered attempt with its error."""
        source, route, origin = self._letters(queue)
        stored = route.driver.find(route.spec.name, self._full_id(route, message))
        if stored is None or not choosing.is_letter(stored, origin):
            raise NotFound(
                f"no dead letter {message!r} of {source}",
                hint=f"`moonq dead ls {source}` shows them",
            )
        found = self._message(stored, full=True, redact=redact)
        return {"queue": source, "dead_queue": route.id, **found}
