"""Taking messages away: dead letters that get another life, and what is dropped for good.

What is taken is a snapshot, so that it is what the person was shown; the queue's name must be given
as `confirm`, here and not in a user interface, so that no script gets around it; and before
anything is dropped it is written to a file.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from itertools import islice
from typing import Any

from moonq.drivers import descriptor
from moonq.errors import Invalid, NotFound, Unconfirmed, Unsupported
from moonq.operations import backup, choosing
from moonq.operations.choosing import Selection, Snapshot
from moonq.operations.requests import Requests, checked
from moonq.run.queues import Route


class Destroying(Requests):
    """Kinds of request that take messages away; see `Selection` for what they have in common."""

    @checked
    def snapshot(self, dead: bool = False, **selection: Any) -> dict[str, Any]:
        """Count the messages that `purge` (or, of *dead* letters, `retry` and `drop`) would take.

        The answer's `snapshot` names them for `KEPT` further snapshots of this session.
        """
        taken = self._take(Selection(**selection), dead)
        return {
            "snapshot": taken.number,
            "queue": taken.queue,
            "from": taken.route.id,
            "driver": taken.route.driver.kind,
            "count": len(taken.numbers),
            "whole": taken.is_whole,
            "all": taken.takes_all,
            "taken": taken.taken,
        }

    @checked
    def retry(
        self, to: str | None = None, most: int | None = None, **selection: Any
    ) -> dict[str, Any]:
        """Give dead letters another life, in the queue they came from or in *to*."""
        chosen = self._chosen("retry", Selection(**selection), dead=True)
        target = self._route(to).spec.name if to is not None else ""
        chosen, most = _in_one(chosen, most)
        route, numbers = chosen.route, chosen.numbers[:most]
        named = None if chosen.takes_all else numbers
        moved = route.driver.redrive(route.spec.name, target, named) if numbers else 0
        self.record("retry", f"{route.id} {moved}")
        found = {"queue": chosen.queue, "chosen": len(numbers), "retried": moved}
        return self._left(found, chosen, most)

    @checked
    def drop(self, keep: bool = True, most: int | None = None, **selection: Any) -> dict[str, Any]:
        """Drop dead letters, after a backup unless *keep* is false."""
        chosen = self._chosen("drop", Selection(**selection), dead=True)
        return self._drop("drop", chosen, keep, most)

    @checked
    def purge(self, keep: bool = True, most: int | None = None, **selection: Any) -> dict[str, Any]:
        """Drop what is ready or delayed in a queue, after a backup unless *keep* is false."""
        chosen = self._chosen("purge", Selection(**selection), dead=False)
        found = self._drop("purge", chosen, keep, most)
        if "backup" in found:
            path = shlex.quote(found["backup"])
            found["undo"] = f"moonq publish {chosen.queue} --ndjson {path}"
        return found

    def _drop(self, action: str, chosen: Snapshot, keep: bool, most: int | None) -> dict[str, Any]:
        chosen, most = _in_one(chosen, most)
        route, numbers = chosen.route, list(chosen.numbers[:most])
        if keep and chosen.takes_all:
            raise Unsupported(
                f"{action}: the messages of {route.id} cannot be written to a file first:"
                f" {_why(route, 'peek')}",
                hint="pass --no-backup if they may be gone for good",
            )
        found: dict[str, Any] = {"queue": chosen.queue, "chosen": len(numbers)}
        if keep and numbers:
            stored = choosing.of_numbers(route, numbers)
            root, now = self._host.project.root, self._host.clock.now()
            path, numbers = backup.write(root, route, stored, now, chosen.backup)
            chosen = replace(chosen, backup=path)
            found["backup"] = str(path)
            found["backup_bytes"] = path.stat().st_size
            found["kept_days"] = backup.KEPT_DAYS
        named = None if chosen.takes_all else numbers
        # All may be more than a broker has counted that counts approximately.
        is_any = bool(numbers) or chosen.takes_all
        dropped = route.driver.purge(route.spec.name, named) if is_any else 0
        if chosen.takes_all:
            found["chosen"] = dropped
        self.record(action, f"{route.id} {dropped}")
        return self._left({**found, "dropped": dropped}, chosen, most)

    def _left(self, found: dict[str, Any], chosen: Snapshot, most: int | None) -> dict[str, Any]:
        """Return *found*, with how many are left of a snapshot that is taken bit by bit."""
        if most is None:
            return found
        rest = chosen.numbers[most:]
        self._snapshots.keep_rest(replace(chosen, numbers=rest))
        return {**found, "left": len(rest)}

    def _chosen(self, action: str, selection: Selection, *, dead: bool) -> Snapshot:
        """Return the messages that are meant, once their queue's name was given to confirm it."""
        if selection.snapshot is not None:
            chosen = self._snapshots.get(selection.snapshot)
            if chosen.is_dead != dead:
                raise Invalid(
                    f"{action}: snapshot {selection.snapshot!r} was taken for something else"
                )
        elif selection.queue is not None:
            chosen = self._take(selection, dead)
        else:
            raise Invalid(f"{action}: give a snapshot or a queue")
        if selection.confirm != chosen.queue:
            raise Unconfirmed(
                f"{action} would take {len(chosen.numbers)} messages of {chosen.queue}",
                hint=f'pass {{ confirm = "{chosen.queue}" }} if that is meant',
            )
        return chosen

    def _take(self, selection: Selection, dead: bool) -> Snapshot:
        now = self._host.clock.now()
        queue, older = selection.queue or "", selection.older
        if self._takes_all(queue, dead=dead):
            return self._take_all(selection, dead)
        if dead:
            name, route, origin = self._letters(queue)
            found = self._letters_in(route, origin, selection.error, older)
        else:
            name, route = self._queue(queue), self._route(queue)
            found = choosing.waiting_in(route, None if older is None else now - older)
        wanted = None
        if selection.ids is not None:
            wanted = frozenset(self._full_id(route, shown) for shown in selection.ids)
            found = (one for one in found if one.message.id in wanted)
        taken = {one.number: one.message.id for one in islice(found, choosing.LARGEST)}
        if wanted is not None and (missing := sorted(wanted - set(taken.values()))):
            raise NotFound(f"not in {route.id}: {', '.join(missing[:5])}")
        numbers = sorted(taken)[: selection.limit]
        return self._snapshots.keep(route, name, numbers, now, is_dead=dead)

    def _takes_all(self, queue: str, *, dead: bool) -> bool:
        """Whether the driver of *queue* can only take all or nothing."""
        route = self._letters(queue)[1] if dead else self._route(queue)
        return route.driver.capabilities().select == "none" or not (dead or _shows(route))

    def _take_all(self, selection: Selection, dead: bool) -> Snapshot:
        """Mean all that lies in a queue.

        Raises:
            Unsupported: Some of it was asked for, or it lies there with what is another queue's.
        """
        queue = selection.queue or ""
        name, route, origin = (
            self._letters(queue) if dead else (self._queue(queue), self._route(queue), None)
        )
        chosen = (selection.ids, selection.error, selection.older, selection.limit)
        if chosen != (None, None, None, None):
            raise Unsupported(
                f"{name}: some of its messages cannot be chosen: {_why(route, 'select')}",
                hint="take all of them",
            )
        project = self._host.project
        sources = [one for one in project.entries.values() if one.target("dead_letter") == route.id]
        if origin is not None and len(sources) > 1:
            raise Unsupported(
                f"{name}: its dead letters lie with those of others in {route.id}",
                hint=f"name {route.id}, and all of them are meant",
            )
        count = route.driver.info(route.spec.name).ready or 0
        now = self._host.clock.now()
        return self._snapshots.keep_all(route, name, count, now, is_dead=dead)


def _in_one(chosen: Snapshot, most: int | None) -> tuple[Snapshot, int | None]:
    """Return how much is taken at once: all of it, where messages are not told apart."""
    if chosen.takes_all and most is not None:
        return chosen, max(most, len(chosen.numbers))
    return chosen, most


def _shows(route: Route) -> bool:
    """Whether a queue's driver shows what lies in it."""
    try:
        route.driver.peek(route.spec.name, 1)
    except Unsupported:
        return False
    return True


def _why(route: Route, ability: str) -> str:
    """Return why the driver of *route* has not the *ability*."""
    limit = descriptor(route.driver.kind).limits.get(ability)
    return limit.reason if limit else f"its driver cannot {ability}"
