"""Dead letters: by kind of error, and one of them with its story."""

from __future__ import annotations

from collections.abc import Iterator

from moonq.text.wording import UNKNOWN, ago, number, plural
from moonq.views.messages import message
from moonq.views.screen import Screen
from moonq.views.tables import Column, Found, get, paragraph, table


def letters(found: Found, screen: Screen) -> Iterator[str]:
    """Yield dead letters by kind of error, and the ids of the newest ones."""
    groups = found["groups"]
    if not groups:
        yield f"no dead letters in {found['dead_queue']}"
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
        yield from (f"  {one['id']}" for one in found["messages"])


def letter(found: Found, screen: Screen) -> Iterator[str]:
    """Yield one dead letter: body, headers, and every attempt that is remembered."""
    yield from message(found, screen)
    if not found.get("errors"):
        reason = found["headers"].get("x_dead_letter_reason")
        yield ""
        yield f"no error is remembered ({reason})"
