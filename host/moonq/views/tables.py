"""Rows as columns, and facts below each other: the two shapes that all views have.

    yield from table([Column("queue", get("id"), is_id=True), Column("ready", ready, right=True)],
                     found["queues"], screen)

A terminal gets a table of rich that fits: columns leave in the order of their `drop`, ids lose
their beginning, and texts wrap between words; a word that is wider than its column is cut. Rows
that are more than a page are drawn one by one in the widths of the first page, and cut, for rich
takes 0.3 ms for each. A pipe gets whole rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from moonq.text.folding import STEP, Part, fold
from moonq.text.plain import visible
from moonq.text.wording import columns as columns_of
from moonq.text.wording import cut, cut_before

if TYPE_CHECKING:
    from moonq.views.screen import Screen

Found = Mapping[str, Any]
#: What a cell says, and a style of the theme.
Cell = tuple[str, str]

#: Rows that are looked at for the widths of columns.
PAGE = 500
GAP = 2
#: Columns that an id, and a text that wraps, want at least.
LEAST_ID = 12
LEAST_TEXT = 16


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    title: str
    cell: Callable[[Any], str | Cell]
    right: bool = False
    drop: int = 0
    """Columns with the highest number go first when room gets scarce; those with 0 stay."""
    is_id: bool = False
    """The end of a text that is too long says more than its beginning."""
    wraps: bool = False
    """It takes what the others leave; on a terminal it goes on below, or is `cut`."""
    is_cut: bool = False
    """Of a text that is too long only the beginning is shown on a terminal."""
    least: int = 0
    """How wide it is in any case, so that a table that is drawn again stands still."""


def get(name: str, style: str = "") -> Callable[[Found], Cell]:
    """Return a cell that shows a field as it is."""
    return lambda row: (str(row[name]), style)


def table(
    columns: Sequence[Column],
    rows: Iterable[Any],
    screen: Screen,
    *,
    selected: int | None = None,
    indent: str = "",
    has_head: bool = True,
) -> Iterator[str]:
    """Yield *rows* below the titles of *columns*.

    The row number *selected* is marked in the indent; no column of such a table `wraps`.
    """
    every = ([_cell(column, row) for column in columns] for row in rows)
    page = list(islice(every, PAGE + 1))
    shape = _Shape(columns, page, screen, len(indent))
    if screen.width and len(page) <= PAGE:
        lines = [f"{indent}{line}" for line in shape.drawn(page, selected, has_head=has_head)]
        if selected is not None:
            lines[selected + 1] = screen.plain("▸") + lines[selected + 1][1:]
        yield from lines
        return
    if has_head:
        yield indent + shape.line([(one.title, "head") for one in columns])
    for cells in chain(page, every):
        yield indent + shape.line(cells)


def _cell(column: Column, row: Any) -> Cell:
    return _shown(column.cell(row))


def _shown(cell: str | Cell) -> Cell:
    text, style = (cell, "") if isinstance(cell, str) else cell
    return text if text.isprintable() else visible(text), style


class _Shape:
    """Which columns there are, and how wide: made for one page of cells and one screen."""

    def __init__(
        self, columns: Sequence[Column], page: Sequence[Sequence[Cell]], screen: Screen, indent: int
    ) -> None:
        self._columns = columns
        self._screen = screen
        self._widths = {
            at: max(
                column.least,
                columns_of(column.title),
                *(columns_of(cells[at][0]) for cells in page),
                0,
            )
            for at, column in enumerate(columns)
        }
        if screen.width:
            self._fit(screen.width - indent)

    def _fit(self, room: int) -> None:
        """Drop columns until the others have the room that they need, and divide what is left."""
        natural = self._widths
        needed = {at: self._need(at, width, room) for at, width in natural.items()}
        while sum(needed.values()) + GAP * (len(needed) - 1) > room:
            last = max(self._columns[at].drop for at in needed)
            if not last:
                break
            needed = {at: width for at, width in needed.items() if self._columns[at].drop != last}
        rest = room - sum(needed.values()) - GAP * (len(needed) - 1)
        for at in sorted(needed, key=lambda at: not self._columns[at].is_id):
            more = max(0, min(rest, natural[at] - needed[at]))
            needed[at] += more
            rest -= more
        self._widths = needed

    def _need(self, at: int, width: int, room: int) -> int:
        column = self._columns[at]
        if column.is_id:
            return min(width, max(LEAST_ID, room // 5))
        if column.wraps or column.is_cut:
            return min(width, max(LEAST_TEXT, column.least))
        return width

    def drawn(
        self, page: Sequence[Sequence[Cell]], selected: int | None = None, *, has_head: bool = False
    ) -> list[str]:
        """Return the lines of rich's table."""
        from rich.table import Table
        from rich.text import Text

        made = Table(
            box=None,
            pad_edge=False,
            padding=(0, GAP, 0, 0),
            header_style="head",
            show_header=has_head,
        )
        for at, width in self._widths.items():
            column = self._columns[at]
            made.add_column(
                Text(column.title),
                justify="right" if column.right else "left",
                width=width,
                no_wrap=not column.wraps,
                overflow="ellipsis",
            )
        for number, cells in enumerate(page):
            shown = [
                self._screen.text(self._fitting(at, cells[at][0]), cells[at][1])
                for at in self._widths
            ]
            made.add_row(*shown, style="selected" if number == selected else "")
        return self._screen.lines(made)

    def line(self, cells: Sequence[Cell]) -> str:
        """Return one row without rich: whole in a pipe, on a terminal in the widths of the page."""
        parts = []
        for at, width in self._widths.items():
            text, style = cells[at]
            taken = columns_of(text)
            if taken > width and self._screen.width:
                text = cut(self._fitting(at, text), width)
                taken = columns_of(text)
            gap = " " * (width - taken)
            shown = self._screen.paint(style, text)
            parts.append(gap + shown if self._columns[at].right else shown + gap)
        return (" " * GAP).join(parts).rstrip()

    def _fitting(self, at: int, text: str) -> str:
        column = self._columns[at]
        return cut_before(text, self._widths[at]) if column.is_id else text


