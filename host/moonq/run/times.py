"""How long things took: counted in buckets, so that it never grows, and good to a tenth.

times = Times()
times.note(0.003, 19)
times.note(0.5)
quantile(times.pairs(), 0.95)   --> 0.003 or so
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

#: Buckets from a microsecond to more than an hour; each is a fifth wider than the one before.
PER_OCTAVE = 4
BUCKETS = 128
_MICRO = 1e6

#: Seconds and how often something took about as long, the shortest first.
Pairs = Sequence[tuple[float, int]]


class Times:
    """One thread's count; others may read it at any moment."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts = [0] * BUCKETS

    def note(self, seconds: float, number: int = 1) -> None:
        """Remember that *number* things took *seconds* each."""
        micros = seconds * _MICRO
        bucket = int(math.log2(micros) * PER_OCTAVE) if micros > 1 else 0
        self._counts[min(bucket, BUCKETS - 1)] += number

    def add(self, other: Times) -> None:
        """Take over what *other* counted."""
        for bucket, count in enumerate(other._counts):
            self._counts[bucket] += count

    def pairs(self) -> list[tuple[float, int]]:
        """Return what was counted."""
        return [(_middle(bucket), count) for bucket, count in enumerate(self._counts) if count]


def _middle(bucket: int) -> float:
    """Seconds in the middle of a bucket, short enough to travel as JSON."""
    return float(f"{2 ** ((bucket + 0.5) / PER_OCTAVE) / _MICRO:.3g}")


def merged(several: Iterable[Pairs]) -> list[tuple[float, int]]:
    """Return several counts as one."""
    total: dict[float, int] = {}
    for pairs in several:
        for seconds, count in pairs:
            total[seconds] = total.get(seconds, 0) + count
    return sorted(total.items())


def since(before: Pairs, after: Pairs) -> list[tuple[float, int]]:
    """Return what came between two readings; after a new beginning, what came since then."""
    earlier = dict(before)
    grown = [(seconds, count - earlier.get(seconds, 0)) for seconds, count in after]
    began_anew = any(count < 0 for _, count in grown) or set(earlier) - dict(after).keys()
    return list(after) if began_anew else [pair for pair in grown if pair[1]]


def quantile(pairs: Pairs, share: float) -> float | None:
    """Return the seconds that *share* of all stayed below; None when there was nothing."""
    left = sum(count for _, count in pairs) * share
    for seconds, count in pairs:
        left -= count
        if left <= 0:
            return seconds
    return None
