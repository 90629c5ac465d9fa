"""Bringing the messages of one queue into another one, wherever the two lie.

Within one driver a message moves in one step, where the driver knows such a step. Otherwise it is
stored in the new place first: what breaks off in the middle leaves it twice, never nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from moonq.drivers.base import Capabilities, Mover, capabilities
from moonq.drivers.letters import X_DEAD_LETTER_REASON, X_ORIGINAL_QUEUE
from moonq.errors import Conflict, Invalid, NotFound, QueueError
from moonq.kinds.queue import DEAD, NAME, names_at
from moonq.model import QueueInfo, Receipt, Stored
from moonq.operations import arriving, leaving, losses, orphans
from moonq.operations.leaving import Leaving, Place
from moonq.operations.requests import Requests, checked
from moonq.run.queues import Route
from moonq.text import suggestions

#: More than any queue holds.
ALL = 1 << 62
_LIST = "`moonq queues` names what there is"


class Moving(Requests):
    """Kinds of request that bring messages somewhere else."""

    @checked
    def move(
        self,
        source: str,
        target: str,
        driver: str | None = None,
        drop: list[str] | None = None,
        dry_run: bool = False,
        most: int | None = None,
    ) -> dict[str, Any]:
        """Bring what is ready or delayed in *source* into *target*, *most* messages at once.

        The dead letters of *source* go to those of *target*. What the target cannot keep of a
        message is refused before anything moves, unless it is among *drop*; a dry run says it.

        The answer says how many were `moved` and how many of the dead letters (`moved_dead`), how
        many of both are `left` and `left_dead` (with `is_exact` false: about), and how many are
        `at_work`, which stay where they are; null where the driver cannot tell. `refused` is how
        many the target did not take, and `why`; with `broke_off` there is no use in going on.
        """
        to = self._route(target)
        dropped = _known_fields(drop or [])
        roads = list(self._roads(source, to, driver))
        old = roads[0].place
        answer: dict[str, Any] = {"source": old.shown, "source_driver": old.entry, "queue": to.id}
        room = ALL if most is None else most
        lost = _lost(self._open, roads, dropped, room, is_whole=dry_run)
        if lost and not dry_run:
            raise losses.refusal(to.id, to.driver.kind, lost)
        moved: list[_Moved] = []
        for road in () if dry_run else roads:
            moved.append(self._bring(road, dropped, room))
            room -= moved[-1].count
        refusals = [refusal for one in moved for refusal in one.refusals]
        if refusals and not any(one.count for one in moved):
            raise refusals[0]
        if moved:
            counts = " + ".join(str(one.count) for one in moved)
            self.record("move", f"{old.shown} -> {to.id} {counts}")
        is_done = [one.is_drained for one in moved] or [False] * len(roads)
        left = [0 if done else _waiting(road) for road, done in zip(roads, is_done, strict=True)]
        return answer | {
            "moved": moved[0].count if moved else 0,
            "moved_dead": sum(one.count for one in moved[1:]),
            "duplicates": sum(one.duplicates for one in moved),
            "left": left[0],
            "left_dead": sum(left[1:]),
            "is_exact": all(_is_exact(road.place) for road in roads),
            "at_work": _at_work(old.driver.info(old.name)),
            "lost": lost,
            "refused": len(refusals),
            "why": refusals[0].in_one_line() if refusals else None,
            "broke_off": any(one.broke_off for one in moved),
            "dry_run": dry_run,
        }

    def _bring(self, road: _Road, dropped: Sequence[str], most: int) -> _Moved:
        """Move messages until there are no more, or one of the two queues does no more."""
        done = _Moved()
        try:
            self._carry(road, dropped, most, done)
        except QueueError as problem:
            # What has gone is told all the same.
            done.refusals.append(problem)
            done.broke_off = True
        return done

    def _carry(self, road: _Road, dropped: Sequence[str], most: int, done: _Moved) -> None:
        lacking = losses.lacking(road.to.driver, road.to.spec.name, dropped)
        # What is published meanwhile is left for another move.
        room = min(most, _waiting(road)) if _is_exact(road.place) else most
        with self._open(road) as messages, self._resting(road):
            for part in messages.parts(room):
                if losses.counted(lacking, part):
                    lost = losses.counted(lacking, part)
                    raise losses.refusal(road.to.id, road.to.driver.kind, lost)
                answers = self._store(road, [losses.without(one, dropped) for one in part])
                pairs = list(zip(part, answers, strict=True))
                done.add(answers)
                messages.let_go([one for one, answer in pairs if isinstance(answer, Receipt)])
                if any(map(_is_final, answers)):
                    done.broke_off = True
                    return
            # Its counts may be seconds old, but it gave no more.
            done.is_drained = done.count < room and not _is_exact(road.place)

    def _store(self, road: _Road, part: Sequence[Stored]) -> list[Receipt | QueueError]:
        to, place = road.to, road.place
        letters = [self._rehomed(one, road) for one in part]
        if road.is_step and isinstance(place.driver, Mover):
            return place.driver.adopt(to.spec.name, letters, place.name)
        return arriving.store(place, to, letters, self._host.clock)

    def _open(self, road: _Road) -> AbstractContextManager[Leaving]:
        return leaving.opened(road.place, self._host.clock, origin=road.origin)

    def _resting(self, road: _Road) -> AbstractContextManager[None]:
        """Let nothing be delivered that is on its way to another driver."""
        driver = road.place.driver
        if road.place.is_shown and not road.is_step and isinstance(driver, Mover):
            return driver.resting(road.place.name)
        return nullcontext()

    # Where it goes

    def _roads(self, name: str, to: Route, driver: str | None) -> Iterator[_Road]:
        """Yield the way of the messages, and that of the dead letters which go along.

        Raises:
            Invalid: They would go where they are.
        """
        old = self._source(name, to, driver)
        if old.driver is to.driver and old.name == to.spec.name:
            raise Invalid(f"{old.shown} and {to.id} are the same queue")
        yield _Road(old, to)
        letters, there = self._letters_of(old), to.spec.dead_letter
        if letters is None or there is None:
            return
        if old.driver is not to.driver or letters.name != there:
            target = self._host.queues.route(self._dead_of(to.id))
            shares = self._is_shared(old.shown)
            yield _Road(letters, target, old.name if shares else "", to.spec.name)

    def _dead_of(self, queue: str) -> str:
        entry = self._host.project.entries.get(queue)
        return (entry.target("dead_letter") if entry else None) or f"{queue}{DEAD}"

    def _is_shared(self, queue: str) -> bool:
        """Whether more than its own may lie where the dead letters of a queue lie."""
        project, letters = self._host.project, self._dead_of(queue)
        targets = [one.target("dead_letter") for one in project.of_kind(NAME)]
        return letters in project.entries or targets.count(letters) > 1

    def _letters_of(self, old: Place) -> Place | None:
        """Return where the dead letters of a queue lie, declared or not."""
        known = self._host.queues.get(old.shown)
        if known is not None and known.driver is old.driver and known.spec.name == old.name:
            dead = known.spec.dead_letter
            return old._replace(name=dead, ttl=None) if dead else None
        name = f"{old.name}{DEAD}"
        if isinstance(old.driver, Mover) and name in old.driver.unserved():
            return old._replace(name=name, ttl=None)
        return None

    def _rehomed(self, stored: Stored, road: _Road) -> Stored:
        """Let a dead letter belong to the queue that its own went to.

        One that is moved by itself, and whose queue is gone, belongs to the queue of the dead
        letters it joins: otherwise nothing could give it another life there.
        """
        headers = stored.message.headers
        if X_DEAD_LETTER_REASON not in headers:
            return stored
        home = road.home or self._home(str(headers.get(X_ORIGINAL_QUEUE, "")), road.to)
        if home is None:
            return stored
        message = stored.message._replace(headers={**headers, X_ORIGINAL_QUEUE: home})
        return stored._replace(message=message)

    def _home(self, origin: str, to: Route) -> str | None:
        project = self._host.project
        entries = [one for one in project.of_kind(NAME) if one.target("dead_letter") == to.id]
        place = next((name for name, one in self._host.drivers.items() if one is to.driver), "")
        if len(entries) != 1 or origin in names_at(project).get(place, ()):
            return None
        return self._host.queues.route(entries[0].id).spec.name

    # What is meant

    def _source(self, name: str, to: Route, driver: str | None) -> Place:
        found = list(self._candidates(name, to, driver))
        if len(found) == 1:
            return found[0]
        if found:
            places = ", ".join(one.entry for one in found)
            raise Invalid(f"{name} lies at {places}", hint="say which one with --driver ID")
        there = [one.queue for one in orphans.of_host(self._host)]
        known = [*there, *self._host.queues.ids()]
        known += [one.rpartition(":")[2] for one in known]
        if name in known:
            where = f"at {driver}" if driver else f"outside of {to.id}, where they would go"
            raise NotFound(f"no messages of {name} lie {where}", hint=_LIST)
        close = suggestions.close(name, known)
        hint = f"did you mean {close[0]!r}?" if close else _LIST
        raise NotFound(f"no messages of a queue {name!r} are known", hint=hint)

    def _candidates(self, name: str, to: Route, driver: str | None) -> Iterator[Place]:
        """Yield what *name* may be: a queue of the project, or one that a driver still has."""
        place = None if driver is None else self._driver(driver)
        try:
            route = self._route(name)
        except NotFound:
            route = None
        if route is not None and not (route.id == to.id and place is None):
            at = next(key for key, one in self._host.drivers.items() if one is route.driver)
            if place in (None, at):
                yield Place(route.id, at, route.driver, route.spec.name, route.spec.ttl)
                return
        for one in orphans.of_host(self._host):
            is_named = name in (one.queue, one.queue.rpartition(":")[2])
            if is_named and place in (None, one.driver):
                yield Place(one.queue, one.driver, self._host.drivers[one.driver], one.queue)

    def _driver(self, name: str) -> str:
        return self._host.project.id_of(name, "queue.driver.")


class _Road(NamedTuple):
    """From where to where."""

    place: Place
    to: Route
    origin: str = ""
    """Of dead letters: the queue whose they are, as its driver calls it."""
    home: str = ""
    """And the queue whose they will be."""

    @property
    def is_step(self) -> bool:
        """Whether a message leaves and arrives in one step."""
        return self.place.driver is self.to.driver and self.place.is_shown


@dataclass
class _Moved:
    """What came of it."""

    count: int = 0
    duplicates: int = 0
    """Of them, those that an earlier move had stored already."""
    is_drained: bool = False
    """Whether its driver, which does not count exactly, gave no more."""
    refusals: list[QueueError] = field(default_factory=list)
    broke_off: bool = False
    """Whether the next message would have been refused as well."""

    def add(self, answers: Sequence[Receipt | QueueError]) -> None:
        """Count what became of one part."""
        receipts = [one for one in answers if isinstance(one, Receipt)]
        self.count += len(receipts)
        self.duplicates += sum(bool(one.duplicate) for one in receipts)
        for one in answers:
            if isinstance(one, QueueError) and not isinstance(one, Conflict):
                self.refusals.append(one)


def _known_fields(names: Sequence[str]) -> Sequence[str]:
    for name in names:
        if name not in losses.NAMES:
            known = ", ".join(losses.NAMES)
            raise Invalid(f"move: no field {name!r} can be dropped", hint=f"it is one of {known}")
    return names


def _lost(
    opened: Callable[[_Road], AbstractContextManager[Leaving]],
    roads: Sequence[_Road],
    dropped: Sequence[str],
    most: int,
    *,
    is_whole: bool,
) -> dict[str, int]:
    """Return what would be lost of the first *most* messages, by how many have it."""
    found: Counter[str] = Counter()
    for road in roads:
        lacking = losses.lacking(road.to.driver, road.to.spec.name, dropped)
        known = _abilities(road.place)._asdict()
        # What the old queue cannot keep either no message has.
        lacking = tuple(one for one in lacking if known.get(one.ability) != "none")
        if lacking:
            with opened(road) as messages:
                look = messages.look(ALL if is_whole else most)
                found.update(losses.counted(lacking, look))
    return dict(found)


def _is_final(answer: Receipt | QueueError) -> bool:
    """Whether a refusal will not be another one for the next message."""
    return isinstance(answer, QueueError) and not isinstance(answer, Conflict | Invalid)


def _abilities(place: Place) -> Capabilities:
    # One that is shown need not be declared.
    shown = place.driver.capabilities()
    return shown if place.is_shown else capabilities(place.driver, place.name)


def _is_exact(place: Place) -> bool:
    """Whether it can be told how many messages there are."""
    return place.is_shown or place.driver.capabilities().exact_info in ("native", "emulated")


def _waiting(road: _Road) -> int:
    """Return how many messages may be moved, looked at one by one where nobody counts them."""
    place = road.place
    info = place.driver.info(place.name)
    if info.ready is not None and info.delayed is not None and not road.origin:
        return info.ready + info.delayed
    if isinstance(place.driver, Mover) and place.is_shown:
        return sum(1 for _ in leaving.Shown(place.driver, place.name, road.origin).look(ALL))
    return (info.ready or 0) + (info.delayed or 0)


def _at_work(info: QueueInfo) -> int | None:
    if info.leased is None or info.running is None:
        return None
    return info.leased + info.running
