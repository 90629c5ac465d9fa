"""Verdicts as the scripts take them: what becomes of a message, and what its tale is then."""

from __future__ import annotations

from typing import Any

from moonq.drivers.buffered import Abandon, Ending, Expire, Held
from moonq.drivers.redis.wire import story_text
from moonq.model import Dead, Interrupt, Retry, Snooze, Wait


def ended(held: Held, ending: Ending, now: float) -> tuple[Any, ...]:
    """Return the end of a delivery: number, action, moment or reason, story, suspect, expiry,
    attempts made, and whether it is a failure that may cost its turn."""
    if isinstance(ending, Expire):
        return _end(held, "expire", "", story_text(held.story), held.suspect)
    if isinstance(ending, Abandon):
        ending = Interrupt()
    when = now if held.ended is None else held.ended
    story = held.story.after(ending, when)
    told = story_text(story)
    if isinstance(ending, Dead):
        made = story.attempt if held.started else story.attempt - 1
        return _end(held, "dead", ending.reason, told, held.suspect, made)
    is_suspect = held.suspect and not isinstance(ending, Retry | Snooze)
    if isinstance(ending, Retry | Snooze | Wait):
        fails = isinstance(ending, Retry | Wait)
        return _end(held, "back", repr(when + ending.delay), told, is_suspect, fails=fails)
    return _end(held, "back", "", told, is_suspect)


def _end(
    held: Held,
    action: str,
    detail: str,
    story: str,
    is_suspect: bool,
    made: int = 0,
    *,
    fails: bool = False,
) -> tuple[Any, ...]:
    expires = "" if held.expires is None or held.started else repr(held.expires)
    if action in {"expire", "dead"}:
        expires = ""
    mark = "1" if is_suspect else ""
    return (held.row, action, detail, story, mark, expires, made, "1" if fails else "")
