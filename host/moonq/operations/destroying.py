"""Taking messages away: dead letters that get another life, and what is dropped for good.

What is taken is a snapshot, so that it is what somebody was shown; the queue's name must be given
as `confirm`, here and not in a user interface, so that no script gets around it; and before
anything is dropped it is written to a file.
"""

from __future__ import annotations

import shlex
from itertools import islice
from typing import Any, NamedTuple

from moonq.errors import Invalid, NotFound, Unconfirmed
from moonq.operations import backup, choosing
from moonq.operations.choosing import Snapshot
from moonq.operations.requests import Requests, checked
from moonq.run.queues import Route


class Choice(NamedTuple):
    """Which messages are meant."""

    queue: str | None
    dead: bool
    ids: list[str] | None
    error: str | None
    older: float | None


class Destroying(Requests):
    """Kinds of request that take messages away."""

    @checked
    def snapshot(
        self,
        queue: str,
        dead: bool = False,
        ids: list[str] | None = None,
        error: str | None = None,
        older: float | None = None,
    ) -> dict[str, Any]:
        """Count the messages that `purge` (or, of *dead* letters, `retry` and `drop`) would take.

        The answer's `snapshot` names them for `KEPT` further snapshots of this session.
        """
        taken = self._take(Choice(queue, dead, ids, error, older))
        return {
            "snapshot": taken.number,
            "queue": taken.queue,
            "from": taken.route.id,
            "driver": taken.route.driver.kind,
            "count": len(taken.numbers),
            "whole": taken.is_whole,
            "taken": taken.taken,
        }

    @checked
    def retry(
        self,
        confirm: str | None = None,
        snapshot: str | None = None,
        queue: str | None = None,
        ids: list[str] | None = None,
        error: str | None = None,
        older: float | None = None,
        to: str | None = None,
    ) -> dict[str, Any]:
        """Give dead letters another life, in the queue they came from or in *to*."""
        choice = Choice(queue, True, ids, error, older)
        chosen = self._chosen("retry", confirm, snapshot, choice)
        target = self._route(to).spec.name if to is not None else ""
        moved = 0
        if chosen.numbers:
            route = chosen.route
            moved = route.driver.redrive(route.spec.name, target, chosen.numbers)
        self._record("retry", f"{chosen.route.id} {moved}")
        return {"queue": chosen.queue, "chosen": len(chosen.numbers), "retried": moved}

    @checked
    def drop(
        self,
        confirm: str | None = None,
        snapshot: str | None = None,
        queue: str | None = None,
        ids: list[str] | None = None,
        error: str | None = None,
        older: float | None = None,
        keep: bool = True,
    ) -> dict[str, Any]:
        """Drop dead letters, after a backup unless *keep* is false."""
        choice = Choice(queue, True, ids, error, older)
        chosen = self._chosen("drop", confirm, snapshot, choice)
        return self._drop("drop", chosen, keep)

    @checked
    def purge(
        self,
        confirm: str | None = None,
        snapshot: str | None = None,
        queue: str | None = None,
        ids: list[str] | None = None,
        older: float | None = None,
        keep: bool = True,
    ) -> dict[str, Any]:
        """Drop what is ready or delayed in a queue, after a backup unless *keep* is false."""
        choice = Choice(queue, False, ids, None, older)
        chosen = self._chosen("purge", confirm, snapshot, choice)
        found = self._drop("purge", chosen, keep)
        if "backup" in found:
            path = shlex.quote(found["backup"])
            found["undo"] = f"moonq publish {chosen.queue} --ndjson {path}"
        return found

    def _drop(self, action: str, chosen: Snapshot, keep: bool) -> dict[str, Any]:
        route, numbers = chosen.route, list(chosen.numbers)
        found: dict[str, Any] = {"queue": chosen.queue, "chosen": len(numbers)}
        if keep and numbers:
            wanted = frozenset(numbers)
            stored = (one for one in choosing.stored_in(route) if one.number in wanted)
            root, now = self._host.project.root, self._host.clock.now()
            path, numbers = backup.write(root, route.id, stored, now)
            found["backup"] = str(path)
            found["backup_bytes"] = path.stat().st_size
            found["kept_days"] = backup.KEPT_DAYS
        dropped = route.driver.purge(route.spec.name, numbers) if numbers else 0
        self._record(action, f"{route.id} {dropped}")
        return {**found, "dropped": dropped}

    def _chosen(
        self, action: str, confirm: str | None, snapshot: str | None, choice: Choice
    ) -> Snapshot:
        """Return the messages that are meant, once their queue's name was given as *confirm*."""
        if snapshot is not None:
            chosen = self._snapshots.get(snapshot)
            if chosen.is_dead != choice.dead:
                raise Invalid(f"{action}: snapshot {snapshot!r} was taken for something else")
        elif choice.queue is not None:
            chosen = self._take(choice)
        else:
            raise Invalid(f"{action}: give a snapshot or a queue")
        if confirm != chosen.queue:
            raise Unconfirmed(
                f"{action} would take {len(chosen.numbers)} messages of {chosen.queue}",
                hint=f'pass {{ confirm = "{chosen.queue}" }} if that is meant',
            )
        return chosen

    def _take(self, choice: Choice) -> Snapshot:
        assert choice.queue is not None
        now = self._host.clock.now()
        if choice.dead:
            name, route, origin = self._letters(choice.queue)
            found = self._letters_in(route, origin, choice.error, choice.older)
        else:
            name = self._queue(choice.queue)
            route = self._host.queues.route(name)
            before = None if choice.older is None else now - choice.older
            found = choosing.waiting_in(route, before)
        wanted = self._wanted(route, choice.ids)
        if wanted is not None:
            found = (one for one in found if one.message.id in wanted)
        taken = {one.number: one.message.id for one in islice(found, choosing.LARGEST)}
        if wanted is not None and (missing := sorted(wanted - set(taken.values()))):
            raise NotFound(f"not in {route.id}: {', '.join(missing[:5])}")
        return self._snapshots.keep(route, name, tuple(taken), now, is_dead=choice.dead)

    def _wanted(self, route: Route, ids: list[str] | None) -> frozenset[str] | None:
        return None if ids is None else frozenset(self._full_id(route, shown) for shown in ids)
