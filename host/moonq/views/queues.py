"""Queues and consumers, each with its numbers; the columns that the dashboard has too.

queue       ready  in-flight  delayed  dead  oldest  in/s  out/s  consumers
app:orders  1 204         20        3   12!   3m12s  84.0   81.5  app:orders.consumer 4/4

What the host does not know is a dot, never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from moonq.text.wording import NONE, UNKNOWN, age, lasted, number, rate
from moonq.views.screen import Screen
from moonq.views.tables import Cell, Column, Found, get, table

#: The share of its `max_bytes` from which on a queue says how full it is.
NEARLY_FULL = 0.9
#: What comes first, by the name of the order.
ORDERS = {"name": "id", "dead": "dead", "ready": "ready", "age": "oldest_age"}


def queues(
    found: Found, screen: Screen, *, sort: str = "name", consumers: Iterable[Found] = ()
) -> Iterator[str]:
    """Yield every queue with its numbers; *consumers* tell how many workers serve it."""
    rows = ordered(found["queues"], sort)
    if not rows:
        yield "no queues"
        return
    known = {one["id"]: one for one in consumers}
    served = Column("consumers", lambda row: _served(row, known), drop=2, is_id=True)
    yield from table([*NUMBERS, served], rows, screen)


def ordered(rows: Iterable[Found], sort: str) -> list[Found]:
    """Return *rows* by what is asked for, the largest first."""
    if sort == "name":
        return sorted(rows, key=lambda row: str(row["id"]))
    return sorted(rows, key=lambda row: (-(row.get(ORDERS[sort]) or 0), row["id"]))


def _served(row: Found, consumers: Mapping[str, Found]) -> Cell:
    parts = [_consumer(name, consumers.get(name)) for name in row.get("consumers", ())]
    if row.get("elsewhere"):
        parts.append(f"{'+' if parts else ''}{row['elsewhere']} elsewhere")
    text = ", ".join(parts)
    return text or "none", "" if text else "dim"


def _consumer(name: str, one: Found | None) -> str:
    if one is None:
        return name
    if one.get("paused"):
        return f"{name} paused"
    if one["state"] != "running":
        return f"{name} {one['state']}"
    resting = f" ({one['resting']} paused)" if one.get("resting") else ""
    return f"{name} {_up(one)}{resting}"


def _name(row: Found) -> Cell:
    most, held = row.get("max_bytes"), row.get("bytes")
    if most and held is not None and held >= NEARLY_FULL * most and not row.get("paused"):
        return f"{row['id']} ({held / most:.0%} of max_bytes)", "bad"
    return (f"{row['id']} (paused)", "warn") if row.get("paused") else (row["id"], "")


def _in_flight(row: Found) -> str:
    known = [row[key] for key in ("in_flight", "leased", "running") if row.get(key) is not None]
    return number(sum(known) if known else None)


def _dead(row: Found) -> Cell:
    if row.get("keeps_dead") or row.get("dead_letter", "") is None:
        return NONE, ""
    count = row.get("dead")
    return (f"{number(count)}!", "bad") if count else (number(count), "")


def _oldest(row: Found) -> str:
    seconds = row.get("oldest_age")
    return NONE if row.get("ready") == 0 and seconds is None else age(seconds)


QUEUE = Column("queue", _name, is_id=True)
READY = Column("ready", lambda row: number(row.get("ready")), right=True)
IN_FLIGHT = Column("in-flight", _in_flight, right=True, drop=1)
DELAYED = Column("delayed", lambda row: number(row.get("delayed")), right=True, drop=3)
DEAD = Column("dead", _dead, right=True)
OLDEST = Column("oldest", _oldest, right=True, drop=4)
IN_RATE = Column("in/s", lambda row: rate(row.get("in_rate")), right=True, drop=5)
OUT_RATE = Column("out/s", lambda row: rate(row.get("out_rate")), right=True, drop=5)
NUMBERS = (QUEUE, READY, IN_FLIGHT, DELAYED, DEAD, OLDEST, IN_RATE, OUT_RATE)


# Consumers ------------------------------------------------------------------------------------


def _workers(row: Found) -> Cell:
    if row["state"] != "running":
        return row["state"], "warn"
    return _up(row), ""


def _up(row: Found) -> str:
    """How many workers are up, of those that there should be."""
    return f"{number(row.get('workers'))}/{number(row['concurrency'])}"


def _busy(row: Found) -> str:
    return UNKNOWN if row["busy"] is None else f"{row['busy']:.0%}"


def _failing(row: Found) -> Cell:
    return rate(row["fail_rate"]), "bad" if row["fail_rate"] else ""


def _last_error(row: Found) -> Cell:
    if not row["last_error"]:
        return NONE, ""
    # What happened when comes first: the end of a long text is cut off.
    since = row["last_error_age"]
    when = "" if since is None else f"{age(max(1, since))} ago "
    return f"{when}{row['last_error'].removeprefix('UNKNOWN ')}", "bad"


#: The columns of consumers as the dashboard sees them.
CONSUMERS = (
    Column("consumer", get("id"), is_id=True),
    Column("workers", _workers, right=True, least=7),
    Column("busy", _busy, right=True, least=4),
    Column("function", get("function"), drop=6, is_id=True),
    Column("ok/s", lambda row: rate(row["ok_rate"]), right=True, drop=4, least=5),
    Column("fail/s", _failing, right=True, drop=4, least=6),
    Column("p95", lambda row: lasted(row["p95"]), right=True, least=6),
    Column("last error", _last_error, drop=5, is_cut=True),
)
