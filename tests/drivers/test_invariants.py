"""Contract section 1: what holds after every step of whatever anybody does.

A machine plays publishers, workers, operators and accidents at random, in virtual time, and keeps
its own simple books. After each step the driver's books must say the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from tests.drivers.conftest import DRIVERS, PLACES

from moonq.conformance.scene import BOOM, Consumer, Scene
from moonq.errors import QueueFull
from moonq.model import (
    ACK,
    RELEASE,
    Ack,
    Dead,
    Delivery,
    Interrupt,
    Priority,
    Receipt,
    Release,
    Retry,
    Snooze,
    Stored,
    Verdict,
    Wait,
)

pytestmark = pytest.mark.aside("stores")
#: A run has 60 steps at most and fewer where it ends early: these make 2 000 for sure.
EXAMPLES, STEPS = 50, 60
#: Where each look goes to a server: what is the same for all drivers the others have shown.
AT_A_SERVER = 12
Wishes = dict[str, Any]


def a_delay(dice: Random) -> float:
    return dice.choice((0.0, 0.0, 0.0, 0.0, 0.5, 40.0))


def a_verdict(dice: Random) -> Verdict:
    verdicts: tuple[Verdict, ...] = (
        ACK,
        RELEASE,
        Retry(a_delay(dice), BOOM),
        Snooze(a_delay(dice)),
        Interrupt(BOOM),
        Wait(a_delay(dice)),
        Dead("rejected", BOOM),
    )
    return dice.choice(verdicts)


def a_pick(dice: Random) -> Wishes:
    return {"pick": dice.randrange(20)}


def a_message(dice: Random) -> Wishes:
    return {
        "count": dice.randint(1, 4),
        "priority": dice.choice(tuple(Priority)),
        "delay": a_delay(dice),
        "ttl": dice.choice((None, None, None, 5.0)),
        "group": dice.choice((None, None, None, "A", "B")),
        "key": dice.choice((None, None, None, None, "k1", "k2")),
    }


def some_numbers(dice: Random) -> Wishes:
    return {"numbers": {dice.randint(1, 40) for _ in range(dice.randint(0, 10))}}


#: What may happen, how often beside the rest, and with what.
ACTIONS: dict[str, tuple[int, Callable[[Random], Wishes]]] = {
    "publish": (6, a_message),
    "take": (5, lambda dice: {**a_pick(dice), "limit": dice.randint(1, 5)}),
    "start": (5, a_pick),
    "settle": (6, lambda dice: {**a_pick(dice), "verdict": a_verdict(dice)}),
    "work": (8, lambda dice: {**a_pick(dice), "verdicts": [a_verdict(dice) for _ in range(3)]}),
    "settle_too_late": (3, lambda dice: {**a_pick(dice), "verdict": a_verdict(dice)}),
    "time_passes": (5, lambda dice: {"seconds": dice.choice((0.1, 0.1, 0.1, 1, 1, 1, 7, 50, 400))}),
    "sit_down": (2, lambda dice: {"prefetch": dice.randint(1, 4)}),
    "stop": (1, a_pick),
    "pause_or_resume": (1, a_pick),
    "pause_or_resume_the_queue": (1, lambda dice: {}),
    "restart": (1, lambda dice: {}),
    "leave": (1, lambda dice: {**a_pick(dice), "crash": dice.random() < 0.5}),
    "purge": (1, some_numbers),
    "redrive": (2, some_numbers),
    "redrive_all": (1, lambda dice: {}),
}
NAMES = [name for name, (times, _) in ACTIONS.items() for _ in range(times)]


@dataclass
class Life:
    """What the books say about one message."""

    number: int
    group: str | None
    due: float
    expires: float | None
    where: str = "waiting"  # waiting | taken | running | dead | gone
    attempt: int = 1
    interruptions: int = 0
    snoozes: int = 0
    lost_at: float | None = None
    skipped: bool = False
    key: str | None = None


@dataclass
class Hold:
    seat: Seat
    delivery: Delivery
    started: bool = False


@dataclass
class Seat:
    """A consumer, and what was taken from it and not settled."""

    consumer: Consumer
    prefetch: int
    holds: list[Hold] = field(default_factory=list)
    stopped: bool = False
    paused: bool = False


class Books(RuleBasedStateMachine):
    """One queue, up to three consumers, and everybody who can meddle."""

    make_scene: ClassVar[Callable[[], Scene]]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.scene = type(self).make_scene()
        self.lives: dict[str, Life] = {}
        self.seats: list[Seat] = []
        self.stale: list[tuple[Seat, Delivery]] = []
        self.keys: dict[str, tuple[str, float]] = {}
        self.paused = False
        self.lost = 0
        self.published = 0

    @initialize(
        max_length=st.sampled_from([3, 8, 20, 1000]),
        overflow=st.sampled_from(["reject", "drop_oldest"]),
        on_expire=st.sampled_from(["dead_letter", "drop"]),
        group_on_failure=st.sampled_from(["block", "skip"]),
        dead_letter=st.sampled_from(["q.dead", None]),
        ttl=st.sampled_from([None, None, 30.0]),
    )
    def declare(self, **spec: Any) -> None:
        self.spec = self.scene.declare(**spec)
        self.sit_down(3)

    @rule(dice=st.randoms(use_true_random=True))
    def act(self, dice: Random) -> None:
        """One rule, one number drawn: hypothesis would switch rules off for whole runs."""
        name = dice.choice(NAMES)
        wishes = ACTIONS[name][1](dice)
        note(f"{name} {wishes}")
        getattr(self, name)(**wishes)

    # Publishers

    def publish(self, count: int, key: str | None, **wishes: Any) -> None:
        for _ in range(count):
            self.published += 1
            name = f"m{self.published}"
            held = len(self.held_slots())
            answer = self.scene.offer(name, dedup_key=key, **wishes)
            if isinstance(answer, QueueFull):
                assert held >= (self.spec.max_length or 0)
                continue
            assert isinstance(answer, Receipt)
            if self.note_duplicate(answer, key, name):
                continue
            if self.spec.overflow == "reject":
                assert held < (self.spec.max_length or 0)
            ttl = self.spec.ttl if wishes["ttl"] is None else wishes["ttl"]
            now = self.now
            expires = None if ttl is None else now + ttl
            due = now + wishes["delay"]
            self.lives[name] = Life(self.next_number(), wishes["group"], due, expires, key=key)
            self.settle_the_books()

    def note_duplicate(self, receipt: Receipt, key: str | None, name: str) -> bool:
        if key is None:
            assert receipt == Receipt(name)
            return False
        first, until = self.keys.get(key, ("", 0.0))
        known = until > self.now
        assert receipt == (Receipt(first, duplicate=True) if known else Receipt(name))
        if not known:
            self.keys[key] = (name, self.now + self.spec.dedup_window)
        return known

    # Workers

    def sit_down(self, prefetch: int) -> None:
        if len(self.seats) < 3:
            self.seats.append(Seat(self.scene.consumer(prefetch), prefetch))

    def pick_seat(self, pick: int) -> Seat:
        if not self.seats:
            self.sit_down(3)
        return self.seats[pick % len(self.seats)]

    def take(self, pick: int, limit: int) -> None:
        self.take_at(self.pick_seat(pick), limit)

    def take_at(self, seat: Seat, limit: int) -> list[Hold]:
        now = self.now
        taken = seat.consumer.subscription.take(limit, 0.0)
        assert len(taken) <= limit
        if self.paused or seat.paused or seat.stopped:
            assert taken == []
        for delivery in taken:
            self.note_delivery(delivery, now)
        holds = [Hold(seat, delivery) for delivery in taken]
        seat.holds += holds
        assert len(seat.holds) <= seat.prefetch
        return holds

    def note_delivery(self, delivery: Delivery, now: float) -> None:
        life = self.lives[delivery.message.id]
        assert life.where == "waiting"
        assert life.due <= now
        counters = (life.attempt, life.interruptions, life.snoozes)
        assert (delivery.attempt, delivery.interruptions, delivery.snoozes) == counters
        assert delivery.lost_at == pytest.approx(life.lost_at)
        life.where = "taken"
        if life.group is not None:
            self.check_group(life)

    def check_group(self, life: Life) -> None:
        """Nobody of the group is at work, and nobody before it was passed over."""
        for other in self.lives.values():
            if other is life or other.group != life.group:
                continue
            assert other.where not in {"taken", "running"}
            if other.where == "waiting" and other.number < life.number:
                assert other.skipped

    def start(self, pick: int) -> None:
        if hold := self.pick_hold(pick):
            self.start_it(hold)

    def start_it(self, hold: Hold) -> bool:
        life = self.lives[hold.delivery.message.id]
        in_time = life.expires is None or life.expires > self.now
        started = hold.seat.consumer.subscription.start(hold.delivery)
        assert started == (not hold.started and in_time)
        if started:
            hold.started, life.where, life.expires = True, "running", None
        elif not hold.started:
            self.let_go(hold)
            life.where = "waiting"
            self.settle_the_books()
            assert life.where in {"dead", "gone"}
        return started

    def settle(self, pick: int, verdict: Verdict) -> None:
        if hold := self.pick_hold(pick):
            self.settle_it(hold, verdict)

    def settle_it(self, hold: Hold, verdict: Verdict) -> None:
        assert hold.seat.consumer.settle(hold.delivery, verdict)
        self.let_go(hold)
        self.note_verdict(self.lives[hold.delivery.message.id], verdict)

    def work(self, pick: int, verdicts: list[Verdict]) -> None:
        """Do what a worker does: take, start, settle; whatever was held up goes on."""
        if self.paused:
            self.pause_or_resume_the_queue()
        seat = self.pick_seat(pick)
        if seat.stopped or seat.paused:
            self.leave(pick, crash=False)
            seat = self.pick_seat(pick)
        for verdict in verdicts:
            for hold in self.take_at(seat, 1):
                if self.start_it(hold):
                    self.settle_it(hold, verdict)

    def settle_too_late(self, pick: int, verdict: Verdict) -> None:
        if not self.stale:
            return
        seat, delivery = self.stale[-1 - pick % len(self.stale)]
        before = self.shown()
        told = self.scene.told("lease_lost")
        assert not seat.consumer.settle(delivery, verdict)
        assert not seat.consumer.subscription.start(delivery)
        assert self.scene.told("lease_lost") == told + 1
        assert self.shown() == before

    def note_verdict(self, life: Life, verdict: Verdict) -> None:
        life.where = "waiting"
        if isinstance(verdict, Retry | Snooze | Wait):
            life.due, life.lost_at = self.now + verdict.delay, None
        if isinstance(verdict, Ack):
            life.where = "gone"
        elif isinstance(verdict, Dead):
            self.note_death(life)
        elif isinstance(verdict, Retry):
            life.attempt += 1
        elif isinstance(verdict, Snooze):
            life.snoozes += 1
        elif isinstance(verdict, Interrupt):
            life.interruptions += 1
            life.lost_at = self.scene.clock.now()
        else:
            assert isinstance(verdict, Release | Wait)
        if isinstance(verdict, Retry | Wait) and self.spec.group_on_failure == "skip":
            life.skipped = True

    def note_death(self, life: Life) -> None:
        if self.spec.dead_letter is None:
            self.lost += 1
            life.where = "gone"
        else:
            life.where = "dead"

    # Accidents and operators

    def time_passes(self, seconds: float) -> None:
        self.scene.later(seconds)

    def stop(self, pick: int) -> None:
        seat = self.pick_seat(pick)
        seat.consumer.subscription.stop()
        seat.stopped = True
        self.hand_back(seat)

    def pause_or_resume(self, pick: int) -> None:
        seat = self.pick_seat(pick)
        seat.paused = not seat.paused
        if seat.paused:
            seat.consumer.subscription.pause()
            self.hand_back(seat)
        else:
            seat.consumer.subscription.resume()

    def pause_or_resume_the_queue(self) -> None:
        self.paused = not self.paused
        (self.scene.driver.pause if self.paused else self.scene.driver.resume)("q")
        for seat in self.seats if self.paused else []:
            self.hand_back(seat)

    def leave(self, pick: int, crash: bool) -> None:
        """Close over running handlers, or vanish without a word."""
        seat = self.pick_seat(pick)
        self.seats.remove(seat)
        self.hand_back(seat)
        interrupted = list(seat.holds)
        for hold in interrupted:
            self.let_go(hold)
        if crash:
            self.stale = [(other, delivery) for other, delivery in self.stale if other is not seat]
            seat.consumer.crash()
        else:
            seat.consumer.subscription.close(self.now)
        for hold in interrupted:
            self.note_verdict(self.lives[hold.delivery.message.id], Interrupt())

    def restart(self) -> None:
        """Everybody's process dies; the next one finds what is stored."""
        if self.scene.driver.capabilities().durable == "none":
            return
        while self.seats:
            self.leave(0, crash=True)
        # What old receipts are told was asked in the old process.
        self.stale.clear()
        self.scene.restart()
        self.scene.driver.declare(self.spec)

    def purge(self, numbers: set[int]) -> None:
        names = [f"m{number}" for number in sorted(numbers)]
        self.settle_the_books()
        shown = {stored.message.id: stored.state for stored in self.scene.peek(limit=1000)}
        expected = {name for name in names if shown.get(name) in {"ready", "delayed"}}
        assert self.scene.driver.purge("q", names) == len(expected)
        for name in expected:
            life = self.lives[name]
            life.where = "gone"
            if self.keys.get(life.key or "", ("", 0.0))[0] == name:
                del self.keys[str(life.key)]

    def redrive(self, numbers: set[int]) -> None:
        self.redrive_those([f"m{number}" for number in sorted(numbers)])

    def redrive_all(self) -> None:
        self.redrive_those(None)

    def redrive_those(self, names: list[str] | None) -> None:
        if self.spec.dead_letter is None:
            return
        self.settle_the_books()
        stored = self.scene.driver.peek("q.dead", 1000).items
        if names is not None:
            stored.sort(key=lambda one: one.number)  # those that are named go in their order
        letters = [one.message.id for one in stored]
        wanted = [name for name in letters if names is None or name in names]
        room = max(0, (self.spec.max_length or 0) - len(self.held_slots()))
        try:
            moved = self.scene.driver.redrive("q.dead", "", names)
        except QueueFull:
            moved = 0
        assert moved == min(len(wanted), room)
        for name in wanted[:moved]:
            # It stands at the end of its group now: its order there begins anew.
            group = self.lives[name].group
            self.lives[name] = Life(self.next_number(), group, self.now, None)

    def next_number(self) -> int:
        return max((life.number for life in self.lives.values()), default=0) + 1

    # The books

    @property
    def now(self) -> float:
        return self.scene.clock.monotonic()

    def pick_hold(self, pick: int) -> Hold | None:
        holds = [hold for seat in self.seats for hold in seat.holds]
        return holds[pick % len(holds)] if holds else None

    def let_go(self, hold: Hold) -> None:
        hold.seat.holds.remove(hold)
        self.stale.append((hold.seat, hold.delivery))

    def hand_back(self, seat: Seat) -> None:
        for hold in [hold for hold in seat.holds if not hold.started]:
            self.let_go(hold)
            self.lives[hold.delivery.message.id].where = "waiting"

    def held_slots(self) -> list[Life]:
        self.settle_the_books()
        return [life for life in self.lives.values() if life.where in OCCUPYING]

    def shown(self) -> tuple[list[Stored], list[Stored]]:
        driver = self.scene.driver
        return driver.peek("q", 1000).items, driver.peek("q.dead", 1000).items

    def settle_the_books(self) -> None:
        """Follow what the driver may do by itself: let expire, and drop the oldest."""
        here, letters = self.shown()
        reasons = {
            stored.message.id: stored.message.headers["x_dead_letter_reason"] for stored in letters
        }
        present = {stored.message.id for stored in here}
        for name, life in self.lives.items():
            if life.where != "waiting" or name in present:
                continue
            expired = life.expires is not None and life.expires <= self.now
            assert expired or self.spec.overflow == "drop_oldest", f"{name} is missing"
            if name in reasons:
                assert reasons[name] == ("expired" if expired else "max_length")
                life.where = "dead"
            else:
                assert self.spec.dead_letter is None or self.spec.on_expire == "drop"
                self.lost += 1
                life.where = "gone"

    @invariant()
    def nobody_is_missing_and_nobody_is_double(self) -> None:
        if not hasattr(self, "spec"):
            return
        type(self).steps += 1
        self.settle_the_books()
        here, letters = self.shown()
        at_home = sorted(name for name, life in self.lives.items() if life.where in OCCUPYING)
        buried = sorted(name for name, life in self.lives.items() if life.where == "dead")
        assert sorted(stored.message.id for stored in here) == at_home
        assert sorted(stored.message.id for stored in letters) == buried
        for stored in here:
            self.check_state(stored)
        if self.scene.driver.kind in {"queue.driver.memory", "queue.driver.sqlite"}:
            ready = [one.message.published_at for one in here if one.state == "ready"]
            age = self.scene.info().oldest_age
            wanted = self.scene.clock.now() - min(ready) if ready else None
            assert age == wanted or self.scene.near(age, wanted or 0.0)

    def check_state(self, stored: Stored) -> None:
        life = self.lives[stored.message.id]
        assert (stored.attempt, stored.interruptions) == (life.attempt, life.interruptions)
        if life.where == "running":
            assert stored.state == "running"
        elif life.where == "taken":
            assert stored.state == "leased"
        elif life.due > self.now:
            assert stored.state == "delayed"
        else:
            assert stored.state in {"ready", "leased"}  # leased: in a buffer
            in_time = life.expires is None or life.expires > self.now
            assert in_time or stored.state == "leased"

    @invariant()
    def the_counts_are_those_of_the_books(self) -> None:
        if not hasattr(self, "spec"):
            return
        info = self.scene.info()
        wheres = [life.where for life in self.lives.values()]
        assert info.message_count == sum(where in OCCUPYING for where in wheres)
        assert info.running == wheres.count("running")
        assert info.dead == wheres.count("dead")
        assert info.consumer_count == len(self.seats)
        expired = self.scene.told("expired") if self.spec.on_expire == "drop" else 0
        silent = self.spec.dead_letter is None
        dropped = self.scene.told("dropped") + self.scene.told("expired") if silent else expired
        assert dropped == self.lost

    def teardown(self) -> None:
        """In the end everything that is left can be done."""
        if not hasattr(self, "spec"):
            return
        if self.paused:
            self.pause_or_resume_the_queue()
        while self.seats:
            self.leave(0, crash=False)
        consumer = self.scene.consumer(1000)
        for _ in range(60):
            consumer.finish(limit=1000)
            self.scene.later(60.0)
        assert self.scene.counts().keys() <= {"dead"}


OCCUPYING = {"waiting", "taken", "running"}


def test_the_invariants_hold_whatever_happens(
    make_scene: Callable[[], Scene], driver_name: str
) -> None:
    """§1 I1-I7: 2 000 random steps at least, 480 with a server's help."""
    examples = AT_A_SERVER if DRIVERS[driver_name].kind in PLACES else EXAMPLES

    class Machine(Books):
        steps = 0

    Machine.make_scene = staticmethod(make_scene)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Machine.steps >= 40 * examples
