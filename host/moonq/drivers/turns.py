"""Whose turn it is when messages of several priorities wait: 9 : 3 : 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from moonq.model import Priority

Item = TypeVar("Item")

#: Evenly spread, so that no level waits for a whole run of another.
CYCLE = (*((Priority.HIGH,) * 3 + (Priority.NORMAL,)) * 3, Priority.LOW)


def interleave(
    levels: Sequence[Iterator[tuple[Any, Item]]], turn: int, keys: Sequence[Any]
) -> Iterator[tuple[list[Any], Item]]:
    """Draw from the *levels* by turns, beginning with *turn*.

    Each level yields its items with their keys. What is drawn comes with the place behind it: the
    turn that follows, then the last key of each level, of which *keys* are those before the first.
    """
    heads = [next(level, None) for level in levels]
    last = list(keys)
    while any(head is not None for head in heads):
        level = CYCLE[turn]
        turn = (turn + 1) % len(CYCLE)
        head = heads[level]
        if head is not None:
            last[level], item = head
            yield [turn, *last], item
            heads[level] = next(levels[level], None)
