"""Dead letters, grouped by what went wrong.

    12 dead letters, 3 kinds of error
      a41   9   2m ago    src/process_order.lua:31    TIMEOUT bank did not answer

Two errors are the same kind when they arose at the same place with the same words; numbers, ids and
quoted parts of the words do not count. The fingerprint of a kind stays the same over time.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import Any

from moonq.drivers.letters import X_DEAD_LETTER_REASON, X_DEAD_LETTER_TIME
from moonq.model import Stored
from moonq.operations.documents import where, words

_VARIABLE = re.compile(r"""'[^']*'|"[^"]*"|\b[0-9a-f]{8,}[0-9a-f-]*\b|\d+(\.\d+)?""")
#: Characters of a fingerprint that are shown, unless two kinds begin alike.
SHORT = 3


@dataclass(slots=True)
class Group:
    """Dead letters with one kind of error."""

    fingerprint: str
    count: int
    first: float
    last: float
    where: str
    error: str
    reason: str
    example: str
    """The id of one of them."""


def alike(words: str) -> str:
    """Return what all words of one kind of error have in common."""
    return _VARIABLE.sub("?", words)


def fingerprint(stored: Stored) -> str:
    """Return what all letters with this kind of error share."""
    place, text = _place_and_words(stored)
    return hashlib.sha256(f"{place}\n{alike(text)}\n{_reason(stored)}".encode()).hexdigest()[:12]


def died_at(stored: Stored) -> float:
    """Return when it became a dead letter."""
    return float(stored.message.headers.get(X_DEAD_LETTER_TIME, stored.message.published_at))


class Groups:
    """Dead letters by kind of error; of the letters themselves none is kept."""

    def __init__(self) -> None:
        self.count = 0
        self._groups: dict[str, Group] = {}

    def add(self, letter: Stored) -> Stored:
        """Count *letter*, and return it."""
        key, when = fingerprint(letter), died_at(letter)
        one = self._groups.get(key)
        if one is None:
            place, text = _place_and_words(letter)
            one = Group(key, 0, when, when, place, text, _reason(letter), letter.message.id)
            self._groups[key] = one
        one.first, one.last = min(one.first, when), max(one.last, when)
        one.count += 1
        self.count += 1
        return letter

    def objects(self) -> list[dict[str, Any]]:
        """Return them as plain data, the most frequent first.

        Fingerprints are as short as they can be told apart.
        """
        groups = sorted(self._groups.values(), key=lambda one: (-one.count, one.fingerprint))
        width = SHORT
        while len({one.fingerprint[:width] for one in groups}) < len(groups):
            width += 1
        return [asdict(one) | {"fingerprint": one.fingerprint[:width]} for one in groups]


def _place_and_words(stored: Stored) -> tuple[str, str]:
    if not stored.errors:
        return "", _reason(stored)
    last = stored.errors[-1]
    return where(last), words(last)


def _reason(stored: Stored) -> str:
    return str(stored.message.headers.get(X_DEAD_LETTER_REASON, "published here"))
