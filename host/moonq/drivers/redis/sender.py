"""The one thread that talks to the server: it settles, claims and publishes in few calls.

Two calls of each kind may be under way, so the server works while the next ones are made up. While
they are, work piles up: batches grow with the load, and no request waits for a timer.
"""

from __future__ import annotations

import itertools
import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import uuid4

from moonq import log
from moonq.clock import Clock
from moonq.drivers.base import LEASE, Event, machine
from moonq.drivers.buffered import Abandon, BufferedDesk, BufferedQueue, Ending, Held
from moonq.drivers.inbox import Inbox, Work
from moonq.drivers.redis.calls import Call, Publish, PublishCall, Section, WorkCall
from moonq.drivers.redis.desk import RedisDesk, hand_out, quotas
from moonq.drivers.redis.times import StoreTime
from moonq.drivers.redis.wiring import Forgotten, Wire
from moonq.errors import QueueError, QueueFull, Unavailable, Uncertain
from moonq.registry.connecting import Reconnecting

_log = log.get("moonq.redis")
#: Calls of one kind that are under way at once.
AHEAD = 2
#: Messages that one call publishes at most, so that the server never works long on one.
MANY = 1000
#: Seconds between two heartbeats, or less where a lease is short.
ROUND = 1.0
#: Real seconds that an answer may take.
PATIENCE = 10.0
#: Real seconds before the end of a lease in which nothing is started, or less of a short one.
MARGIN = 2.0
#: Real seconds for which storing is waited for, whatever the publisher's patience.
LEAST = 2.0
VERSION = "1"


