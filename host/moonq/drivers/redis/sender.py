"""The one thread that talks to the server: it settles, claims and publishes in few calls.

Two calls of each kind may be under way, so the server works while the next ones are made up. While
they are, work piles up: batches grow with the load, and no request waits for a timer.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import uuid4

from moonq import log, threads
from moonq.clock import Clock
from moonq.drivers.base import Event
from moonq.drivers.buffered import BufferedDesk, Ending, Held
from moonq.drivers.inbox import Work
from moonq.drivers.redis.calls import Publish, PublishCall, WorkCall
from moonq.drivers.redis.front import LEAST, Front
from moonq.drivers.redis.landing import Lander
from moonq.drivers.redis.lines import Call
from moonq.drivers.redis.planning import Planner
from moonq.drivers.redis.publishing import BYTES
from moonq.drivers.redis.session import Remind, Session
from moonq.drivers.redis.times import StoreTime
from moonq.drivers.redis.wiring import Forgotten, Wire
from moonq.errors import QueueError, QueueFull, Unavailable, Uncertain
from moonq.registry.connecting import Reconnecting

_log = log.get("moonq.redis")
#: Calls that are under way at once. Publishers that wait for one come back together for the next.
WORKS, PUBLISHES = 2, 1
#: Messages that one call publishes at most, so that the server never works long on one.
MANY = 1000


class Sender(Front):
    """See the module."""

    def __init__(
        self,
        wire: Wire,
        clock: Clock,
        store_time: StoreTime,
        reconnecting: Reconnecting,
        look_around: Callable[[Any], None],
        remind: Remind,
    ) -> None:
        super().__init__(wire.where, store_time)
        self._wire = wire
        self._clock = clock
        self._pace = reconnecting
        self.planner = Planner(store_time)
        self.lander = Lander(self.planner, store_time)
        self.on_event: Callable[[Event], None] = self.lander.report
        self._session = Session(
            wire, clock, store_time, self.planner, self.lander, look_around, remind
        )
        self.is_sure = self._session.is_sure
        self._lines = self._session.lines
        self._flying: deque[Call] = deque()
        self._backlog: deque[Publish] = deque()
        self._round = -math.inf
        self._delay = 0.0
        self._is_gone = self._tripped = self._stopping = False
        self._leaves = True
        self._give_up = math.inf

    @property
    def session(self) -> str:
        """The id of the session at the server, if there is one."""
        return self._session.id

    # Life

    def connect(self, name: str, pid: int) -> None:
        """Connect, and begin a session or go on with the one that still holds messages.

        Raises:
            QueueError: The server cannot be reached, turns us away, or is not fit.
        """
        self._session.introduce(name, pid)
        self._session.join(is_calm=not self._flying)

    def disconnect(self) -> None:
        """Give the connection back without a word; there must be no thread."""
        self._wire.close()

    def start(self) -> None:
        """Begin to send."""
        self._stopping, self._give_up = False, math.inf
        self._round = -math.inf
        thread = threading.Thread(target=self._serve, name="moonq-redis", daemon=True)
        threads.start(thread)
        self._thread = thread

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

    def lag(self, desk: BufferedDesk) -> int:
        """Return how many endings of *desk* are not in the store."""
        flying = [held for call in list(self._flying) for held, _ in _endings(call)]
        return self._inbox.lag(desk) + sum(1 for held in flying if held.desk is desk)

    def notice(self, name: str) -> None:
        """Note that something has happened to a queue at another host."""
        queue = self.planner.queues.get(name)
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
            except Exception as error:  # noqa: BLE001 - without this thread nothing moves
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
            self._session.leave()
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
                self._session.begin_anew()
                self._is_gone = False
        elif self._has_room() and self._dispatch():
            return
        if self._flying:
            self._land()
        elif not self._stopping:
            self._sleep()

    def _has_room(self) -> bool:
        works = sum(1 for call in self._flying if isinstance(call, WorkCall))
        return works < WORKS and len(self._flying) - works < PUBLISHES

    def _sleep(self) -> None:
        if self._tripped:
            # What failed may fail again at once: a broken server is no reason to burn a core.
            self._tripped = False
            time.sleep(0.05)
        self._inbox.sleep(self._clock, self._pause)

    def _pause(self) -> float:
        alarm = min((queue.alarm for queue in list(self.planner.queues.values())), default=math.inf)
        heartbeat = self._round + self.planner.interval() - self._clock.monotonic()
        return min(alarm - self._time.now(), heartbeat)

    # Sending

    def _dispatch(self) -> bool:
        """Send what there is; False: there was nothing."""
        now = self._clock.monotonic()
        is_round = now >= self._round + self.planner.interval()
        if is_round:
            self._round = now
            self._inbox.retry()
        self._inbox.hush()
        wanted = self._inbox.collect()
        self._backlog.extend(work for work in wanted.publishes if isinstance(work, Publish))
        # What ends makes room for what is published.
        works, asked = self.planner.plan(wanted.endings, wanted.begun, is_round)
        self._promise(asked, works)
        calls = [call for call in (works, self._next_publish()) if call is not None]
        self._put(calls, wanted.tasks)
        return bool(calls)

    def _put(self, calls: Sequence[Call], flushes: list[Work]) -> None:
        # All is noted before any of it is sent: a connection that is lost then loses nothing.
        for call in calls:
            self._lines[call.script].number(call)
            self._flying.append(call)
        self._attach(flushes)
        for call in calls:
            self._transmit(call)

    def _transmit(self, call: Call) -> None:
        call.sent_at = self._clock.monotonic()
        args = call.args(self._lines[call.script].owner, self._time.given())
        self._wire.send(call.script, args)

    def _next_publish(self) -> PublishCall | None:
        works: list[Publish] = []
        count = size = 0
        while self._backlog and count < MANY and size < BYTES:
            work = self._backlog.popleft()
            if work.begin():
                works.append(work)
                count += work.count
                size += work.size
                work.queue.stirred = True
        return PublishCall(works) if works else None

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
            self._put([call], [])
        else:
            self._lose(call, status)

    def _accept(self, call: Call, answer: list[Any]) -> None:
        self._lines[call.script].accept(call)
        if not call.is_doubtful:
            self._time.learn(call.sent_at, answer[1])
        if isinstance(call, PublishCall):
            self.lander.stored(call, answer[2])
        elif isinstance(call, WorkCall):
            self._refusal = None
            if call.term is not None and not call.is_doubtful:
                self._session.heard = call.sent_at
            self.lander.worked(call, answer[2], answer[4])
        self.lander.tell(answer[3])
        self._answer(call)

    def _answer(self, call: Call) -> None:
        _tell(call.asked)
        for work in call.flushes:
            work.done()

    # What goes wrong

    def _is_out_of_step(self, call: Call) -> bool:
        """Whether it came too early for one before it was refused; it has its number anew then.

        Where the server has forgotten the line, another one begins.
        """
        line = self._lines[call.script]
        if line.is_ahead(call):
            line.step_back([one for one in self._flying if one.script == call.script], call)
            return True
        if isinstance(call, WorkCall):
            return False
        line.begin(uuid4().hex)
        return True

    def _refuse(self, call: Call, problem: QueueError) -> None:
        """The server took nothing of it."""
        self._lines[call.script].refuse(call)
        if isinstance(call, PublishCall):
            call.fail(problem)
        elif isinstance(call, WorkCall):
            if self._refusal is None and not isinstance(problem, QueueFull):
                _log.error("%s", problem.in_one_line())
            self._refusal = problem
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
                self._lines["publish"].begin(uuid4().hex)
        elif isinstance(call, WorkCall):
            for held, _ in call.endings:
                lost = Event("lease_lost", held.queue.spec.name, detail=held.delivery.message.id)
                self.lander.report(lost)
            self._unask(call)
            self._is_gone = True
        self._answer(call)

    def _stumble(self, problem: QueueError) -> None:
        if self._wire.is_up:
            self._wire.close()
        if self.problem is None:
            self.lander.report(Event("reconnecting", None, detail=problem.in_one_line()))
        self.problem = problem

    def _reconnect(self) -> bool:
        """Connect and make again what was under way; False: not yet."""
        for call in self._flying:
            call.is_doubtful = True
        if self.problem is not None:
            self._back_off()
            if time.monotonic() > self._give_up:
                return False
        self._session.join(is_calm=not self._flying)
        for call in self._flying:
            self._transmit(call)
        if self.problem is not None:
            self.problem = None
            self.lander.report(Event("reconnected", None, detail=self._wire.where))
        self._delay = 0.0
        return True

    def _back_off(self) -> None:
        first, longest = self._pace.reconnect_delay, self._pace.reconnect_max_delay
        self._delay = min(max(self._delay * 2, first), longest)
        until = time.monotonic() + self._delay * random.uniform(0.7, 1.0)
        while (left := min(until, self._give_up) - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))


def _tell(asked: Iterable[tuple[BufferedDesk, int]]) -> None:
    for desk, number in asked:
        with desk.queue.lock:
            desk.answered = max(desk.answered, number)
            desk.bell.notify_all()


def _endings(call: Call) -> list[tuple[Held, Ending]]:
    return call.endings if isinstance(call, WorkCall) else []
