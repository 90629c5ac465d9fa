"""One thread with one Lua state: runs the deliveries it is given and settles them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence

from moonq.model import Delivery
from moonq.run.calling.lending import Caller
from moonq.run.judgement import ACKED, RELEASED, RETURNED, Event, Judgement, asked, stopped
from moonq.run.settling import Settler
from moonq.run.times import Times
from moonq.sandbox.state import Progress
from moonq.sandbox.states import State

#: The most messages that cross into Lua at once, and the work that may lie behind them: a batch
#: is too short to be worth waiting for, but one crossing costs as much as a quick handler.
MAX_BATCH = 64
SLICE = 0.001

#: Makes a state for a worker, with the consumer's function open.
StateMaker = Callable[[Caller, Callable[[], None]], State]


class Pace:
    """How quick the handler is of late, in seconds per message: rises at once, falls slowly."""

    __slots__ = ("seconds",)

    def __init__(self) -> None:
        # Slow until the first messages prove otherwise.
        self.seconds = SLICE

    def note(self, seconds: float, messages: int) -> None:
        """Remember that *messages* took *seconds*."""
        per_message = seconds / messages
        self.seconds = max(per_message, self.seconds * 0.8 + per_message * 0.2)

    def note_wait(self) -> None:
        """Remember that the handler waited: then messages are best spread, however quick it is."""
        self.seconds = max(SLICE, self.seconds)

    def is_quick(self) -> bool:
        """Whether several messages make a slice of work."""
        return self.seconds <= SLICE / 2

    def batch(self) -> int:
        """Return how many messages make a slice of work."""
        return max(1, min(MAX_BATCH, int(SLICE / self.seconds)))


class Worker:
    """One thread with one Lua state."""

    def __init__(
        self,
        number: int,
        caller: Caller,
        make_state: StateMaker,
        settler: Settler,
        on_abandoned: Callable[[Worker], None],
        on_slow: Callable[[Worker], None],
    ) -> None:
        self.number = number
        self.acked = 0
        self.is_idle = True
        self.abandoned = False
        self.pace = Pace()
        self.times = Times()
        self.thread: threading.Thread | None = None
        self._make_state = make_state
        self._settler = settler
        self._on_abandoned = on_abandoned
        self._on_slow = on_slow
        self._state: State | None = None
        self._keeps = False
        # What is in Lua's hands now, and which of it has a verdict; settled by several threads,
        # so the driver has the last word.
        self._running: Sequence[Delivery] = ()
        self._settled: set[int] = set()
        self._shared_out = False
        caller.settle, caller.message = self._settle_early, self._message
        caller.waits = self._share_out
        caller.log_context = self._log_context
        self._caller = caller

    def open(self) -> None:
        """Have a state with the function open.

        Raises:
            ScriptFault: The function's file does not load.
            Stopped: Loading it took too much time or memory.
        """
        if self._state is None:
            self._state = self._make_state(self._caller, lambda: self._on_abandoned(self))
            self._keeps = self._settler.notes is not None and self._settler.notes.watch(self._state)
            self._state.guard.on_long = lambda: self._on_slow(self)

    def close(self) -> None:
        """Give the state back."""
        if self._state is not None:
            self._state.close()
            self._state = None

    def running(self) -> list[Delivery]:
        """Return the deliveries that are in Lua's hands and not settled."""
        settled = self._settled
        return [one for index, one in enumerate(self._running, 1) if index not in settled]

    def fire(self, reason: str = "stop") -> None:
        """Cut the running handler off."""
        state = self._state
        if state is not None:
            state.guard.fire(reason)

    def fired_for(self) -> str:
        """Return why the running handler is being cut off, "" when it is not."""
        state = self._state
        return state.guard.reason if state is not None else ""

    def give_up(self, judge: Callable[[Delivery], Judgement]) -> list[str]:
        """Settle what is stuck in Lua from outside; names the messages."""
        stuck = self.running()
        for number, delivery in enumerate(stuck):
            # Only the first can be running: the others have not begun.
            judgement = RELEASED if number else judge(delivery)
            self._settle(self._running.index(delivery) + 1, judgement)
        return [delivery.message.id for delivery in stuck]

    def handle(self, deliveries: Sequence[Delivery]) -> None:
        """Run and settle *deliveries*."""
        start = self._settler.subscription.start
        waiting = [one for one in deliveries if self._may_start(one) and start(one)]
        self._settler.begun(waiting)
        while waiting:
            done = self._run(waiting)
            waiting = [] if self._shared_out else waiting[done:]
            if waiting and (self._state is None or self._settler.is_stopping):
                self._hand_back(waiting)
                return

    def _may_start(self, delivery: Delivery) -> bool:
        """Whether it is not one whose last lease ended without a verdict, or has waited for it."""
        if delivery.lost_at is None:
            return True
        judgement = self._settler.judge(delivery, RETURNED)
        if judgement.action == "start":
            return True
        self._settler.settle(delivery, judgement)
        return False

    def _run(self, deliveries: Sequence[Delivery]) -> int:
        """Run some of *deliveries*, in order; returns how many were settled."""
        state = self._state
        assert state is not None
        self._settled = set()
        self._shared_out = False
        self._running = deliveries
        settings = self._settler.settings
        if settings.auto_ack:
            for index in range(1, len(deliveries) + 1):
                self._settle(index, ACKED)
        began = time.perf_counter()
        progress = state.deliver(settings.timeout, [one.message.body for one in deliveries])
        self._note(time.perf_counter() - began, progress)
        if (self._keeps or progress.outcomes) and self._settler.notes is not None:
            self._settler.notes.look(progress, state if self._keeps else None)
        done = self._conclude(progress)
        self._running = ()
        if state.spent:
            self.close()
        return done

    def _note(self, seconds: float, progress: Progress) -> None:
        if progress.done:
            self.pace.note(seconds, progress.done)
        if progress.stopped is not None:
            # It is the one that was cut off that took so long.
            self.times.note(seconds)
        elif progress.done:
            self.times.note(seconds / progress.done, progress.done)

    def _conclude(self, progress: Progress) -> int:
        if not (progress.outcomes or self._settled or progress.stopped):
            return self._ack_all(progress.done)
        for outcome in progress.outcomes:
            if outcome.kind == "lost":
                self._settle(outcome.number, RELEASED)
            elif outcome.kind != "settled":
                self._end(outcome.number, Event(outcome.kind, outcome.fault, outcome.delay))
            self._settled.add(outcome.number)
        for index in range(1, progress.done + 1):
            self._settle(index, ACKED)
        if progress.stopped is None:
            return progress.done
        cut_off = progress.done + 1
        if progress.stopped.reason == "killed":
            self._settler.killed()
        self._end(cut_off, stopped(progress.stopped))
        return cut_off

    def _ack_all(self, done: int) -> int:
        """Settle the first *done* messages: the common case, in one go."""
        self._settled = set(range(1, done + 1))
        self.acked += self._settler.ack(self._running[:done])
        return done

    def _end(self, index: int, event: Event) -> bool:
        """Settle as *event* leads to, unless it was settled before."""
        if index in self._settled:
            return False
        return self._settle(index, self._settler.judge(self._running[index - 1], event))

    def _hand_back(self, deliveries: Sequence[Delivery]) -> None:
        # From the last: each goes to the front of the queue.
        for delivery in reversed(deliveries):
            self._settler.settle(delivery, RELEASED)

    def _settle(self, index: int, judgement: Judgement) -> bool:
        if index in self._settled:
            return False
        self._settled.add(index)
        done = self._settler.settle(self._running[index - 1], judgement)
        self.acked += done and judgement.action == "ack"
        return done

    # What the handler asks of its message ---------------------------------------------------------

    def _settle_early(self, index: int, action: str, delay: float, reason: str) -> bool:
        if not 0 < index <= len(self._running):
            return False
        return self._end(index, asked(action, delay, reason))

    def _share_out(self, answer: tuple[object, ...]) -> None:
        """A handler waits: settle what is done before it, hand back what has not begun."""
        self.pace.note_wait()
        self._on_slow(self)
        if len(self._running) < 2:
            return
        assert self._state is not None
        done = self._conclude(self._state.progress(answer))
        for later in range(len(self._running), done + 1, -1):
            self._shared_out = self._settle(later, RELEASED) or self._shared_out

    def _message(self, index: int) -> bytes:
        return described(self._running[index - 1], self._caller.context.serves)

    def _log_context(self, index: int) -> dict[str, object]:
        if not 0 < index <= len(self._running):
            return {}
        delivery = self._running[index - 1]
        return {"message_id": delivery.message.id, "attempt": delivery.attempt}


def described(delivery: Delivery, queue: bytes) -> bytes:
    """Return what a handler may see of its message, as JSON."""
    message = delivery.message
    return json.dumps(
        {
            "id": message.id,
            "attempt": delivery.attempt,
            "interruptions": delivery.interruptions,
            "published_at": message.published_at,
            "queue": queue.decode(),
            "headers": dict(message.headers),
        },
        ensure_ascii=False,
    ).encode()
