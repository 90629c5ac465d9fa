"""What lies in a queue, one message with all that is known of it, and dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moonq.text.plain import value_text, visible
from moonq.text.wording import UNKNOWN, age, ago, moment, number, plural, size
from moonq.views.screen import Screen
from moonq.views.tables import GAP, Cell, Column, Found, facts, get, paragraph, table

FACT = 9


def messages(found: Found, screen: Screen, *, full: bool = False) -> Iterator[str]:
    """Yield the messages of a queue, a line for each, or each with everything in *full*."""
    rows = found["messages"]
    if head := " · ".join(_head(found)):
        yield from paragraph(head, "", screen)
    if full:
        for one in rows:
            yield ""
            yield from message(one, screen)
    elif rows:
        yield from table(columns(screen), rows, screen, indent="  ")


def _head(found: Found) -> Iterator[str]:
    info = found.get("info")
    if info:
        yield found["queue"]
        yield f"{number(info.get('ready'))} ready"
        if info.get("oldest_age") is not None:
            yield f"oldest {age(info['oldest_age'])}"
        if not found["messages"]:
            yield "nothing to see"


def columns(screen: Screen, *, errors: bool = False) -> list[Column]:
    """Return the columns of a list of messages; with *errors*, what went wrong last if anything."""
    return [
        Column("id", lambda one: screen.id(one["id"])),
        Column("state", get("state"), drop=3),
        Column("age", lambda one: age(one["age"]), right=True),
        Column("try", lambda one: number(one["attempt"]), right=True, drop=2),
        Column("size", lambda one: size(one["size"]), right=True, drop=4),
        Column("last error or body", lambda one: _gist(one, screen), is_cut=True)
        if errors
        else Column("body", lambda one: body(one, screen), is_cut=True),
    ]


def _gist(one: Found, screen: Screen) -> Cell:
    errors = one.get("errors")
    return (failure(errors[-1]), "bad") if errors else (body(one, screen), "")


def failure(record: Found) -> str:
    """Return what went wrong, without a kind that says nothing."""
    return f"{record['kind']} {record['message']}".removeprefix("UNKNOWN ")


def body(one: Found, screen: Screen, width: int | None = None) -> str:
    """Return a message's body: on one line, or wrapped at *width*."""
    if "body" in one:
        return screen.value(one["body"], width)
    text = one.get("text") or one.get("base64")
    if text is None:
        return f"[{size(one['size'])}]"
    return f"{text} …" if one.get("cut") else str(text)


def message(found: Found, screen: Screen) -> Iterator[str]:
    """Yield everything about one message, dead or alive, and every attempt that failed."""
    yield from facts(_facts(found, screen), screen, least=FACT)
    yield from attempts(found, screen)


def _facts(found: Found, screen: Screen) -> Iterator[tuple[str, str | Cell]]:
    # An id is never broken: where it does not fit, it is shown as it is everywhere else.
    has_room = len(found["id"]) + FACT + GAP <= screen.room
    yield "id", (found["id"] if has_room else screen.id(found["id"]), "bold")
    if "queue" in found:
        yield "queue", found["queue"]
    yield "state", f"{found['state']}{_due(found)}, attempt {found['attempt']}{_tries(found)}"
    yield "published", f"{age(found['age'])} ago, {size(found['size'])}"
    for name in ("priority", "group"):
        if found.get(name, "normal") != "normal":
            yield name, str(found[name])
    for at, (name, value) in enumerate(sorted(found["headers"].items())):
        yield "" if at else "headers", f"{name} = {_header(name, value)}"
    style = "lua" if "body" in found else ""
    shown = body(found, screen, max(20, screen.room - FACT - 4))
    # A text may hold line ends of its own: they are written out, for it is one value.
    for at, line in enumerate(shown.split("\n") if style else [shown]):
        yield "" if at else "body", (line, style)


def _header(name: str, value: Any) -> str:
    if name == "x_dead_letter_time":
        return f"{moment(float(value))} ({ago(float(value))})"
    return value_text(value)


def _due(found: Found) -> str:
    if not found.get("due"):
        return ""
    return f", due in {age(max(0.0, found['due'] - found['published_at'] - found['age']))}"


def _tries(found: Found) -> str:
    count = found.get("interruptions")
    return f", {number(count)} interrupted" if count else ""


def attempts(found: Found, screen: Screen) -> Iterator[str]:
    """Yield what is remembered of each attempt that failed, the last one at the end."""
    errors = found.get("errors", ())
    first = int(found["headers"].get("x_attempts", len(errors))) - len(errors) + 1
    for count, one in enumerate(errors, max(1, first)):
        yield ""
        when = f"{moment(one['time'])}, {ago(one['time'])}"
        head = f"attempt {count}  {when}  {one.get('where') or UNKNOWN}"
        yield from paragraph(head, "bold", screen)
        yield from paragraph(f"{one['kind']}: {one['message']}", "bad", screen, "  ")
        for line in str(one.get("traceback") or "").splitlines():
            yield from paragraph(line, "dim", screen, "    ")


# Dead letters ---------------------------------------------------------------------------------


def dead_queues(found: Found, screen: Screen) -> Iterator[str]:
    """Yield the queues that have dead letters."""
    if not found["queues"]:
        yield "no dead letters"
        return
    columns = [
        Column("queue", get("queue"), is_id=True),
        Column("dead", lambda one: (number(one["count"]), "bad"), right=True),
        Column("in", get("dead_queue"), drop=1, is_id=True),
    ]
    yield from table(columns, found["queues"], screen)


def letters(found: Found, screen: Screen) -> Iterator[str]:
    """Yield dead letters by kind of error, and the ids of the newest ones."""
    groups = found["groups"]
    if not groups:
        yield visible(f"no dead letters in {found['dead_queue']}")
        return
    kinds = f"{plural(len(groups), 'kind')} of error"
    head = f"{plural(found['count'], 'dead letter')} in {found['dead_queue']}, {kinds}"
    yield from paragraph(head, "", screen)
    columns = [
        Column("fp", get("fingerprint")),
        Column("n", lambda one: number(one["count"]), right=True),
        Column("last", lambda one: ago(one["last"])),
        Column("where", lambda one: one["where"] or UNKNOWN, drop=2, is_id=True),
        Column("error", lambda one: (one["error"], "bad"), wraps=True),
        Column("for example", lambda one: screen.id(one["example"]), drop=3),
    ]
    yield from table(columns, groups, screen, indent="  ")
    if found["messages"]:
        yield screen.paint("head", "newest")
        yield from (f"  {visible(one['id'])}" for one in found["messages"])


def letter(found: Found, screen: Screen) -> Iterator[str]:
    """Yield one dead letter: body, headers, and every attempt that is remembered."""
    yield from message(found, screen)
    if not found.get("errors"):
        reason = found["headers"].get("x_dead_letter_reason")
        yield ""
        yield visible(f"no error is remembered ({reason})")
