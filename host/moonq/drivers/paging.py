"""Looks at a queue page by page, in the order of delivery.

    page = driver.peek("orders", 100)
    page = driver.peek("orders", 100, page.next)      # and so on, until `next` is ""

A cursor names the place behind the last message that was shown, by what orders the messages and not
by counting them: a page costs what it shows. A message that stays where it is is shown exactly
once, whatever comes and goes around it; one that moves meanwhile is shown where it is met.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

from moonq.drivers.base import Driver
from moonq.errors import NotFound
from moonq.model import MessageState, Page, Stored
from moonq.text.json_in import parsed

Item = TypeVar("Item")
#: What orders a message within its section, as plain data; None stands before all.
Key = Any
#: Messages per look of a walk: few enough to be held at once, whatever their bodies.
PAGE = 250
#: Marks a cursor, so that it is not taken for a message's id.
_MARK = "~"


class Section(NamedTuple, Generic[Item]):
    """Messages of one state, in one order."""

    state: MessageState
    behind: Callable[[Key], Iterator[tuple[Key, Item]]]
    """Yields each message that stands behind a key, with its own key."""


def peek(
    queue: str,
    sections: Sequence[Section[Item]],
    limit: int,
    cursor: str,
    state: MessageState | None,
    show: Callable[[Item], Stored],
) -> Page:
    """Return one page of the *sections* of *queue*.

    Raises:
        NotFound: The cursor is not one of this queue's.
    """
    start, key = _decode(queue, cursor, len(sections)) if cursor else (0, None)
    found = list(islice(_walk(sections, start, key, state), max(limit, 0) + 1))
    shown = found[: max(limit, 0)]
    is_last = len(found) == len(shown)
    after = "" if is_last else _encode(queue, *shown[-1][:2]) if shown else cursor
    return Page([show(item) for _, _, item in shown], after)


def every(sections: Sequence[Section[Item]]) -> Iterator[Item]:
    """Yield all that is in *sections*."""
    return (item for _, _, item in _walk(sections, 0, None, None))


def walk(driver: Driver, queue: str, state: MessageState | None = None) -> Iterator[Stored]:
    """Yield what lies in *queue*, of which one page at a time is held; each message once at most.

    One that is met again, for it moved on meanwhile, is passed over.
    """
    seen: set[tuple[str, int]] = set()
    cursor = ""
    while True:
        page = driver.peek(queue, PAGE, cursor, state)
        for stored in page.items:
            key = stored.message.id, stored.number
            if key not in seen:
                seen.add(key)
                yield stored
        cursor = page.next
        if not cursor:
            return


def is_cursor(text: str) -> bool:
    """Whether *text* is a cursor, of whatever queue."""
    return text.startswith(_MARK)


def _walk(
    sections: Sequence[Section[Item]], start: int, key: Key, state: MessageState | None
) -> Iterator[tuple[int, Key, Item]]:
    for number, section in enumerate(sections[start:], start):
        if state in {None, section.state}:
            for after, item in section.behind(key if number == start else None):
                yield number, after, item


def _encode(queue: str, number: int, key: Key) -> str:
    text = json.dumps([queue, number, key], separators=(",", ":"))
    return _MARK + base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(queue: str, cursor: str, sections: int) -> tuple[int, Key]:
    try:
        text = cursor.removeprefix(_MARK)
        name, number, key = parsed(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if name == queue and 0 <= number < sections:
            return number, key
    except (ValueError, TypeError):
        pass
    raise NotFound(
        f"queue {queue!r}: no page begins at {cursor!r}", hint="look again from the beginning"
    )
