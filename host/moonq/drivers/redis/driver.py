"""The driver that keeps messages in a Redis server, for many hosts.

    publishers -> inbox -+                         +-> answers
    settles    -> inbox -+-> the sender's calls ---+-> leases -> desks -> workers
    desks that ask ------+   of numbered scripts

Everything that changes something is a script, so it is done or not done. What a host held that is
not heard of any more runs again elsewhere when its lease is over.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from moonq import log
from moonq.clock import Clock, pause
from moonq.drivers import refusals
from moonq.drivers.base import LEASE, Capabilities, Event, Peer, keyed
from moonq.drivers.buffered import BufferedQueue, stop_desks
from moonq.drivers.redis import moving, publishing
from moonq.drivers.redis.asking import Asker
from moonq.drivers.redis.checks import check
from moonq.drivers.redis.connection import Link
from moonq.drivers.redis.declarations import Declarations
from moonq.drivers.redis.declarations import check as check_spec
from moonq.drivers.redis.desk import RedisDesk
from moonq.drivers.redis.entry import LIMITS, RedisFields
from moonq.drivers.redis.listening import Listener
from moonq.drivers.redis.publishing import Answer
from moonq.drivers.redis.rights import called, check_rights
from moonq.drivers.redis.scripts import source
from moonq.drivers.redis.sender import Sender
from moonq.drivers.redis.subscription import RedisSubscription
from moonq.drivers.redis.times import StoreTime
from moonq.drivers.redis.view import View
from moonq.drivers.redis.wiring import Wire
from moonq.errors import CutShort, QueueError, QueueNotFound, Unavailable
from moonq.model import (
    Message,
    MessageState,
    Page,
    QueueInfo,
    QueueSpec,
    Stored,
)

_log = log.get("moonq.redis")
#: Real seconds that sending may take, however near the deadline is.
LEAST = 2.0
#: Real seconds that closing may take when nobody names a deadline.
MOST = 15.0
#: Real seconds after which a publisher that waits looks whether another host has made room.
GLANCE = 0.05


class RedisDriver:
    """See `moonq.drivers.base.Driver`."""

    kind = "queue.driver.redis"

    def __init__(self, clock: Clock, fields: RedisFields, link: Link) -> None:
        self._clock = clock
        self._link = link
        self._fields = fields
        self._base = f"{{{fields.prefix}}}:"
        self._time = StoreTime(clock)
        self._sender = Sender(
            self._wire("sends"), clock, self._time, fields, self._look_around, self._remind
        )
        self._asker = Asker(self._wire("asks"), self._base, self._time, self._sender.lander.tell)
        self._listener: Listener | None = None
        self._declarations = Declarations(self._asker, self._time, lambda: self._sender.session)
        self._queues = self._declarations.queues
        self._walk = moving.Walk()
        self._problem: QueueError | None = None
        """Why it could not be opened the last time."""
        self._opening = threading.Condition()
        self._is_open = False
        self._name = ""

    def _wire(self, does: str) -> Wire:
        name = f"moonq-{self._fields.name}-{does}"
        return Wire(self._link, self._base, self._fields.scripts, name)

    def capabilities(self) -> Capabilities:
        """What this driver can do."""
        return Capabilities.but(LIMITS)

    # Life

    def open(self, on_event: Callable[[Event], None], *, name: str = "") -> None:
        """Connect, check the server, and begin a session under the host's *name*.

        Raises:
            Unavailable: The server does not answer.
            Refused: It turns us away.
            Unsupported: It would lose messages, or is too old.
            Conflict: A newer moonq keeps its messages there.
        """
        try:
            self._open(on_event, name)
        except QueueError as problem:
            self._problem = problem
            self._asker.close()
            self._sender.disconnect()
            raise
        with self._opening:
            self._is_open, self._problem = True, None
            self._opening.notify_all()

    def _open(self, on_event: Callable[[Event], None], name: str) -> None:
        sender = self._sender
        self._name = name
        sender.lander.on_event = on_event
        sender.connect(name, os.getpid())
        for queue in self._queues.values():
            self._declarations.tell(queue)
        sender.planner.queues = dict(self._queues)
        self._listener = Listener(
            self._link, self._channel, sender.notice, f"moonq-{self._fields.name}-hears"
        )
        sender.start()

    def _remind(self, call: Callable[[str, list[Any]], Any]) -> None:
        self._declarations.remind(call)

    def _channel(self) -> str:
        return f"{self._base}wake:{self._sender.session}"

    def _look_around(self, client: Any) -> None:
        """Check a server that was just connected to: it may be another than before.

        Raises:
            QueueError: It cannot keep the contract, or lets us do too little.
        """
        where, fields = self._link.where, self._fields
        found = check(client, fields.durability, where, cluster=fields.cluster)
        if not self._is_open:
            commands = [*called(source().library), "sismember", "subscribe"]
            check_rights(client, commands, f"{self._base}rights", where)
            for warning in found:
                _log.warning("%s", warning)

    def close(self, deadline: float | None = None) -> bool:
        """Stop to deliver and to accept; what runs may still be settled after the next `open`."""
        with self._opening:
            if not self._is_open:
                return True
            self._is_open = False
        is_busy = stop_desks(self._queues.values())
        left = MOST if deadline is None else deadline - self._clock.monotonic()
        is_done = self._sender.stop(max(left, LEAST), leave=not is_busy)
        self._asker.close()
        if self._listener is not None:
            self._listener.stop()
            self._listener = None
        return is_done

    def health(self) -> Sequence[str]:
        """Return what hinders it: the server, settles that were not sent."""
        if not self._is_open:
            return [self._problem.message] if self._problem else []
        clogged = [said for one in tuple(self._queues.values()) for said in one.clogged()]
        return [*self._sender.health(), *clogged]

    def peers(self) -> list[Peer]:
        """Return the hosts that have a session; one that vanished is there until its lease ends."""
        found = [
            Peer(
                name.decode(),
                machine.decode(),
                int(pid),
                self._time.wall(float(since)),
                int(busy),
            )
            for name, machine, pid, since, busy, _ in self._look("peers")
        ]
        return sorted(found, key=lambda peer: peer.since)

    # Queues

    def declare(self, spec: QueueSpec) -> None:
        """Make the queue exist as *spec* says; a known one keeps its messages.

        Raises:
            Unsupported: An option is not known.
            Unavailable: The driver is closed; the queue is made when it opens.
        """
        check_spec(spec)
        queue = self._declarations.note(spec)
        self._check_open()
        self._declarations.tell(queue)
        self._sender.planner.queues = dict(self._queues)
        queue.free_places()
        self._sender.ring()

    # Publishing and taking

    def publish(
        self, queue: str, messages: Sequence[Message], timeout: float, *, may_wait: bool = True
    ) -> list[Answer]:
        """Store *messages* and answer for each when the server has them."""
        target = self._queue(queue)
        deadline = self._clock.monotonic() + timeout
        answers: list[Answer] = []
        try:
            while len(answers) < len(messages):
                rest = publishing.next_slice(messages, len(answers))
                if not self._await_open(deadline):
                    problem = self._closed()
                    return answers + [problem for _ in messages[len(answers) :]]
                seen = target.freed
                waits = may_wait and self._clock.monotonic() < deadline
                left = max(deadline - self._clock.monotonic(), 0.0)
                try:
                    found = self._sender.publish(publishing.work(target, rest, patient=waits), left)
                except QueueError as refusal:
                    return answers + [refusal for _ in messages[len(answers) :]]
                answers += publishing.answers(target, rest, found)
                if len(found) < len(rest):
                    self._await_place(target, seen, deadline)
        except CutShort as over:
            answers += [over for _ in messages[len(answers) :]]
        return answers

    def _await_open(self, deadline: float) -> bool:
        left = deadline - self._clock.monotonic()
        return self._is_open or not pause(self._clock, self._opening, left, lambda: self._is_open)

    def _await_place(self, queue: BufferedQueue, seen: int, deadline: float) -> None:
        with queue.lock:
            # What expires meanwhile makes room as well, and so does another host.
            left = min(deadline - self._clock.monotonic(), queue.alarm - self._time.now(), GLANCE)
            if queue.freed == seen and self._is_open and left > 0:
                self._clock.wait(queue.place_free, left)

    def subscribe(
        self,
        queue: str,
        prefetch: int,
        *,
        lease: float = LEASE,
        timeout: float | None = None,
        name: str = "",
    ) -> RedisSubscription:
        """Begin to take from *queue*; heartbeats keep what is held for as long as it takes."""
        source = self._queue(queue)
        self._check_open()
        desk = RedisDesk(source, prefetch, lease, self._sender.end)
        with source.lock:
            source.desks.append(desk)
        self._sender.ring()
        return RedisSubscription(desk, self._sender, self._clock, self._time.now)

    # Operations on what lies there

    def info(self, queue: str) -> QueueInfo:
        """Count the messages of *queue* by state."""
        found = self._look("info", self._lying(queue))
        *counts, oldest, is_paused, weights = found
        ready, delayed, leased, running, dead, seats = map(int, counts)
        age = max(0.0, self._clock.now() - float(oldest)) if oldest else None
        info = QueueInfo(ready, delayed, leased, running, dead, seats, age, bool(is_paused))
        if not weights:
            return info
        held, dead_bytes = map(int, weights)
        return info._replace(bytes=held + dead_bytes, dead_bytes=dead_bytes)

    def peek(
        self, queue: str, limit: int, cursor: str = "", state: MessageState | None = None
    ) -> Page:
        """Show up to *limit* messages in delivery order, from where *cursor* says."""
        return self._view(queue).peek(limit, cursor, state)

    def find(self, queue: str, message_id: str) -> Stored | None:
        """Show one message of *queue* whatever its state; all that lie there are looked at."""
        return self._view(queue).find(message_id)

    def unserved(self) -> Mapping[str, int]:
        """Return how many messages lie in each queue that no consumer serves."""
        return dict(sorted((name.decode(), int(count)) for name, count in self._look("unserved")))

    def purge(self, queue: str, ids: Sequence[str | int] | None = None) -> int:
        """Drop ready and delayed messages (those of *ids*, or all) and return how many."""
        dropped = moving.drop(self._view(queue), ids)
        self._free_places(queue)
        return dropped

    def _free_places(self, name: str) -> None:
        """Let publishers look again: dead letters count for the queue that they come from."""
        for queue in tuple(self._queues.values()):
            if name in (queue.spec.name, queue.spec.dead_letter):
                queue.free_places()

    def redrive(self, source: str, target: str, ids: Sequence[str | int] | None = None) -> int:
        """Move dead letters of *source* to *target* ("" is the queue each came from).

        A full target ends it: what was not moved stays a dead letter.

        Raises:
            QueueNotFound: Nothing could be moved, for want of a queue to move it to.
            QueueFull: Nothing could be moved, for want of room.
        """
        for name in filter(None, (source, target)):
            self._queue(name)
        moved, refused = moving.redrive(self._view(source), target, ids, list(self._queues))
        if refused and not moved:
            raise self._not_redriven(refused[0])
        for queue in self._queues.values():
            queue.stirred = True
        self._sender.ring()
        return moved

    def _not_redriven(self, refusal: list[Any]) -> QueueError:
        try:
            if refusal[0] == b"unknown":
                self._queue(refusal[1].decode())
            refusals.check_room_for_letter(refusal[2].decode(), refusal[1], 0, is_own=False)
        except QueueError as problem:
            return problem
        return QueueNotFound(f"no queue {refusal[1]!r}")

    def waiting(self, queue: str, limit: int, after: int = 0) -> list[Stored]:
        """Return up to *limit* messages that are ready or delayed, behind the number *after*."""
        return self._walk.waiting(self._view(queue), limit, after)

    def adopt(
        self, queue: str, stored: Sequence[Stored], source: str = "", *, keys: Sequence[str] = ()
    ) -> list[Answer]:
        """Store messages that lay elsewhere; those of *source* leave it in the same step."""
        target = self._queue(queue)
        origin = self._lying(source) if source else ""
        self._flush()
        answers = moving.adopt(self._asker, self._time, target, keyed(stored, keys), origin)
        target.look_again()
        self._free_places(source)
        self._sender.ring()
        return answers

    # Resting

    def pause(self, queue: str) -> None:
        """Deliver nothing from *queue*, at any host; buffers are handed back within a second."""
        self._change_pause(queue, "1")

    def resume(self, queue: str) -> None:
        """Deliver again."""
        self._change_pause(queue, "")

    @contextmanager
    def resting(self, queue: str) -> Iterator[None]:
        """Deliver nothing from *queue* inside a `with`; it ends with the session, if not before."""
        self._check_open()
        ours = self._sender.session
        self._change_pause(queue, ours, instead_of="-")
        try:
            yield
        finally:
            with suppress(Unavailable):  # then the session ends it
                self._change_pause(queue, "", instead_of=ours)

    def _change_pause(self, name: str, who: str, *, instead_of: str = "") -> None:
        self._lying(name)
        is_paused = bool(self._look("pause", name, who, instead_of))
        queue = self._queues.get(name)
        if queue is None:
            return
        queue.paused = is_paused
        queue.stirred = True
        if is_paused:
            queue.recall()
        self._sender.ring()

    def erase(self) -> None:
        """Delete all keys that begin with the prefix."""
        wire = self._wire("erases")
        wire.connect(MOST)
        cursor: Any = 0
        try:
            while True:
                pattern = f"{_escaped(self._base)}*"
                cursor, keys = wire.command("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
                if keys:
                    wire.command("UNLINK", *keys)
                if int(cursor) == 0:
                    break
        finally:
            wire.close()
        self._queues.clear()

    # Asking

    def _look(self, script: str, *args: Any) -> Any:
        """Run a script behind everything that was asked for so far."""
        self._flush()
        return self._asker.look(script, *args)

    def _view(self, queue: str) -> View:
        name = self._lying(queue)
        self._flush()
        return View(self._asker, name, self._time)

    def _flush(self) -> None:
        self._check_open()
        if self._sender.problem is not None:
            raise self._sender.problem
        if not self._sender.flush():
            raise self._sender.problem or Unavailable(f"{self._link.where} does not answer")

    def _check_open(self) -> None:
        if not self._is_open:
            raise self._closed()

    def _closed(self) -> QueueError:
        return self._problem or Unavailable(
            f"{self._link.where}: the driver is not running",
            hint="start the driver, then publish again",
        )

    def _lying(self, name: str) -> str:
        """The name of a queue, which nobody here may have declared: it is in the store."""
        is_foreign = name not in self._queues and self._is_open
        if is_foreign and self._asker.command("SISMEMBER", f"{self._base}queues", name):
            return name
        return self._queue(name).spec.name

    def _queue(self, name: str) -> BufferedQueue:
        return refusals.declared(self._queues, name, "Redis")


def _escaped(base: str) -> str:
    """Return *base* as a pattern that matches it alone."""
    return "".join(f"\\{one}" if one in "*?[]\\^-" else one for one in base)
