"""The pages about what goes wrong: errors by kind, and the log."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from moonq import views
from moonq.dashboard.following import Event, Following
from moonq.dashboard.page import (
    ASKING,
    LEAVING,
    MOVES,
    Ask,
    Messages,
    Page,
    Scrolled,
    problem_words,
)
from moonq.dashboard.picture import first_shown
from moonq.operations.letters import alike
from moonq.text.wording import NONE, ago, moment, number, plural
from moonq.views import Screen
from moonq.views.tables import Cell, Column, paragraph, table

#: Letters of each kind that a page lists.
MOST = 200


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of error in one queue."""

    queue: str
    fingerprint: str
    """Of dead letters; empty where none has died of it."""
    count: int
    last: float
    where: str
    error: str


class Errors(Page):
    """What has gone wrong, by kind of error: dead letters, and failures that run again."""

    keys = " ↑↓ select  ⏎ its dead letters  l logs  q back"

    def __init__(self, ask: Ask, following: Following) -> None:
        self._ask = ask
        self._following = following
        self._selected = 0
        self._dead: dict[str, list[Kind]] = {}
        self._note = ASKING
        ask("dead_queues", self._take_queues)

    def _take_queues(self, answer: Any) -> None:
        if isinstance(answer, Exception):
            self._note = problem_words(answer)
            return
        self._note = ""
        for one in answer["queues"]:
            name = one["queue"]
            self._ask("dead_letters", partial(self._take, name), queue=name, limit=0)

    def _take(self, queue: str, answer: Any) -> None:
        if isinstance(answer, Exception):
            self._note = problem_words(answer)
            return
        self._dead[queue] = [
            Kind(queue, one["fingerprint"], one["count"], one["last"], one["where"], one["error"])
            for one in answer["groups"]
        ]

    def _kinds(self) -> list[Kind]:
        dead = [kind for kinds in self._dead.values() for kind in kinds]
        both = [*dead, *failing(self._following.failures)]
        return sorted(both, key=lambda one: -one.last)

    def body(self, screen: Screen, rows: int) -> list[str]:
        """Draw a row per kind, the latest first."""
        kinds = self._kinds()
        since = f"failures since {moment(self._following.since)}"
        told = self._note or f"{plural(len(kinds), 'kind')} of error: dead letters, and {since}"
        head = list(paragraph(told, "bold", screen, " "))
        room = rows - 2 - len(head)
        first = first_shown(self._selected, len(kinds), room)
        page = kinds[first : first + room]
        at = min(self._selected, len(kinds) - 1) - first if page else None
        columns = [
            Column("N", lambda one: number(one.count), right=True, least=5),
            Column("", _what, least=6),
            Column("LAST", lambda one: ago(one.last), drop=1),
            Column("QUEUE", lambda one: one.queue, is_id=True),
            Column("WHERE", lambda one: one.where or NONE, is_id=True, drop=2),
            Column("ERROR", lambda one: (one.error, "bad"), is_cut=True),
        ]
        return [*head, "", *table(columns, page, screen, selected=at, indent="  ")]

    def press(self, key: str) -> Page | bool:
        """Take a key."""
        kinds = self._kinds()
        if key in MOVES:
            last = max(0, len(kinds) - 1)
            self._selected = max(0, min(last, self._selected + MOVES[key]))
        elif key == "l":
            return Logs(self._following)
        elif key == "enter" and kinds:
            one = kinds[min(self._selected, len(kinds) - 1)]
            return Messages(one.queue, self._ask, is_dead=True, error=one.fingerprint)
        return key not in LEAVING


class Logs(Scrolled):
    """The log lines of the host since the dashboard was opened, the newest at the foot."""

    keys = " ↑↓ scroll  end follows  q back"

    def __init__(self, following: Following) -> None:
        super().__init__()
        self._following = following
        self._follows = True

    def text(self, screen: Screen) -> list[str]:
        """Draw all of it."""
        lines = [
            line
            for event in list(self._following.lines)
            for line in views.event(event, screen).split("\n")
        ]
        since = f"no log line since {moment(self._following.since)}"
        return lines or list(paragraph(since, "bold", screen, " "))

    def body(self, screen: Screen, rows: int) -> list[str]:
        """Draw the end, unless another place was scrolled to."""
        lines = self.text(screen)
        last = max(0, len(lines) - rows)
        self._first = last if self._follows else min(self._first, last)
        return lines[self._first :][:rows]

    def press(self, key: str) -> Page | bool:
        """Take a key."""
        if key in MOVES:
            self._follows = key == "end"
        return super().press(key)


def failing(failures: Iterable[Event]) -> list[Kind]:
    """Return failures that run again by kind: those of one place with like words."""
    kinds: dict[tuple[str, str, str], Kind] = {}
    for event in list(failures):
        error = event.get("error")
        if not error:
            continue
        text, place = f"{error['kind']} {error['message']}", error.get("where") or ""
        key = (event["queue"], place, alike(text))
        count = kinds[key].count if key in kinds else 0
        when = float(event.get("time", time.time()))
        kinds[key] = Kind(event["queue"], "", count + event.get("count", 1), when, place, text)
    return list(kinds.values())


def _what(one: Kind) -> Cell:
    return (one.fingerprint, "bad") if one.fingerprint else ("again", "warn")
