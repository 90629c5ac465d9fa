"""Draws a view as lines of text: a pure function of what there is to see and how large it may be.

for line in frame(view, Look(), 80, 24):
    print(plain(line))

A narrow terminal loses TREND first, then ETA, then the rates. A number that cannot be known is
shown as `·`, never as 0; what there is none of, as a dash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from moonq import durations
from moonq.dashboard.table import Cell, Column, Line, Table
from moonq.dashboard.text import NONE, UNKNOWN, age, count, error, flow, rate, spark, took
from moonq.dashboard.view import ConsumerView, QueueView, View

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
)


@dataclass(frozen=True, slots=True)
class Look:
    """How somebody wants to see it."""

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


def frame(view: View, look: Look, width: int, height: int | None = None) -> list[Line]:
    """Return the lines of one picture; without a *height* it is as high as it needs to be."""
    top = _head(view, look, width)
    bottom = _foot(look, width)
    queues, consumers = shown_queues(view, look), shown_consumers(view, look)
    room = None if height is None else max(2, height - len(top) - len(bottom) - 4)
    more, rest = _shares(len(queues), len(consumers), room)
    lines = [*top, _blank(), *_queues(queues, look, width, more)]
    lines += [_blank(), *_consumers(consumers, width, rest)]
    if height is None:
        return [*lines, *bottom]
    lines = lines[: height - len(bottom)]
    return [*lines, *(_blank() for _ in range(height - len(bottom) - len(lines))), *bottom]


def shown_queues(view: View, look: Look) -> list[QueueView]:
    """Return the queues that *look* wants, in its order."""
    wanted = [
        queue
        for queue in view.queues
        if look.filter.lower() in queue.id.lower() and (not look.only or queue.id in look.only)
    ]
    values = {
        "dead": lambda queue: queue.dead,
        "ready": lambda queue: queue.ready,
        "age": lambda queue: queue.oldest_age,
    }
    value = values.get(look.sort)
    if value is None:
        return sorted(wanted, key=lambda queue: queue.id)
    return sorted(wanted, key=lambda queue: (-(value(queue) or 0), queue.id))


def shown_consumers(view: View, look: Look) -> list[ConsumerView]:
    """Return the consumers of the queues that *look* wants."""
    queues = {queue.id for queue in shown_queues(view, look)}
    narrowed = look.filter or look.only
    return [one for one in view.consumers if one.queue in queues or not narrowed]


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


def _blank() -> Line:
    return [("", "")]


# Head and foot --------------------------------------------------------------------------------


def _head(view: View, look: Look, width: int) -> list[Line]:
    host = view.host
    profile = "PRODUCTION" if host.profile == "production" else host.profile
    silent = host.silent_for > max(3.0, 2 * look.interval)
    facts = [f"moonq top   {host.project} {profile}", f"up {age(host.up)}"]
    facts += [] if host.cpu is None else [f"{host.cpu:.1%} cpu"]
    facts += [] if host.memory_bytes is None else [f"{host.memory_bytes / 2**20:.0f} MB"]
    facts += [f"NO ANSWER for {age(host.silent_for)}" if silent else "socket ok"]
    facts += [f"{datetime.fromtimestamp(view.time):%H:%M:%S}"]
    facts += [f"every {durations.show(look.interval)}"] if look.is_live else []
    numbers = [
        f"in {_per_second(view.total('in_rate'))}",
        f"out {_per_second(view.total('ok_rate'))}",
        f"failed {_per_second(view.total('fail_rate'))}",
        f"p50 {took(view.p50)}",
        f"p95 {took(view.p95)}",
        f"p99 {took(view.p99)}",
        since(view),
    ]
    style = "class:alarm" if silent or profile == "PRODUCTION" else "class:title"
    title = [[(style, f" {line}")] for line in flow(facts, width - 1, "  ")]
    return [*title, *([("", f" {line}")] for line in flow(numbers, width - 1, "  "))]


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


def _foot(look: Look, width: int) -> list[Line]:
    if not look.is_live:
        return []
    if look.footer:
        return [[("class:note", f" {flow([look.footer], width - 1)[0]}")]]
    return [[("class:keys", f" {flow(KEYS, width - 1, '  ')[0]}")]]


# Queues ---------------------------------------------------------------------------------------


def _queues(rows: Sequence[QueueView], look: Look, width: int, room: int) -> list[Line]:
    name = _name_width([row.id for row in rows], width)
    hidden = len(rows) - room
    title = f"QUEUE +{hidden}" if hidden > 0 else "QUEUE"
    table = Table(
        [
            Column[QueueView](title, name, lambda row: (row.id, ""), left=True, is_id=True),
            Column("READY", 7, lambda row: (count(row.ready), "")),
            Column("INFL", 6, lambda row: (count(row.in_flight), ""), 1),
            Column("DELAY", 6, lambda row: (count(row.delayed), ""), 3),
            Column("DEAD", 7, _dead),
            Column("OLDEST", 8, lambda row: (_oldest(row), ""), 4),
            Column("IN/s", 7, lambda row: (rate(row.in_rate), ""), 5),
            Column("OUT/s", 7, lambda row: (rate(row.out_rate), ""), 5),
            Column("ETA", 10, _eta, 6),
            Column("TREND 60 s", 14, lambda row: (spark(row.trend), "class:dim"), 7, left=True),
        ],
        width,
    )
    first = _first_shown([row.id for row in rows], look.selected, room)
    lines = [table.head()]
    for row in rows[first : first + room]:
        is_selected = row.id == look.selected
        line = table.line(row, "class:selected" if is_selected else "")
        if is_selected:
            style, text = line[0]
            line[0] = (style, f"▸{text[1:]}")
        lines.append(line)
    if not rows:
        lines.append([("class:dim", "  no queue fits; press / to change the filter")])
    return lines


def _first_shown(ids: Sequence[str], selected: str, room: int) -> int:
    """Return the row to begin with, so that the selected one can be seen."""
    position = ids.index(selected) if selected in ids else 0
    return max(0, min(position - room // 2, len(ids) - room))


def _name_width(names: Sequence[str], width: int) -> int:
    longest = max((len(name) for name in names), default=0)
    return min(max(longest, 12), max(12, width // 4)) + 2


def _dead(row: QueueView) -> Cell:
    if row.keeps_dead:
        return NONE, ""
    return (f"{count(row.dead)}!", "class:bad") if row.dead else (count(row.dead), "")


def _oldest(row: QueueView) -> str:
    return NONE if row.ready == 0 and row.oldest_age is None else age(row.oldest_age)


def _eta(row: QueueView) -> Cell:
    """When it will be empty, or why it will not."""
    if row.problem:
        return "problem", "class:bad"
    if row.paused:
        return "paused", "class:warn"
    if not row.ready or row.keeps_dead:
        return NONE, ""
    return _time_left(row, row.ready) if row.consumers else ("unserved", "class:warn")


def _time_left(row: QueueView, ready: int) -> Cell:
    if row.in_rate is None or row.out_rate is None:
        return UNKNOWN, ""
    speed = row.out_rate - row.in_rate
    if speed > 0:
        return age(ready / speed), ""
    return ("growing", "class:warn") if speed < 0 else ("steady", "")


# Consumers ------------------------------------------------------------------------------------


def _consumers(rows: Sequence[ConsumerView], width: int, room: int) -> list[Line]:
    name = _name_width([row.id for row in rows], width)
    function = _name_width([row.function for row in rows], width)
    table = Table(
        [
            Column[ConsumerView]("CONSUMER", name, lambda row: (row.id, ""), left=True, is_id=True),
            Column("WORKERS", 9, _workers),
            Column("BUSY", 6, _busy_share),
            Column("FUNCTION", function, lambda row: (row.function, ""), 6, left=True, is_id=True),
            Column("OK/s", 7, lambda row: (rate(row.ok_rate), ""), 4),
            Column("FAIL/s", 8, _failing, 4),
            Column("P95", 8, lambda row: (took(row.p95), "")),
            Column("LAST ERROR", 16, _last_error, 5, left=True, stretch=True),
        ],
        width,
    )
    return [table.head(), *(table.line(row) for row in rows[:room])]


def _workers(row: ConsumerView) -> Cell:
    if row.state != "running":
        return row.state, "class:warn"
    return f"{count(row.workers)}/{count(row.concurrency)}", ""


def _busy_share(row: ConsumerView) -> Cell:
    return (UNKNOWN if row.busy is None else f"{row.busy:.0%}"), ""


def _failing(row: ConsumerView) -> Cell:
    return rate(row.fail_rate), "class:bad" if row.fail_rate else ""


def _last_error(row: ConsumerView) -> Cell:
    if not row.last_error:
        return NONE, ""
    # What happened when comes first: the end of a long text is cut off.
    ago = "" if row.last_error_age is None else f"{age(row.last_error_age)} ago "
    return f"{ago}{error(row.last_error)}", "class:bad"
