"""Did you mean …: the few names that a misspelt one probably stands for.

close("ordres", ["orders", "emails"])   # ["orders"]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: Longer names are compared by their beginning only, so that a hostile one costs nothing.
LONGEST = 80


def distance(left: str, right: str, limit: int = LONGEST) -> int:
    """Return how many single edits or swaps of neighbours turn *left* into *right*.

    Beyond *limit* the answer is only known to be larger.
    """
    before: list[int] = []
    above = list(range(len(right) + 1))
    for row, a in enumerate(left, 1):
        here = [row]
        for column, b in enumerate(right, 1):
            cost = min(above[column] + 1, here[-1] + 1, above[column - 1] + (a != b))
            if row > 1 and column > 1 and a == right[column - 2] and left[row - 2] == b:
                cost = min(cost, before[column - 2] + 1)
            here.append(cost)
        before, above = above, here
        if min(above) > limit:
            break
    return above[-1]


def close(name: str, candidates: Iterable[str], limit: int = 3) -> list[str]:
    """Return at most *limit* candidates within 2 edits, or a third of the length, nearest first."""
    found = []
    for candidate in set(candidates):
        wanted, other = _different(name[:LONGEST].casefold(), candidate[:LONGEST].casefold())
        # A word of two letters is within two edits of every other one: that is no likeness.
        allowed = min(max(2, len(wanted) // 3), len(wanted) - 1)
        if candidate != name and abs(len(other) - len(wanted)) <= allowed:
            edits = distance(wanted, other, allowed)
            if edits <= allowed:
                found.append((edits, candidate))
    return [candidate for _, candidate in sorted(found)[:limit]]


def _different(left: str, right: str) -> tuple[str, str]:
    """Both without the namespace or family they share: it makes nothing alike."""
    start = 0
    for at, (a, b) in enumerate(zip(left, right, strict=False), 1):
        if a != b:
            break
        if a in ".:":
            start = at
    return left[start:], right[start:]


def listed(names: Iterable[str]) -> str:
    """Return ```a`, `b` and `c```, in their order."""
    *others, last = [f"`{name}`" for name in sorted(names)]
    return f"{', '.join(others)} and {last}" if others else last


def question(names: Sequence[str]) -> str:
    """Return ``did you mean `a`, `b` or `c`?``, or nothing when there are no names."""
    if not names:
        return ""
    quoted = [f"`{name}`" for name in names]
    last = quoted.pop()
    return f"did you mean {', '.join(quoted)} or {last}?" if quoted else f"did you mean {last}?"
