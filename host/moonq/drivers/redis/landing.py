"""What the answers to calls lead to: deliveries at desks, events, places that are free."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from moonq import log
from moonq.drivers.base import Event
from moonq.drivers.buffered import Abandon, BufferedDesk, Held
from moonq.drivers.redis.calls import PublishCall, Section, WorkCall
from moonq.drivers.redis.planning import Planner
from moonq.drivers.redis.times import StoreTime
from moonq.drivers.redis.wire import counters, dressed, tale_of, unpacked
from moonq.model import Delivery

_log = log.get("moonq.redis")


class Lander:
    """See the module."""

    def __init__(self, planner: Planner, store_time: StoreTime) -> None:
        self.on_event: Callable[[Event], None] = lambda _: None
        self._planner = planner
        self._time = store_time
        self._receipts: Iterator[int] = itertools.count(1)

    def stored(self, call: PublishCall, answers: list[Any]) -> None:
        """Give publishers what became of their messages."""
        for section in call.sections:
            first = section[0]
            if first.form != "p":
                first.queue.alarm = -math.inf  # something may be due, or expire
        call.land(answers)

    def worked(self, call: WorkCall, parts: list[Any], freed: list[bytes]) -> None:
        """Hand out what was leased, queue by queue; places became free in the queues of *freed*."""
        for section, part in zip(call.sections, parts, strict=True):
            self._land_section(section, part)
        for name in freed:
            if (queue := self._planner.queues.get(name.decode())) is not None:
                queue.free_places()

    def tell(self, events: Iterable[Any]) -> None:
        """Report what the scripts tell of."""
        for kind, queue, detail in events:
            self.report(Event(kind.decode(), queue.decode(), detail=detail.decode()))

    def report(self, event: Event) -> None:
        """Report *event*; a listener's mistake is its own."""
        try:
            self.on_event(event)
        except Exception:  # noqa: BLE001 - what it told of is done, and goes on
            _log.exception("a listener to the driver's events failed")

    def _land_section(self, section: Section, part: list[Any]) -> None:
        _, status, alarm, refused, taken = part
        queue = section.queue
        queue.alarm = float(alarm) if alarm else math.inf
        queue.follow_pause(paused=status == b"paused")
        late = {int(number) for number in refused}
        for held, ending in section.endings:
            name = held.delivery.message.id
            if held.row in late:
                self.report(Event("lease_lost", queue.spec.name, detail=name))
            elif isinstance(ending, Abandon):
                self.report(Event("interrupted", queue.spec.name, detail=name))
        if status == b"gone" and self._planner.has_seat(queue):
            self._planner.drop(queue)
        _hand_out(section, taken, self._receipts, self._time)


def _hand_out(section: Section, taken: list[Any], receipts: Iterator[int], time: StoreTime) -> None:
    """Give the desks what was leased for them."""
    if not section.quotas:
        return
    queue = section.queue
    rows = _rows(*taken)
    is_full = len(taken[0]) == section.wanted
    with queue.lock:
        queue.stirred |= is_full
        for desk, count in section.quotas:
            desk.requested -= count
            desk.more = is_full
            for _, row in zip(range(count), rows, strict=False):
                receipt = next(receipts)
                held = _held(desk, row, receipt, time)
                desk.held[receipt] = held
                desk.buffer.append(held.delivery)
            if not desk.is_open():
                desk.recall()
            desk.bell.notify_all()


def _rows(
    numbers: list[bytes], blobs: list[bytes], tales: list[Any], expiries: list[Any]
) -> Iterator[tuple[Any, ...]]:
    nothing: list[Any] = [None] * len(numbers)
    return zip(numbers, blobs, tales or nothing, expiries or nothing, strict=True)


def _held(desk: BufferedDesk, row: tuple[Any, ...], receipt: int, time: StoreTime) -> Held:
    number, blob, text, expires = row
    message = unpacked(blob)
    if text is None and expires is None:
        return Held(int(number), desk, Delivery(message, receipt), None, None, False)  # the most
    tale = tale_of(text)
    attempt, interruptions, snoozes, lost_at = counters(tale)
    delivery = Delivery(
        dressed(message, tale, time), receipt, attempt, interruptions, snoozes, time.shown(lost_at)
    )
    return Held(
        int(number),
        desk,
        delivery,
        tale.get("errors"),
        None if expires is None else float(expires),
        bool(tale.get("suspect")),
        lost_at,
    )
