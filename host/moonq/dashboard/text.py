"""Numbers and texts in the few columns that a table has for them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from moonq import durations
from moonq.text import plain

UNKNOWN = "·"
NONE = "-"
SPARKS = "▁▂▃▄▅▆▇█"
#: For terminals that cannot show more than ASCII; each stands for as many columns as before.
PLAIN = str.maketrans(
    {
        "·": "?",
        "…": "~",
        "▸": ">",
        "↑": "^",
        "↓": "v",
        "⏎": "=",
        "→": ">",
        "µ": "u",
        **dict(zip(SPARKS, "_.,-=+*#", strict=True)),
        "░": ".",
    }
)


def width(text: str) -> int:
    """Return how many columns *text* takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def cut(text: str, room: int) -> str:
    """Return *text* in at most *room* columns, visible and marked where it was cut."""
    text = plain.visible(text)
    if width(text) <= room:
        return text
    while text and width(text) > room - 1:
        text = text[:-1]
    return f"{text}…" if room > 0 else ""


def cut_before(text: str, room: int) -> str:
    """Return the end of *text* in at most *room* columns, marked where it was cut."""
    return cut(text[::-1], room)[::-1] if width(text) > room else text


def padded(text: str, room: int, *, left: bool) -> str:
    """Return *text* in exactly *room* columns."""
    text = cut(text, room)
    gap = " " * (room - width(text))
    return text + gap if left else gap + text


def count(number: int | None) -> str:
    """Return ``1 204``, ``120k``, ``3.1M``, or the sign for what nobody knows."""
    if number is None:
        return UNKNOWN
    if number < 100_000:
        return f"{number:,}".replace(",", " ")
    return f"{number / 1000:.0f}k" if number < 999_500 else f"{number / 1_000_000:.1f}M"


def rate(per_second: float | None) -> str:
    """Return ``84.0``, or ``120k`` where it is large."""
    if per_second is None:
        return UNKNOWN
    return f"{per_second:.1f}" if per_second < 1000 else count(round(per_second))


def took(seconds: float | None) -> str:
    """Return ``40 µs``, ``1.2 ms``, ``12 ms``, ``3.2 s``; a dash for what never happened."""
    if seconds is None:
        return NONE
    if seconds < 0.00095:
        return f"{seconds * 1_000_000:.0f} µs"
    if seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"


def error(text: str) -> str:
    """Return what went wrong without a kind that says nothing."""
    return text.removeprefix("UNKNOWN ")


def age(seconds: float | None) -> str:
    """Return ``3m12s``."""
    return UNKNOWN if seconds is None else durations.show(max(1, round(seconds)))


def spark(numbers: Sequence[int | None]) -> str:
    """Return *numbers* as little bars; a gap where nobody looked."""
    highest = max((number for number in numbers if number is not None), default=0)
    steps = len(SPARKS) - 1
    return "".join(
        " " if number is None else SPARKS[-(-number * steps // highest) if highest else 0]
        for number in numbers
    )


def flow(parts: Iterable[str], room: int, gap: str = "   ") -> list[str]:
    """Return *parts* side by side, on as many lines as they need."""
    lines: list[str] = []
    for part in parts:
        if lines and width(lines[-1]) + len(gap) + width(part) <= room:
            lines[-1] += gap + part
        else:
            lines.append(cut(part, room))
    return lines
