"""Calls of scripts: the publishes of many callers, and a session's work at all its queues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from moonq.drivers.buffered import BufferedQueue, Ending, Held
from moonq.drivers.inbox import Work
from moonq.drivers.redis.desk import RedisDesk
from moonq.drivers.redis.endings import ended
from moonq.drivers.redis.lines import Call
from moonq.errors import MoonqError
from moonq.model import ACK, Ack


class Publish(Work):
    """Messages that a caller publishes and waits for, packed as the script takes them."""

    __slots__ = ("args", "count", "form", "patient", "queue", "size")

    def __init__(
        self, queue: BufferedQueue, form: str, args: list[Any], count: int, *, patient: bool
    ) -> None:
        super().__init__(None)
        self.queue = queue
        self.form = form
        """``p``: bodies alone; ``f``: seven values for each message."""
        self.args = args
        self.count = count
        self.size = sum(len(arg) for arg in args if isinstance(arg, bytes))
        self.patient = patient


class PublishCall(Call):
    """Publishes of many callers in one call."""

    script = "publish"

    def __init__(self, works: Iterable[Publish]) -> None:
        super().__init__()
        self.sections: list[list[Publish]] = []
        for work in works:
            if self.sections and _is_one(self.sections[-1][-1], work):
                self.sections[-1].append(work)
            else:
                self.sections.append([work])

    @property
    def works(self) -> list[Publish]:
        """All that wait for it."""
        return [work for section in self.sections for work in section]

    def args(self, owner: str, now: str) -> list[Any]:
        """Return the arguments: writer, number, moment, then the sections."""
        args: list[Any] = [owner, self.number, now]
        for section in self.sections:
            first = section[0]
            count = sum(work.count for work in section)
            args += (first.queue.spec.name, first.form, "1" if first.patient else "", count)
            for work in section:
                args += work.args
        return args

    def land(self, answers: Sequence[Any]) -> None:
        """Give every caller its answers: how many were stored, or what became of each message."""
        for section, answer in zip(self.sections, answers, strict=True):
            start = 0
            for work in section:
                if isinstance(answer, int):
                    work.result = [1] * work.count
                else:
                    work.result = answer[start : start + work.count]
                start += work.count
                work.done()

    def fail(self, problem: MoonqError) -> None:
        """Give *problem* to every caller."""
        for work in self.works:
            work.done(problem)


def _is_one(first: Publish, second: Publish) -> bool:
    """Whether two publishes can share a section; where one must wait, those behind it do too."""
    return (
        first.queue is second.queue
        and first.form == second.form
        and first.patient == second.patient
    )


@dataclass(eq=False)
class Section:
    """What a session ends, begins and wants of one queue."""

    queue: BufferedQueue
    seats: int | None = None
    """How many consumers it has there; None: as many as before."""
    term: float | None = None
    """Seconds for which the seat is kept, in a heartbeat."""
    acks: list[Held] = field(default_factory=list)
    ends: list[tuple[Held, Ending]] = field(default_factory=list)
    begun: list[Held] = field(default_factory=list)
    quotas: list[tuple[RedisDesk, int]] = field(default_factory=list)
    """How much each desk wants, in the order in which they are served."""

    def add(self, held: Held, ending: Ending) -> None:
        """End a delivery."""
        if type(ending) is Ack:
            self.acks.append(held)
        else:
            self.ends.append((held, ending))

    @property
    def wanted(self) -> int:
        """How much all desks want."""
        return sum(count for _, count in self.quotas)

    @property
    def endings(self) -> list[tuple[Held, Ending]]:
        """All that ends here."""
        return [*((held, ACK) for held in self.acks), *self.ends]

    def args(self, now: float) -> list[Any]:
        """Return the arguments of its part of the script."""
        name, wanted = self.queue.spec.name, self.wanted
        args: list[Any] = [
            name,
            "" if self.seats is None else self.seats,
            "" if self.term is None else repr(self.term),
            wanted,
            "1" if wanted else "",
            len(self.acks),
            *(held.row for held in self.acks),
            len(self.begun),
            *(held.row for held in self.begun),
            len(self.ends),
        ]
        for held, ending in self.ends:
            args += ended(held, ending, now)
        return args


class WorkCall(Call):
    """A session's work at all its queues in one call."""

    script = "work"

    def __init__(self, sections: list[Section], term: float | None, now: float) -> None:
        super().__init__()
        self.sections = sections
        self.term = term
        """Seconds for which the session is kept; None: it is no heartbeat."""
        self._parts = [value for section in sections for value in section.args(now)]

    @property
    def endings(self) -> list[tuple[Held, Ending]]:
        """All that ends."""
        return [ending for section in self.sections for ending in section.endings]

    def args(self, owner: str, now: str) -> list[Any]:
        """Return the arguments: session, number, moment, term, whether suspects ended, sections."""
        frees = any(held.suspect for held, _ in self.endings)
        term = "" if self.term is None else repr(self.term)
        return [owner, self.number, now, term, "1" if frees else "", *self._parts]
