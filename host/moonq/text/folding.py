"""Text in lines that fit: broken between words, what goes on below stands further in.

    fold([("WARN  ", "warn"), ("nack → again in 4s", "")], 16)
    # [[("WARN  ", "warn"), ("nack →", "")], [("  ", ""), ("again in 4s", "")]]

A word that is wider than the room is left whole: the terminal breaks it, and knows when somebody
copies it that it is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from moonq.text.wording import columns

#: A text and its style.
Part = tuple[str, str]
_WORD = re.compile(r"\S+")
#: Columns that what goes on below stands further in.
STEP = 2


def fold(parts: Iterable[Part], room: int, hang: int | None = None) -> list[list[Part]]:
    """Return *parts*, texts of one line, as lines of at most *room* columns; 0 is any number.

    The lines below the first begin *hang* columns in: by default a step further than it does.
    """
    given = list(parts)
    text = "".join(part for part, _ in given)
    if not room or columns(text) <= room:
        return [given]
    if hang is None:
        hang = len(text) - len(text.lstrip(" ")) + STEP
    hang = hang if hang <= room // 2 else STEP
    return [
        [*([(" " * hang, "")] if at else []), *_slice(given, start, end)]
        for at, (start, end) in enumerate(_lines(text, room, hang))
    ]


def fold_text(text: str, room: int, hang: int | None = None) -> list[str]:
    """Return one text, of as many lines as it has, as lines of at most *room* columns."""
    folded = (fold([(line, "")], room, hang) for line in text.split("\n"))
    return ["".join(part for part, _ in line) for lines in folded for line in lines]


def _lines(text: str, room: int, hang: int) -> Iterator[tuple[int, int]]:
    """Where the lines of *text* begin and end; the spaces between two are of neither."""
    start = end = 0
    for word in _WORD.finditer(text):
        indent = hang if start else 0
        if end and columns(text[start : word.end()]) > room - indent:
            yield start, end
            start = word.start()
        end = word.end()
    yield start, end


def _slice(parts: Sequence[Part], start: int, end: int) -> Iterator[Part]:
    at = 0
    for text, style in parts:
        found = text[max(0, start - at) : max(0, end - at)]
        at += len(text)
        if found:
            yield found, style
