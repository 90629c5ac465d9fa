"""What a message would leave behind in a queue whose driver cannot keep it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from moonq.drivers.base import Driver, adopter, capabilities
from moonq.errors import Unsupported
from moonq.model import Priority, Stored
from moonq.text.wording import plural


class Field(NamedTuple):
    """Something of a message that not every driver keeps."""

    name: str
    """What people call it, and drop it by."""
    ability: str
    """What a driver needs for it; empty: it must take messages with their story."""
    has: Callable[[Stored], bool]
    without: Callable[[Stored], Stored]


def _bare(**fields: Any) -> Callable[[Stored], Stored]:
    return lambda stored: stored._replace(message=stored.message._replace(**fields))


FIELDS = (
    Field("priority", "priority", lambda one: one.message.priority != Priority.NORMAL,
        _bare(priority=Priority.NORMAL)),
    Field("group", "group", lambda one: one.message.group is not None, _bare(group=None)),
    Field("dedup_key", "dedup", lambda one: one.message.dedup_key is not None,
        _bare(dedup_key=None)),
    Field("delay", "delay", lambda one: one.due is not None,
        lambda one: one._replace(due=None, state="ready")),
    Field("ttl", "ttl", lambda one: one.expires is not None,
        lambda one: one._replace(expires=None)),
    Field("attempts", "", lambda one: (one.attempt, one.interruptions, one.snoozes) != (1, 0, 0),
        lambda one: one._replace(attempt=1, interruptions=0, snoozes=0, lost_at=None)),
    Field("errors", "", lambda one: bool(one.errors), lambda one: one._replace(errors=())),
)  # fmt: skip
NAMES = tuple(field.name for field in FIELDS)


def lacking(driver: Driver, queue: str, dropped: Collection[str]) -> tuple[Field, ...]:
    """Return what *queue* of *driver* cannot keep, but for what is dropped anyway."""
    abilities = capabilities(driver, queue)._asdict()
    keeps_story = adopter(driver) is not None
    return tuple(
        field
        for field in FIELDS
        if field.name not in dropped
        and not (abilities[field.ability] != "none" if field.ability else keeps_story)
    )


def counted(fields: Collection[Field], stored: Iterable[Stored]) -> dict[str, int]:
    """Return how many messages have each of *fields*."""
    found = Counter(field.name for one in stored for field in fields if field.has(one))
    return {field.name: found[field.name] for field in fields if found[field.name]}


def without(stored: Stored, dropped: Collection[str]) -> Stored:
    """Return a message without what is dropped."""
    for field in FIELDS:
        if field.name in dropped:
            stored = field.without(stored)
    return stored


def refusal(queue: str, kind: str, lost: Mapping[str, int]) -> Unsupported:
    """Return why nothing is moved: the messages would not be what they were."""
    named = ", ".join(f"{name} of {plural(count, 'message')}" for name, count in lost.items())
    return Unsupported(
        f"{queue}, a queue of a {kind}, cannot keep: {named}",
        hint=f"accept that with {' '.join(f'--drop {name}' for name in lost)}",
    )