def facts(
    pairs: Iterable[tuple[str, str | Cell]], screen: Screen, *, least: int = 0, indent: str = ""
) -> Iterator[str]:
    """Yield facts, each with its name before it; on a terminal long ones go on below themselves.

    A fact without a name goes on with the one above it. The style `lua` colours Lua text. Where
    names would take half of the room, they stand in no column.
    """
    told = [(visible(name), *_shown(fact)) for name, fact in pairs]
    wide = max([least, *(columns_of(name) for name, _, _ in told)], default=0)
    if screen.width and len(indent) + wide + GAP > screen.width // 2:
        wide = 0
    for name, text, style in told:
        gap = " " * (max(0, wide - columns_of(name)) + (GAP if name or wide else STEP))
        parts = [(indent, ""), (name, "dim"), (gap, ""), (text, style)]
        yield from _folded(parts, screen, len(indent) + (wide + GAP if wide else STEP))


def paragraph(text: str, style: str, screen: Screen, indent: str = "") -> Iterator[str]:
    """Yield one text; on a terminal it wraps between words."""
    parts = [(indent, ""), (visible(text), style)]
    yield from _folded(parts, screen, len(indent))


def sentence(screen: Screen, *parts: str | Part, hang: int = STEP) -> Iterator[str]:
    """Yield one line of parts; on a terminal what does not fit goes on below, *hang* columns in."""
    styled = ((part, "") if isinstance(part, str) else part for part in parts)
    told = [(visible(text), style) for text, style in styled]
    yield from _folded(told, screen, hang)


def _folded(parts: Iterable[Part], screen: Screen, hang: int) -> Iterator[str]:
    for line in fold(parts, screen.width, hang):
        yield "".join(screen.paint(style, text) for text, style in line).rstrip()
