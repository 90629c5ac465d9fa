"""A table that knows which of its columns to give up when there is little room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from moonq.dashboard.text import cut_before, padded

Row = TypeVar("Row")

#: Styled pieces of one line: the name of a style, and text.
Line = list[tuple[str, str]]
#: What a cell says, and its style.
Cell = tuple[str, str]


class Column(NamedTuple, Generic[Row]):
    """One column."""

    title: str
    width: int
    """With the gap before it."""
    cell: Callable[[Row], Cell]
    drop: int = 0
    """Columns with the highest number go first; those with 0 stay."""
    left: bool = False
    is_id: bool = False
    """The end of a text that is too long says more than its beginning."""
    stretch: bool = False
    """It takes what the others leave, and wants at least its width."""


def plain(line: Line) -> str:
    """Return a line's text."""
    return "".join(text for _, text in line).rstrip()


class Table(Generic[Row]):
    """Rows under a head, drawn for one width."""

    def __init__(self, columns: Sequence[Column[Row]], room: int) -> None:
        self._columns = list(columns)
        while self._overflows(room) and any(column.drop for column in self._columns):
            first = max(column.drop for column in self._columns)
            self._columns = [column for column in self._columns if column.drop != first]
        self._rest = max(0, room - sum(column.width for column in self._columns))

    def _overflows(self, room: int) -> bool:
        return sum(column.width for column in self._columns) > room

    def head(self) -> Line:
        """Return the line above the rows."""
        return [("class:head", self._fit(column, column.title)) for column in self._columns]

    def line(self, row: Row, style: str = "") -> Line:
        """Return one row, all of it in *style* if one is given."""
        pieces: Line = []
        for column in self._columns:
            text, own = column.cell(row)
            pieces.append((style or own, self._fit(column, text)))
        return pieces

    def _fit(self, column: Column[Row], text: str) -> str:
        room = column.width + (self._rest if column.stretch else 0)
        gap = 2 if column.left else 1
        if column.is_id:
            text = cut_before(text, room - gap)
        return " " * gap + padded(text, room - gap, left=column.left)
