"""The talk beside an answer: what a person should know, and what is no part of the result."""

from __future__ import annotations

from collections.abc import Iterator

from moonq import durations
from moonq.text.plain import visible
from moonq.text.wording import age
from moonq.views.tables import Found

#: Refused messages that are named.
MOST_ERRORS = 3


def notes(found: Found) -> Iterator[tuple[str, bool]]:
    """Yield sentences about an answer, and whether each matters even where little is said."""
    queues = found.get("queues", ())
    seconds = max((row.get("rate_seconds", 0) for row in queues), default=0)
    if seconds:
        yield f"rates: last {age(seconds)}", False
    for row in queues:
        if row.get("problem"):
            yield visible(f"{row['id']}: {row['problem']}"), True
    if found.get("left_off"):
        yield f"{found['left_off']} more would not fit; ask for fewer with -n", True
    for error in found.get("errors", ())[:MOST_ERRORS]:
        text = f"message {error['number']}: {error['kind']} {error['message']}"
        yield visible(f"moonq: {text}"), True
    if found.get("timed_out"):
        took = durations.show(found["took_ms"] / 1000)
        yield f"not done after {took}; it goes on without us", True
