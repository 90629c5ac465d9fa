"""What actions and resources of a policy fit: a name, `*`, or what a name begins with.

fits("queue.publish", "queue.*")   # True
fits("queue.publish", "*.publish") # False: a `*` stands for what follows, at the end only
"""

from __future__ import annotations


def fits(text: str, pattern: str) -> bool:
    """Whether *text* is what *pattern* means; `?` and `[` are letters like all others."""
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def meet(one: str, other: str) -> bool:
    """Whether some text fits both patterns."""
    return fits(one.removesuffix("*"), other) or fits(other.removesuffix("*"), one)


def is_pattern(text: str) -> bool:
    """Whether it is one: no `*` stands before its end."""
    return "*" not in text[:-1]