class Sender:
    """See the module."""

    def __init__(
        self, wire: Wire, clock: Clock, store_time: StoreTime, reconnecting: Reconnecting
    ) -> None:
        self.queues: dict[str, BufferedQueue] = {}
        self.on_event: Callable[[Event], None] = lambda _: None
        self.session = ""
        self.problem: QueueError | None = None
        """Why there is no connection."""
        self._wire = wire
        self._clock = clock
        self._time = store_time
        self._pace = reconnecting
        self._inbox = Inbox()
        self.begin = self._inbox.begin
        self.ring = self._inbox.ring
        self._flying: deque[Call] = deque()
        self._backlog: deque[Publish] = deque()
        self._writer = ""
        self._sent = {"publish": 0, "work": 0}
        self._done = {"publish": 0, "work": 0}
        self._seats: dict[BufferedQueue, int] = {}
        self._about: list[Any] = []
        self._receipts: Iterator[int] = itertools.count(1)
        self._round = -math.inf
        self._heard = -math.inf
        """The real moment at which a heartbeat was sent that the server has answered."""
        self._delay = 0.0
        self._is_gone = False
        self._tripped = False
        self._stopping = False
        self._leaves = True
        self._give_up = math.inf
        self._thread: threading.Thread | None = None
        self.on_connect: Callable[[Any], None] = lambda _: None
        """Looks around at a new connection; what it raises keeps the driver away from it."""

    # Life

    def connect(self, name: str, pid: int) -> None:
        """Connect, and begin a session or go on with the one that still holds messages.

        Raises:
            QueueError: The server cannot be reached, turns us away, or is not fit.
        """
        self._about = [name, machine(), pid, repr(self._time.now())]
        self._writer = self._writer or uuid4().hex
        self._join()

    def start(self) -> None:
        """Begin to send."""
        self._stopping, self._give_up = False, math.inf
        self._round = -math.inf
        self._thread = threading.Thread(target=self._serve, name="moonq-redis", daemon=True)
        self._thread.start()

    def stop(self, seconds: float, *, leave: bool) -> bool:
        """Send what was asked for within *seconds*, then end; *leave* gives up the session, too.

        False: not all of it was sent.
        """
        self._give_up = time.monotonic() + seconds
        self._stopping = True
        self._leaves = leave
        self.ring()
        if self._thread is not None:
            self._thread.join(seconds + LEAST)
            is_over = not self._thread.is_alive()
            self._thread = None
            return is_over and not self._inbox.late
        return True

    def health(self) -> list[str]:
        """Return what hinders the sending now, a sentence each."""
        found = [] if self.problem is None else [self.problem.message]
        if late := len(self._inbox.late):
            found.append(f"{self._wire.where}: {late} verdicts could not be sent yet")
        return found

    # What others ask for

    def end(self, held: Held, ending: Ending) -> None:
        """End a delivery with the next call; never waits."""
        held.ended = self._time.now() if held.ended is None else held.ended
        self._inbox.end(held, ending)

    def leave(self, desk: BufferedDesk, when: float) -> None:
        """End everything at a desk that was left at *when*."""
        if desk.leave(Abandon(), when):
            self.ring()

    def orphan(self, desk: BufferedDesk) -> None:
        """Note a desk whose subscription was dropped; must take no lock."""
        self._inbox.orphans.append((desk, self._time.now()))

    def has_lapsed(self, lease: float) -> bool:
        """Whether what is held for *lease* seconds may be others' by now, or very soon."""
        return time.monotonic() - self._heard > lease - min(MARGIN, lease / 4)

    def lag(self, desk: BufferedDesk) -> int:
        """Return how many endings of *desk* are not in the store."""
        flying = [held for call in list(self._flying) for held, _ in _endings(call)]
        return self._inbox.lag(desk) + sum(1 for held in flying if held.desk is desk)

    def publish(self, work: Publish, seconds: float) -> list[Any]:
        """Store messages and return what became of each.

        Raises:
            Unavailable: They were not stored, and will not be.
            Uncertain: They may have been stored.
            QueueError: They were refused.
        """
        self._inbox.put(work, self._inbox.publishes)
        patience = seconds if self.problem else max(seconds, LEAST)
        if not work.wait(patience):
            work.error = self._late(work, patience)
        if work.error is not None:
            raise work.error
        result: list[Any] = work.result
        return result

    def _late(self, work: Work, seconds: float) -> QueueError:
        if work.abandon():
            return self.problem or Unavailable(f"{self._wire.where} does not answer")
        return Uncertain(
            f"{self._wire.where} has not answered for {seconds:.0f} s: it may have been stored",
            hint="publish again with the same id and a dedup_key",
        )

    def flush(self, seconds: float = PATIENCE) -> bool:
        """Wait until everything asked for so far is in the store; False: it is not yet."""
        if self._thread is None:
            return False
        if threading.current_thread() is self._thread:
            return True  # a listener to our events asks
        work = Work(None)
        self._inbox.put(work, self._inbox.tasks)
        return work.wait(seconds) and work.error is None

    def notice(self, name: str) -> None:
        """Note that something has happened to a queue at another host."""
        queue = self.queues.get(name)
        if queue is not None:
            queue.look_again()
            self.ring()

    # The thread

    def _serve(self) -> None:
        while True:
            try:
                self._turn()
            except QueueError as problem:
                self._stumble(problem)
            except Exception as error:
                _log.exception("the Redis driver met a bug")
                self._stumble(Unavailable(f"{self._wire.where}: {error}"))
            if self._stopping and not self._is_busy():
                break
            if time.monotonic() > self._give_up:
                break
        self._end()

    def _is_busy(self) -> bool:
        return bool(self._flying or self._backlog or self._inbox.has_work())

    def _end(self) -> None:
        problem = self.problem or Unavailable(f"{self._wire.where}: the driver is not running")
        self._inbox.fail(problem)
        while self._backlog:
            self._backlog.popleft().done(problem)
        while self._flying:
            self._forsake(self._flying.popleft())
        if self._leaves and self._wire.is_up:
            try:
                self._wire.call("leave", [self.session, self._time.given()])
                self.session = ""
                self._seats.clear()
            except QueueError:
                _log.warning("%s: the session ends with its lease", self._wire.where)
        self._wire.close()

    def _forsake(self, call: Call) -> None:
        """Give up a call that has no answer: its verdicts are not stored as far as we know."""
        if isinstance(call, PublishCall):
            call.fail(Uncertain(f"{self._wire.where} did not answer before the driver was closed"))
        elif isinstance(call, WorkCall):
            self._inbox.late += call.endings
            self._unask(call)
        self._answer(call)

    def _turn(self) -> None:
        if not self._wire.is_up and not self._reconnect():
            return
        while self._inbox.orphans:
            self.leave(*self._inbox.orphans.popleft())
        if self._is_gone:
            if not self._flying:
                self._begin_anew()
        elif self._has_room() and self._dispatch():
            return
        if self._flying:
            self._land()
        elif not self._stopping:
            self._sleep()

    def _has_room(self) -> bool:
        works = sum(1 for call in self._flying if isinstance(call, WorkCall))
        return works < AHEAD and len(self._flying) - works < AHEAD

    def _sleep(self) -> None:
        if self._tripped:
            # What failed may fail again at once: a broken server is no reason to burn a core.
            self._tripped = False
            time.sleep(0.05)
        self._inbox.sleep(self._clock, self._pause)

    def _pause(self) -> float:
        alarm = min((queue.alarm for queue in list(self.queues.values())), default=math.inf)
        heartbeat = self._round + self._interval() - self._clock.monotonic()
        return min(alarm - self._time.now(), heartbeat)

    def _leases(self) -> list[float]:
        desks = [desk for queue in list(self.queues.values()) for desk in queue.desks]
        return [desk.lease for desk in desks if isinstance(desk, RedisDesk)]

    def _interval(self) -> float:
        return min([ROUND, *(lease / 3 for lease in self._leases())])

    # Sending

    def _dispatch(self) -> bool:
        """Send what there is; False: there was nothing."""
        now = self._clock.monotonic()
        is_round = now >= self._round + self._interval()
        if is_round:
            self._round = now
            self._inbox.retry()
        self._inbox.await_company()
        wanted = self._inbox.collect()
        self._backlog.extend(work for work in wanted.publishes if isinstance(work, Publish))
        # What ends makes room for what is published.
        works = self._plan(wanted.endings, wanted.begun, is_round)
        publishes = self._next_publish()
        for call in (works, publishes):
            if call is not None:
                self._put(call)
        self._attach(wanted.tasks)
        return works is not None or publishes is not None

    def _put(self, call: Call) -> None:
        self._sent[call.script] += 1
        call.number = self._sent[call.script]
        self._flying.append(call)
        self._transmit(call)

    def _transmit(self, call: Call) -> None:
        owner = self._writer if isinstance(call, PublishCall) else self.session
        call.sent_at, call.posted = self._clock.monotonic(), time.monotonic()
        self._wire.send(call.script, call.args(owner, self._time.given()))

    def _next_publish(self) -> PublishCall | None:
        works: list[Publish] = []
        count = 0
        while self._backlog and count < MANY:
            work = self._backlog.popleft()
            if work.begin():
                works.append(work)
                count += work.count
                work.queue.stirred = True
        return PublishCall(works) if works else None

    def _plan(
        self, endings: Iterable[tuple[Held, Ending]], begun: Iterable[Held], is_round: bool
    ) -> WorkCall | None:
        sections: dict[BufferedQueue, Section] = {}

        def of(queue: BufferedQueue) -> Section:
            found = sections.get(queue)
            if found is None:
                found = sections[queue] = Section(queue)
            return found

        for held, ending in endings:
            of(held.queue).add(held, ending)
            held.queue.stirred = True
        for held in begun:
            if not held.settled:
                of(held.queue).begun.append(held)
        asked: list[tuple[BufferedDesk, int]] = []
        moment = self._time.now()
        for queue in list(self.queues.values()):
            if is_round or queue.alarm <= moment:
                queue.stirred |= is_round
                of(queue)
            self._seat(queue, of, is_round)
            wanted, looks = quotas(queue)
            asked += looks
            if wanted:
                queue.stirred = False
                of(queue).quotas = wanted
        term = max([LEASE, *self._leases()]) if is_round else None
        call = WorkCall(list(sections.values()), term, moment) if sections else None
        self._promise(asked, call)
        return call

    def _seat(
        self, queue: BufferedQueue, of: Callable[[BufferedQueue], Section], is_round: bool
    ) -> None:
        count, told = len(queue.desks), self._seats.get(queue, 0)
        if count == told and not (is_round and (count or queue in self._seats)):
            return
        section = of(queue)
        leases = [desk.lease for desk in queue.desks if isinstance(desk, RedisDesk)]
        section.term = max(leases, default=LEASE)
        if count != told:
            section.seats = self._seats[queue] = count

    def _promise(self, asked: list[tuple[BufferedDesk, int]], call: WorkCall | None) -> None:
        """Note who has an answer when *call* has: or the last one under way, or at once."""
        flying = [one for one in self._flying if isinstance(one, WorkCall)]
        last = call or (flying[-1] if flying else None)
        if last is None:
            _tell(asked)
        else:
            last.asked += asked

    def _attach(self, flushes: list[Work]) -> None:
        if self._flying:
            self._flying[-1].flushes += flushes
            return
        for work in flushes:
            work.done()

    # Landing

    def _land(self) -> None:
        """Take the answer to the oldest call under way."""
        call = self._flying[0]
        try:
            answer = self._wire.receive()
        except Forgotten:
            # Done again under its number, as after a cut.
            self._wire.close()
            return
        except QueueError as problem:
            if not self._wire.is_up:
                raise
            self._flying.popleft()
            self._refuse(call, problem)
            return
        self._flying.popleft()
        status = answer[0]
        if status == b"ok":
            self._accept(call, answer)
        elif status == b"early" and not call.is_doubtful and self._is_out_of_step(call):
            self._put(call)
        else:
            self._lose(call, status)

    def _accept(self, call: Call, answer: list[Any]) -> None:
        self._done[call.script] = call.number
        if not call.is_doubtful:
            self._time.learn(call.sent_at, answer[1])
        if isinstance(call, PublishCall):
            self._stored(call, answer[2])
        elif isinstance(call, WorkCall):
            if call.term is not None and not call.is_doubtful:
                self._heard = call.posted
            for section, part in zip(call.sections, answer[2], strict=True):
                self._land_section(section, part)
            for name in answer[4]:
                if (queue := self.queues.get(name.decode())) is not None:
                    queue.free_places()
        self.tell(answer[3])
        self._answer(call)

    def _stored(self, call: PublishCall, answers: list[Any]) -> None:
        for section in call.sections:
            first = section[0]
            if first.form != "p":
                first.queue.alarm = -math.inf  # something may be due, or expire
        call.land(answers)
        self._inbox.note_commit(len(call.works), self._clock.monotonic() - call.sent_at)

    def tell(self, events: Iterable[Any]) -> None:
        """Report what the scripts tell of."""
        for kind, queue, detail in events:
            self._report(Event(kind.decode(), queue.decode(), detail=detail.decode()))

    def _report(self, event: Event) -> None:
        try:
            self.on_event(event)
        except Exception:
            _log.exception("a listener to the driver's events failed")

    def _land_section(self, section: Section, part: list[Any]) -> None:
        _, status, alarm, refused, taken = part
        queue = section.queue
        queue.alarm = float(alarm) if alarm else math.inf
        self._follow_pause(queue, status == b"paused")
        late = {int(number) for number in refused}
        for held, ending in section.endings:
            name = held.delivery.message.id
            if held.row in late:
                self._report(Event("lease_lost", queue.spec.name, detail=name))
            elif isinstance(ending, Abandon):
                self._report(Event("interrupted", queue.spec.name, detail=name))
        if status == b"gone" and self._seats.get(queue):
            self._drop(queue)
        hand_out(section, taken, self._receipts, self._time)

    def _follow_pause(self, queue: BufferedQueue, paused: bool) -> None:
        if paused and not queue.paused:
            queue.paused = True
            queue.recall()
        elif queue.paused and not paused:
            queue.paused = False
            queue.stirred = True

    def _answer(self, call: Call) -> None:
        _tell(call.asked)
        for work in call.flushes:
            work.done()

    # What goes wrong

    def _is_out_of_step(self, call: Call) -> bool:
        """Whether it came too early for one before it was refused; it has its number anew then.

        Where the server has forgotten the line, another one begins.
        """
        if self._done[call.script] + 1 < call.number:
            self._sent[call.script] = max(
                [self._done[call.script], *self._numbers_after(call.script, call.number)]
            )
            return True
        if isinstance(call, WorkCall):
            return False
        self._writer, self._sent["publish"], self._done["publish"] = uuid4().hex, 0, 0
        return True

    def _numbers_after(self, script: str, number: int) -> list[int]:
        """Numbers of calls under way that were given since the one of *number* was refused."""
        return [one.number for one in self._flying if one.script == script and one.number < number]

    def _refuse(self, call: Call, problem: QueueError) -> None:
        """The server took nothing of it."""
        self._sent[call.script] = call.number - 1
        if isinstance(call, PublishCall):
            call.fail(problem)
        elif isinstance(call, WorkCall):
            if not isinstance(problem, QueueFull):
                _log.error("%s", problem.in_one_line())
            self._inbox.again(call.endings, [held for s in call.sections for held in s.begun])
            self._unask(call)
            self._tripped = True
        self._answer(call)

    def _unask(self, call: WorkCall) -> None:
        for section in call.sections:
            for desk, count in section.quotas:
                desk.requested -= count

    def _lose(self, call: Call, status: bytes) -> None:
        """The server does not know our line, or the session has ended."""
        if isinstance(call, PublishCall):
            call.fail(
                Uncertain(
                    f"{self._wire.where} has forgotten what it was sent: it may have been stored",
                    hint="publish again with the same id and a dedup_key",
                )
            )
            if status == b"early":
                self._writer, self._sent["publish"], self._done["publish"] = uuid4().hex, 0, 0
        elif isinstance(call, WorkCall):
            for held, _ in call.endings:
                lost = Event("lease_lost", held.queue.spec.name, detail=held.delivery.message.id)
                self._report(lost)
            self._unask(call)
            self._is_gone = True
        self._answer(call)

    def _begin_anew(self) -> None:
        """The session has ended: what it held belongs to others."""
        _log.warning("%s: the session was not heard of and has ended", self._wire.where)
        for queue in list(self.queues.values()):
            self._drop(queue)
        self.session = ""
        self._open_session()
        self._is_gone = False

    def _drop(self, queue: BufferedQueue) -> None:
        """Forget all that is held of a queue; its seat is taken anew."""
        self._seats.pop(queue, None)
        queue.look_again()
        with queue.lock:
            for desk in queue.desks:
                desk.buffer.clear()
                desk.held.clear()

    def _stumble(self, problem: QueueError) -> None:
        if self._wire.is_up:
            self._wire.close()
        if self.problem is None:
            self._report(Event("reconnecting", None, detail=problem.in_one_line()))
        self.problem = problem

    def _reconnect(self) -> bool:
        """Connect and make again what was under way; False: not yet."""
        for call in self._flying:
            call.is_doubtful = True
        if self.problem is not None:
            self._back_off()
            if time.monotonic() > self._give_up:
                return False
        self._join()
        for call in self._flying:
            self._transmit(call)
        if self.problem is not None:
            self.problem = None
            self._report(Event("reconnected", None, detail=self._wire.where))
        self._delay = 0.0
        return True

    def _back_off(self) -> None:
        first, longest = self._pace.reconnect_delay, self._pace.reconnect_max_delay
        self._delay = min(max(self._delay * 2, first), longest)
        until = time.monotonic() + self._delay * random.uniform(0.7, 1.0)
        while (left := min(until, self._give_up) - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))

    def _join(self) -> None:
        """Connect, look around, and open the session."""
        client = self._wire.connect(PATIENCE)
        try:
            self.on_connect(client)
            self._open_session()
        except BaseException:
            self._wire.close()
            raise

    def _open_session(self) -> None:
        is_new = not self.session
        self.session = self.session or uuid4().hex
        sent, posted = self._clock.monotonic(), time.monotonic()
        term = max([LEASE, *self._leases()])
        args = [self.session, self._time.given(), repr(term), *self._about, VERSION]
        answer = self._wire.call("open", args)
        self._time.learn(sent, answer[1])
        self.tell(answer[3])
        if is_new:
            self._heard = posted
        if is_new or not self._flying:
            self._sent["work"] = self._done["work"] = answer[2]


def _tell(asked: Iterable[tuple[BufferedDesk, int]]) -> None:
    for desk, number in asked:
        with desk.queue.lock:
            desk.answered = max(desk.answered, number)
            desk.bell.notify_all()


def _endings(call: Call) -> list[tuple[Held, Ending]]:
    return call.endings if isinstance(call, WorkCall) else []
