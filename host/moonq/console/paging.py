r"""Long output a screen at a time, without taking the terminal or the keyboard away.

    pages = Pages()
    pages.begin(lines, Size(80, 24))     # the lines of the first screen
    pages.more(Size(80, 24))             # those of the next

Between two screens there is the prompt, so whatever is typed next is typed there, and nothing is
lost; what was shown stays where it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from moonq.text.wording import columns

_CODES = re.compile(r"\x1b\[[0-9;]*m")
#: Rows below a screen of lines: how many more there are, the prompt, and the status bar.
BELOW = 3


class Size(NamedTuple):
    """How large a terminal is."""

    columns: int
    rows: int


class Pages:
    """What of a long output has not been shown yet."""

    def __init__(self) -> None:
        self._rest: Sequence[str] = ()

    @property
    def left(self) -> int:
        """How many lines there still are."""
        return len(self._rest)

    def begin(self, lines: Sequence[str], size: Size) -> Sequence[str]:
        """Return what of *lines* fits the screen, and keep the rest."""
        self._rest = lines
        return self.more(size)

    def more(self, size: Size) -> Sequence[str]:
        """Return the next lines that fit, at least one where there is one."""
        end, room = 0, size.rows - BELOW
        while end < len(self._rest):
            room -= height(self._rest[end], size)
            if end and room < 0:
                break
            end += 1
        shown, self._rest = self._rest[:end], self._rest[end:]
        return shown

    def forget(self) -> None:
        """Let the rest be."""
        self._rest = ()


def height(line: str, size: Size) -> int:
    """Return how many rows a line takes."""
    return max(1, -(-columns(_CODES.sub("", line)) // max(1, size.columns)))


def fits(lines: Sequence[str], size: Size) -> bool:
    """Say whether *lines* and the prompt below them can be seen at once."""
    return sum(height(line, size) for line in lines) <= size.rows - BELOW
