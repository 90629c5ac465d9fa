"""Draws a view as lines of text: a pure function of what there is to see and how large it may be.

for line in picture(view, Look(), Screen(width=80), 24):
    print(line)

A narrow terminal loses TREND first, then ETA, then the rates. A number that cannot be known is
shown as `·`, never as 0; what there is none of, as a dash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from moonq import durations
from moonq.dashboard.view import Row, View, total
from moonq.text.wording import (
    NONE,
    UNKNOWN,
    age,
    flow,
    lasted,
    plural,
    profile_of,
    rate,
    spark,
)
from moonq.text.wording import columns as columns_of
from moonq.views import Screen
from moonq.views.queues import CONSUMERS, NUMBERS, ordered
from moonq.views.tables import LEAST_ID, Cell, Column, get, table

Sort = Literal["name", "dead", "ready", "age"]
SORTS: tuple[Sort, ...] = ("name", "dead", "ready", "age")
KEYS = (
    "↑↓ select",
    "⏎ open",
    "q quit",
    "? help",
    "/ filter",
    "s sort",
    "p pause",
    "d dead letters",
    "e errors",
    "l logs",
)


@dataclass(frozen=True, slots=True)
class Look:
    """How it is to be shown."""

    sort: Sort = "name"
    filter: str = ""
    """Only queues whose id contains this."""
    only: tuple[str, ...] = ()
    """Only these queues, when there are any."""
    selected: str = ""
    interval: float = 1.0
    footer: str = ""
    """A question or an answer, in the place of the keys."""
    is_live: bool = True


def picture(view: View, look: Look, screen: Screen, height: int | None = None) -> list[str]:
    """Return the lines of one picture; without a *height* it is as high as it needs to be."""
    top = _head(view, look, screen)
    bottom = _foot(look, screen)
    queues, consumers = shown_queues(view, look), shown_consumers(view, look)
    room = None if height is None else max(2, height - len(top) - len(bottom) - 4)
    more, rest = _shares(len(queues), len(consumers), room)
    lines = [*top, "", *_queues(queues, look, screen, more)]
    lines += ["", *_consumers(consumers[:rest], screen)]
    if height is None:
        return [*lines, *bottom]
    lines = lines[: height - len(bottom)]
    return [*lines, *[""] * (height - len(bottom) - len(lines)), *bottom]


def shown_queues(view: View, look: Look) -> list[Row]:
    """Return the queues that *look* wants, in its order."""
    text = look.filter.lower()
    wanted = [queue for queue in view.queues if text in queue["id"].lower()]
    if look.only:
        wanted = [queue for queue in wanted if queue["id"] in look.only]
    return ordered(wanted, look.sort)


def shown_consumers(view: View, look: Look) -> list[Row]:
    """Return the consumers of the queues that *look* wants."""
    queues = {queue["id"] for queue in shown_queues(view, look)}
    narrowed = look.filter or look.only
    return [one for one in view.consumers if one["queue"] in queues or not narrowed]


def narrowed(view: View, look: Look) -> View:
    """Return *view* with the rows that *look* wants, in its order."""
    queues, consumers = shown_queues(view, look), shown_consumers(view, look)
    return replace(view, queues=tuple(queues), consumers=tuple(consumers))


def _shares(queues: int, consumers: int, room: int | None) -> tuple[int, int]:
    """Divide *room* lines: each side may use what the other leaves, and half in any case."""
    if room is None:
        return queues, consumers
    for_queues = min(queues, max(room - consumers, (room + 1) // 2))
    return max(1, for_queues), max(0, min(consumers, room - for_queues))


# Head and foot --------------------------------------------------------------------------------


def _head(view: View, look: Look, screen: Screen) -> list[str]:
    host = view.host
    silent = host["silent_for"] > max(3.0, 2 * look.interval)
    hosts = len(host.get("pids") or ())
    facts = [f"moonq top   {host['project']} {profile_of(host)}"]
    facts += [f"{hosts} hosts"] if hosts > 1 else []
    facts += [f"up {age(max(1, host['up']))}"]
    facts += [] if host["cpu"] is None else [f"{host['cpu']:.1%} cpu"]
    facts += [] if host["memory_bytes"] is None else [f"{host['memory_bytes'] / 2**20:.0f} MB"]
    if host.get("call_rate") is not None:
        each = host["calls_per_message"]
        per = "" if each is None else f", {each:.2f} per message"
        facts += [f"{rate(host['call_rate'])} calls/s{per}"]
    facts += [f"NO ANSWER for {age(host['silent_for'])}" if silent else "socket ok"]
    facts += [f"{datetime.fromtimestamp(view.time):%H:%M:%S}"]
    facts += [f"every {durations.show(look.interval)}"] if look.is_live else []
    numbers = [
        f"in {_per_second(view.total('in_rate'))}",
        f"out {_per_second(view.total('ok_rate'))}",
        f"failed {_per_second(view.total('fail_rate'))}",
        f"p50 {lasted(view.p50)}",
        f"p95 {lasted(view.p95)}",
        f"p99 {lasted(view.p99)}",
        since(view),
    ]
    elsewhere = total(queue["elsewhere"] for queue in view.queues)
    # What they do is in no rate.
    numbers += [f"+{plural(int(elsewhere), 'consumer')} elsewhere"] if elsewhere else []
    style = "alarm" if silent or host["production"] else "bold"
    room = screen.room - 1
    title = [screen.paint(style, f" {line}") for line in flow(facts, room, "  ")]
    return [*title, *(screen.plain(f" {line}") for line in flow(numbers, room, "  "))]


def since(view: View) -> str:
    """Return what the rates are about, in words."""
    if not view.since_start:
        return f"last {max(1, round(view.seconds))} s"
    began = datetime.fromtimestamp(view.time - view.seconds)
    day = "" if view.seconds < 86400 else f"{began:%Y-%m-%d} "
    return f"since {day}{began:%H:%M} (host start)"


def _per_second(value: float | None) -> str:
    text = rate(value)
    return text if value is None else f"{text}/s"


def _foot(look: Look, screen: Screen) -> list[str]:
    if not look.is_live:
        return []
    if look.footer:
        return [screen.paint("bold", f" {flow([look.footer], screen.room - 1)[0]}")]
    return [screen.paint("selected", f" {flow(KEYS, screen.room - 1, '  ')[0]}")]


# Tables -----------------------------------------------------------------------------------------

#: Titles where every column counts.
TITLES = {"in-flight": "INFL", "delayed": "DELAY", "in/s": "IN/s", "out/s": "OUT/s"}
#: How wide the numbers of a queue are at least, so that they stand still while they change.
WIDTHS = (5, 4, 5, 4, 6, 5, 5)


def _short(column: Column, least: int = 0) -> Column:
    title = TITLES.get(column.title, column.title.upper().replace("/S", "/s"))
    return replace(column, title=title, least=least or column.least)


def _queues(rows: Sequence[Row], look: Look, screen: Screen, room: int) -> list[str]:
    ids = [row["id"] for row in rows]
    hidden = len(rows) - room
    title = f"QUEUE +{hidden}" if hidden > 0 else "QUEUE"
    # The longest name counts even where it is not in sight, so that nothing moves when one scrolls.
    least = min(max(map(columns_of, ids), default=0), max(LEAST_ID, screen.width // 5))
    columns = [
        Column(title, get("id"), is_id=True, least=max(least, LEAST_ID)),
        *(_short(column, wide) for column, wide in zip(NUMBERS[1:], WIDTHS, strict=True)),
        Column("ETA", _eta, right=True, drop=6, least=8),
        Column("TREND 60 s", lambda row: (spark(row["trend"]), "dim"), drop=7, least=12),
    ]
    at = ids.index(look.selected) if look.selected in ids else None
    first = first_shown(at or 0, len(rows), room)
    page, selected = rows[first : first + room], None if at is None else at - first
    lines = list(table(columns, page, screen, selected=selected, indent="  "))
    if not rows:
        lines.append(screen.paint("dim", "  no queue fits; press / to change the filter"))
    return lines


def first_shown(selected: int, count: int, room: int) -> int:
    """Return which of *count* rows to begin with, so that the one *selected* can be seen."""
    return max(0, min(selected - room // 2, count - room))


def _eta(row: Row) -> Cell:
    """When it will be empty, or why it will not."""
    if row["problem"]:
        return "problem", "bad"
    if row["paused"]:
        return "paused", "warn"
    if not row["ready"] or row["keeps_dead"]:
        return NONE, ""
    return _time_left(row) if row["consumers"] else ("unserved", "warn")


def _time_left(row: Row) -> Cell:
    if row["in_rate"] is None or row["out_rate"] is None:
        return UNKNOWN, ""
    speed = row["out_rate"] - row["in_rate"]
    if speed > 0:
        return age(max(1, row["ready"] / speed)), ""
    return ("growing", "warn") if speed < 0 else ("steady", "")


# Consumers ------------------------------------------------------------------------------------


def _consumers(rows: Sequence[Row], screen: Screen) -> list[str]:
    return list(table(list(map(_short, CONSUMERS)), rows, screen, indent="  "))
