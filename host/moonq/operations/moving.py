"""Bringing the messages of one queue into another one, wherever the two lie.

Within one driver a message moves in one step. Between two it is stored in the new place first: what
breaks off in the middle leaves it twice, never nowhere; meanwhile the old queue delivers nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

from moonq.drivers.base import Mover, mover
from moonq.drivers.letters import X_DEAD_LETTER_REASON, X_ORIGINAL_QUEUE
from moonq.errors import Conflict, Invalid, NotFound, QueueError
from moonq.kinds.queue import NAME, names_at
from moonq.model import QueueInfo, Stored
from moonq.operations import orphans
from moonq.operations.requests import Requests, checked
from moonq.run.queues import Route
from moonq.text import suggestions

#: Messages that one step brings over; other work of a driver waits for no more.
STEP = 500
_LIST = "`moonq queues` names what there is"


class _Source(NamedTuple):
    """Where messages lie: a driver, and what it calls their queue."""

    shown: str
    place: str
    """The driver's entry."""
    driver: Mover
    name: str


class Moving(Requests):
    """Kinds of request that bring messages somewhere else."""

    @checked
    def move(
        self,
        source: str,
        target: str,
        driver: str | None = None,
        dry_run: bool = False,
        most: int | None = None,
    ) -> dict[str, Any]:
        """Bring what is ready or delayed in *source* into *target*, *most* messages at once.

        The answer says how many were `moved`, how many are `left`, and how many are `at_work`,
        which stay where they are; null where the driver cannot tell.
        """
        to = self._route(target)
        mover(to.driver)
        old = self._source(source, to, driver)
        if old.driver is to.driver and old.name == to.spec.name:
            raise Invalid(f"{old.shown} and {to.id} are the same queue")
        moved = 0 if dry_run else self._bring(old, to, most)
        if not dry_run:
            self.record("move", f"{old.shown} -> {to.id} {moved}")
        info = old.driver.info(old.name)
        return {
            "source": old.shown,
            "source_driver": old.place,
            "queue": to.id,
            "moved": moved,
            "left": _waiting(old, info),
            "at_work": _at_work(info),
            "dry_run": dry_run,
        }

    def _bring(self, old: _Source, to: Route, most: int | None) -> int:
        # What is published meanwhile is left for another move.
        room = _waiting(old, old.driver.info(old.name))
        room = room if most is None else min(room, most)
        moved, after = 0, 0
        is_far = old.driver is not to.driver
        with old.driver.resting(old.name) if is_far else nullcontext():
            while moved < room:
                stored = old.driver.waiting(old.name, min(STEP, room - moved), after)
                if not stored:
                    break
                after = stored[-1].number
                answers = self._adopt(old, to, stored)
                moved += sum(not isinstance(answer, QueueError) for answer in answers)
                refusal = next((one for one in answers if _is_final(one)), None)
                if refusal is not None and not moved:
                    raise refusal
                if refusal is not None:
                    break
        return moved

    def _adopt(self, old: _Source, to: Route, stored: Sequence[Stored]) -> list[Any]:
        letters, driver = [self._rehomed(one, to) for one in stored], mover(to.driver)
        if old.driver is to.driver:
            return list(driver.adopt(to.spec.name, letters, old.name))
        answers = list(driver.adopt(to.spec.name, letters))
        done = zip(stored, answers, strict=True)
        there = [one.number for one, answer in done if not isinstance(answer, QueueError)]
        if there:
            old.driver.purge(old.name, there)
        return answers

    def _rehomed(self, stored: Stored, to: Route) -> Stored:
        """Let a dead letter whose queue is gone belong to the queue of the dead letters it joins.

        Otherwise nothing could give it another life there.
        """
        headers = stored.message.headers
        if X_DEAD_LETTER_REASON not in headers:
            return stored
        project = self._host.project
        entries = [one for one in project.of_kind(NAME) if one.target("dead_letter") == to.id]
        known = names_at(project)
        origin = str(headers.get(X_ORIGINAL_QUEUE, ""))
        place = next((name for name, one in self._host.drivers.items() if one is to.driver), "")
        if len(entries) != 1 or origin in known.get(place, ()):
            return stored
        home = self._host.queues.route(entries[0].id).spec.name
        message = stored.message._replace(headers={**headers, X_ORIGINAL_QUEUE: home})
        return stored._replace(message=message)

    # What is meant

    def _source(self, name: str, to: Route, driver: str | None) -> _Source:
        found = list(self._candidates(name, to, driver))
        if len(found) == 1:
            return found[0]
        if found:
            places = ", ".join(one.place for one in found)
            raise Invalid(f"{name} lies at {places}", hint="say which one with --driver ID")
        there = [one.queue for one in orphans.of_host(self._host)]
        known = [*there, *self._host.queues.ids()]
        known += [one.rpartition(":")[2] for one in known]
        if name in known:
            where = f"at {driver}" if driver else f"outside of {to.id}"
            raise NotFound(f"no messages of {name} lie {where}", hint=_LIST)
        close = suggestions.close(name, known)
        hint = f"did you mean {close[0]!r}?" if close else _LIST
        raise NotFound(f"no messages of a queue {name!r} are known", hint=hint)

    def _candidates(self, name: str, to: Route, driver: str | None) -> Iterator[_Source]:
        """Yield what *name* may be: a queue of the project, or one that a driver still has."""
        place = None if driver is None else self._driver(driver)
        try:
            route = self._route(name)
        except NotFound:
            route = None
        if route is not None and not (route.id == to.id and place is None):
            at = next(key for key, one in self._host.drivers.items() if one is route.driver)
            if place in (None, at):
                yield _Source(route.id, at, mover(route.driver), route.spec.name)
                return
        for one in orphans.of_host(self._host):
            is_named = name in (one.queue, one.queue.rpartition(":")[2])
            if is_named and place in (None, one.driver):
                there = mover(self._host.drivers[one.driver])
                yield _Source(one.queue, one.driver, there, one.queue)

    def _driver(self, name: str) -> str:
        return self._host.project.id_of(name, "queue.driver.")


def _is_final(answer: Any) -> bool:
    """Whether a refusal will not be another one for the next message."""
    return isinstance(answer, QueueError) and not isinstance(answer, Conflict)


def _waiting(old: _Source, info: QueueInfo) -> int:
    """Return how many messages may be moved, looked at one by one where nobody counts them."""
    if info.ready is not None and info.delayed is not None:
        return info.ready + info.delayed
    count, after = 0, 0
    while stored := old.driver.waiting(old.name, STEP, after):
        count, after = count + len(stored), stored[-1].number
    return count


def _at_work(info: QueueInfo) -> int | None:
    if info.leased is None or info.running is None:
        return None
    return info.leased + info.running
