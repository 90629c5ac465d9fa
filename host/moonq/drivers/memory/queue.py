"""One queue of the memory driver: where its messages are and how they move.

    line -> leased -> running -> gone      the straight road: a list, a dict, nothing else
      ^        |         |
      +--------+---------+-> timers -> line    hand-back, interruption; retry, snooze, wait
                         +-> the line of the dead letters

Every method here expects the driver's lock to be held.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Literal

from moonq.drivers.base import Event
from moonq.drivers.desk import Desk
from moonq.drivers.letters import X_ORIGINAL_QUEUE, dead_letter
from moonq.drivers.memory.dedup import Dedup
from moonq.drivers.memory.ordering import Groups, Line, Timers
from moonq.drivers.memory.record import (
    BLOCKED,
    DELAYED,
    LEASED,
    PARKED,
    READY,
    RUNNING,
    Record,
    flat,
    waiting,
)
from moonq.drivers.refusals import full, too_heavy
from moonq.drivers.story import FRESH, Story, costs_turn, has_lost_turn
from moonq.drivers.weight import OVERHEAD, of_headers, weight
from moonq.errors import CutShort, QueueError, Unavailable
from moonq.model import (
    NO_HEADERS,
    Dead,
    DeadReason,
    Interrupt,
    Message,
    Priority,
    QueueSpec,
    Receipt,
    Retry,
    Snooze,
    Stored,
    Verdict,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from moonq.drivers.memory.shared import Shared
    from moonq.model import Headers

_NORMAL = Priority.NORMAL


class MemoryQueue:
    """Messages in one process; the module's drawing shows the roads between their states."""

    def __init__(self, spec: QueueSpec, shared: Shared, room: float) -> None:
        self.spec = spec
        self.shared = shared
        self.room = room
        """How many messages there may be; dead letters are let in beyond it."""
        self.most = math.inf
        """What its messages and its dead letters may weigh; dead letters are let in beyond it."""
        self.bytes = 0
        self.dead_bytes = 0
        """What dead letters weigh that came from here, wherever they lie."""
        self._turned_away = 0
        """What the message weighed that was refused last for its weight; 0: none was since."""
        self.dead: MemoryQueue | None = None
        self.line = Line()
        self.levels = self.line.levels
        self.delays = Timers()
        self.groups = Groups()
        self.length = 0
        """All messages that are not gone."""
        self.alarm = math.inf
        """The earliest moment of any timer."""
        self.paused = False
        self.desks: list[MemoryDesk] = []
        self.idle: deque[MemoryDesk] = deque()
        """Desks with workers at the bell, the next to ring in front."""
        self.pressing = 0
        """Publishers that wait for a place."""
        self.place_free = shared.lock.condition()
        self._expiries = Timers()
        self._dedup = Dedup()

    # Publishing

    def put(
        self,
        message_id: str,
        body: bytes,
        published_at: float,
        headers: Headers,
        content_type: str,
        priority: Priority,
    ) -> bool:
        """Store a message that only waits; False: there is more to a publish here."""
        weighs = OVERHEAD + len(body)
        has_headers = headers is not NO_HEADERS
        if has_headers:
            weighs += of_headers(headers)
        shared = self.shared
        if (
            self.length >= self.room
            or self.bytes + self.dead_bytes + weighs > self.most
            or self.spec.ttl is not None
            or shared.closed
        ):
            return False
        self.levels[priority].append(
            (
                next(shared.numbers),
                weighs,
                message_id,
                body,
                published_at,
                content_type,
                flat(headers) if has_headers else None,
                None if priority is _NORMAL else int(priority),
                None,
                READY,
            )
        )
        if self.idle:
            self.ring()
        self.length += 1
        self.bytes += weighs
        return True

    def publish(
        self, messages: Sequence[Message], timeout: float, may_wait: bool
    ) -> list[Receipt | QueueError]:
        """Store *messages*, one answer for each."""
        answers: list[Receipt | QueueError] = []
        shared, ttl = self.shared, self.spec.ttl
        deadline = 0.0
        for message in messages:
            weighs = OVERHEAD + len(message.body)
            if message.headers is not NO_HEADERS:
                weighs = weight(message)
            if (
                self.length >= self.room
                or self.bytes + self.dead_bytes + weighs > self.most
                or message.dedup_key is not None
                or shared.closed
            ):
                deadline = deadline or shared.clock.monotonic() + timeout
                answer = self._admit(message, weighs, deadline, may_wait)
                if answer is not None:
                    answers.append(answer)
                    continue
            number = next(shared.numbers)
            if message.delay > 0 or message.ttl is not None or ttl is not None:
                self._set_timers(message, number, weighs)
            elif message.group is not None:
                self._arrive(Record(message, number, weighs))
            else:
                self.levels[message.priority].append(waiting(message, number, weighs))
                if self.idle:
                    self.ring()
            self.length += 1
            self.bytes += weighs
            answers.append(Receipt(message.id))
        return answers

    def _set_timers(self, message: Message, number: int, weighs: int) -> None:
        now = self.shared.clock.monotonic()
        ttl = self.spec.ttl if message.ttl is None else message.ttl
        if ttl is None and message.group is None:
            self.delays.put(waiting(message, number, weighs, DELAYED), now + message.delay)
            self._set_alarm()
            return
        record = Record(message, number, weighs)
        if ttl is not None:
            record.expires = now + ttl
            self._expiries.put(record, record.expires)
        if message.delay > 0:
            # It stands in its group's order already: what is published later is served later.
            self.groups.join(record)
            self._delay(record, now + message.delay, DELAYED)
        else:
            self._arrive(record)
        self._set_alarm()

    def _arrive(self, record: Record) -> None:
        if self.groups.join(record):
            self._line_up(record)
        else:
            record.place = BLOCKED

    def receive(self, message: Message, story: Story = FRESH) -> None:
        """Take over a message from another queue: a dead letter, or one that was redriven."""
        record = self._come(message, story)
        self._arrive(record)

    def _come(self, message: Message, story: Story) -> Record:
        """Count a message that has a story."""
        record = Record(message, next(self.shared.numbers), weight(message, story.errors))
        record.story = story
        self.length += 1
        self.bytes += record.weight
        origin = message.headers.get(X_ORIGINAL_QUEUE)
        record.origin = None if origin is None else self.shared.home(str(origin))
        if record.origin is not None:
            record.origin.dead_bytes += record.weight
        return record

    def adopt(self, stored: Stored, key: str = "") -> Receipt | QueueError:
        """Store a message that lay elsewhere, with its story and what is left of its delays.

        One that was stored under *key* lately is not stored again.
        """
        shared = self.shared
        if not shared.closed and key and self._dedup.known(key, shared.clock.monotonic()):
            return Receipt(stored.message.id, duplicate=True)
        # What was promised at its publish is in `due` and `expires` by now.
        message = stored.message._replace(delay=0.0, ttl=None)
        weighs = weight(message, stored.errors)
        if shared.closed or not self._has_room(weighs):
            return self._refusal(weighs)
        record = self._come(message, Story.of(stored))
        now, wall = shared.clock.monotonic(), shared.clock.now()
        for known in filter(None, (message.dedup_key, key)):
            self._dedup.remember(known, message.id, now + self.spec.dedup_window)
        if stored.expires is not None:
            record.expires = now + stored.expires - wall
            self._expiries.put(record, record.expires)
        if stored.due is None or stored.due <= wall:
            self._arrive(record)
        elif has_lost_turn(stored, self.spec.group_on_failure):
            self._delay(record, now + stored.due - wall, PARKED)
        else:
            self.groups.join(record)
            self._delay(record, now + stored.due - wall, DELAYED)
        self._set_alarm()
        return Receipt(message.id)

    def _admit(
        self, message: Message, weighs: int, deadline: float, may_wait: bool
    ) -> Receipt | QueueError | None:
        """Answer in the place of a message that is not stored; None: there is room for it."""
        shared = self.shared
        while True:
            now = shared.clock.monotonic()
            known = message.dedup_key and self._dedup.known(message.dedup_key, now)
            if known and not shared.closed:
                return Receipt(known, duplicate=True)
            if not shared.closed and self._has_room(weighs):
                break
            is_patient = shared.closed or (may_wait and self.spec.overflow == "block")
            if not is_patient or now >= deadline:
                return self._refusal(weighs)
            try:
                self._await_place(min(deadline, self.alarm) - now)
            except CutShort as over:
                return over
        if message.dedup_key:
            self._dedup.remember(message.dedup_key, message.id, now + self.spec.dedup_window)
        return None

    def _await_place(self, timeout: float) -> None:
        self.pressing += 1
        try:
            self.shared.clock.wait(self.place_free, timeout)
        finally:
            self.pressing -= 1

    def _has_room(self, weighs: int) -> bool:
        self.tick()
        while self.spec.overflow == "drop_oldest" and self._would_help(weighs):
            # What is at work or delayed is never dropped for the sake of a newcomer.
            victim = self.line.oldest() or self.groups.oldest()
            if victim is None:
                return False
            self.tell("dropped", "max_length")
            self.withdraw(victim)
            self.bury(victim, "max_length")
        has_room = self.length < self.room and not self._is_too_heavy(weighs)
        if has_room:
            self._turned_away = 0
        return has_room

    def _is_too_heavy(self, weighs: int) -> bool:
        return self.bytes + self.dead_bytes + weighs > self.most

    def _would_help(self, weighs: int) -> bool:
        """Whether to drop the oldest makes room: as a dead letter it would weigh as much."""
        return self.length >= self.room or (self.dead is None and self._is_too_heavy(weighs))

    def is_clogged(self) -> bool:
        """Whether a publish was refused that has no room even when all but dead letters is gone."""
        return self._turned_away > 0 and self.dead_bytes + self._turned_away > self.most

    def _refusal(self, weighs: int) -> QueueError:
        name = self.spec.name
        if self.shared.closed:
            return Unavailable(
                f"queue {name!r}: its memory driver is not running",
                hint="start the driver, then publish again",
            )
        if self.length >= self.room:
            return full(name, self.length, self.room)
        self._turned_away = weighs
        return too_heavy(name, self.bytes, self.dead_bytes, self.most)

    # Moving on

    def tick(self) -> None:
        """Let happen what is due: first those that are too late go, then the delayed come."""
        if self.shared.orphans:
            self.shared.reap()
        if self.alarm == math.inf:
            return
        now = self.shared.clock.monotonic()
        if self.alarm > now:
            return
        for record in self._expiries.due(now):
            # A leased one is with a consumer already: it is refused when it is started.
            if record.place != LEASED:
                self.withdraw(record)
                self.expire(record)
        for record in self.delays.due(now):
            self._come_due(record)
        self._set_alarm()

    def _come_due(self, record: Record) -> None:
        record.position = next(self.shared.numbers)
        if record.place == PARKED:
            self._arrive(record)
        elif self.groups.has_turn(record):
            self._line_up(record)
        else:
            record.place = BLOCKED

    def _line_up(self, record: Record) -> None:
        record.place = READY
        self.line.put(record)
        self.ring()

    def _delay(self, record: Record, due: float, place: Literal["delayed", "parked"]) -> None:
        record.place = place
        self.delays.put(record, due)
        self._set_alarm()

    def _set_alarm(self) -> None:
        before, self.alarm = self.alarm, min(self.delays.first(), self._expiries.first())
        if self.alarm < before:
            # Those that wait reckoned with a later moment.
            self.wake_all()

    def withdraw(self, record: Record) -> None:
        """Take a waiting record out of the line or the timers; its group keeps its turn."""
        if record.place == READY:
            self.line.remove(record)
        self.delays.cancel(record)

    def gone(self, record: Record) -> None:
        """Forget *record*; its slot and its turn are free."""
        self.length -= 1
        self.bytes -= record.weight
        origin = record.origin
        if origin is not None:
            origin.dead_bytes -= record.weight
            origin.let_look_again()
        if self.pressing:
            # A heavy one that waits in front has no room yet, perhaps: then the next one has.
            self.place_free.notify(1 if self.most == math.inf else self.pressing)
        if record.expires is not None:
            self._expiries.cancel(record)
        self._pass_turn(record)

    def let_look_again(self) -> None:
        """Have publishers that wait for room look again."""
        if self.pressing:
            self.place_free.notify_all()

    def _pass_turn(self, record: Record) -> None:
        following = self.groups.leave(record)
        if following is not None and following.place == BLOCKED:
            self._line_up(following)

    def begun(self, record: Record) -> None:
        """Its first run started in time: no ttl concerns *record* any more."""
        self._expiries.cancel(record)
        record.expires = None

    def expire(self, record: Record) -> None:
        """End *record*, whose first run did not start in time."""
        self.tell("expired", record.message.id)
        if self.spec.on_expire == "drop":
            self.gone(record)
        else:
            self.bury(record, "expired")

    def bury(self, record: Record, reason: DeadReason) -> None:
        """Put *record* among the dead letters, if its queue has any, then forget it here."""
        story = record.story
        if self.dead is not None:
            letter = dead_letter(
                record.message,
                story,
                queue=self.spec.name,
                reason=reason,
                time=self.shared.clock.now(),
                ran=record.place == RUNNING,
            )
            self.dead.receive(letter, Story(errors=story.errors))
        self.gone(record)

    def end(self, record: Record, verdict: Verdict) -> None:
        """End a delivery of *record* as *verdict*, which is no `Ack`, says."""
        record.story = record.story.after(verdict, self.shared.clock.now())
        self._weigh(record)
        if isinstance(verdict, Dead):
            if self.dead is None:
                self.tell("dropped", verdict.reason)
            self.bury(record, verdict.reason)
        elif isinstance(verdict, Retry | Snooze | Wait):
            self._again(record, verdict)
        else:
            self.hand_back(record)

    def _weigh(self, record: Record) -> None:
        """Count what *record* remembers by now."""
        weighs = weight(record.message, record.story.errors)
        if record.origin is not None:
            record.origin.dead_bytes += weighs - record.weight
        self.bytes += weighs - record.weight
        record.weight = weighs

    def _again(self, record: Record, verdict: Retry | Snooze | Wait) -> None:
        """Let *record* come back after a delay; a failure may cost it the turn of its group."""
        due = self.shared.clock.monotonic() + verdict.delay
        self._watch_ttl(record)
        if record.message.group and costs_turn(verdict, self.spec.group_on_failure):
            self._pass_turn(record)
            self._delay(record, due, PARKED)
        else:
            self._delay(record, due, DELAYED)

    def hand_back(self, record: Record) -> None:
        """Let *record* stand again where it stood before it was leased."""
        self._watch_ttl(record)
        self._line_up(record)

    def _watch_ttl(self, record: Record) -> None:
        """Set the timer again that went off while *record* was leased and not started."""
        if record.expires is not None and self._expiries.when(record) is None:
            self._expiries.put(record, record.expires)
            self._set_alarm()

    def tell(
        self, kind: Literal["expired", "dropped", "interrupted", "lease_lost"], detail: str
    ) -> None:
        """Note something that happened unasked."""
        self.shared.news.append(Event(kind, self.spec.name, detail=detail))

    # Consumers

    def ring(self) -> None:
        """Wake one waiting worker that can be served; desks in turn, so that none starves."""
        for _ in range(0 if self.paused else len(self.idle)):
            desk = self.idle[0]
            self.idle.rotate(-1)
            if desk.buffer or desk.has_room():
                desk.bell.notify()
                return

    def wake_all(self) -> None:
        """Let every waiting worker and publisher look again."""
        for desk in self.idle:
            desk.bell.notify_all()
        self.let_look_again()

    def seat(self, desk: MemoryDesk) -> None:
        """Let *desk* be served; those that wait look up in time for its lease."""
        self.desks.append(desk)
        self.wake_all()

    def shortest_lease(self) -> float:
        """Return after how many seconds a subscription that was dropped is to be noticed."""
        return min((desk.lease for desk in self.desks), default=math.inf)

    def pause(self) -> None:
        """Deliver nothing more; what has not started comes back at once."""
        self.paused = True
        for desk in self.desks:
            desk.recall()

    def resume(self) -> None:
        """Deliver again."""
        self.paused = False
        self.wake_all()

    def discard(self, record: Record) -> None:
        """Forget a waiting record, as if it had never been published."""
        self.withdraw(record)
        if record.message.dedup_key is not None:
            self._dedup.forget(record.message.dedup_key, record.message.id)
        self.gone(record)


class MemoryDesk(Desk[MemoryQueue, Record]):
    """What one subscription holds; workers pop from its buffer without the lock."""

    def __init__(self, queue: MemoryQueue, prefetch: int, lease: float) -> None:
        super().__init__(queue, prefetch, queue.shared.lock.condition())
        self.lease = lease

    def recall(self) -> None:
        """Hand back everything that has not started."""
        self.buffer.clear()
        leased = [(receipt, r) for receipt, r in self.held.items() if r.place == LEASED]
        # Newest first: each then goes to the very front of the line.
        for receipt, record in reversed(leased):
            del self.held[receipt]
            self.queue.hand_back(record)

    def abandon(self) -> None:
        """Leave the queue: what is still running here has lost its worker."""
        if self not in self.queue.desks:
            return
        self.queue.desks.remove(self)
        self.stop()
        while self.held:
            record = self.held.popitem()[1]
            self.queue.end(record, Interrupt())
            self.queue.tell("interrupted", record.message.id)
