"""One table of measured numbers with their targets beside: drawn, plain in a pipe, or as JSON.

Row("decode", 1.2, "µs", target=At("<=", 1.5))
"""

from __future__ import annotations

import json
import operator
from collections.abc import Sequence
from typing import Literal, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table


class At(NamedTuple):
    """What a number should be at least or at most."""

    sign: Literal[">=", "<="]
    number: float
    of_ratio: bool = False
    """Whether it is the ratio that counts."""


class Row(NamedTuple):
    """One line of the table."""

    what: str
    value: float
    unit: str = "/s"
    cpu: float | None = None
    """CPU of the whole process, in microseconds per message."""
    ratio: float | None = None
    beside: str = ""
    """What the ratio is to."""
    target: At | None = None

    def is_met(self) -> bool | None:
        """Whether the target is reached; None: there is none."""
        if self.target is None:
            return None
        measured = self.ratio if self.target.of_ratio else self.value
        compare = operator.ge if self.target.sign == ">=" else operator.le
        return bool(compare(measured, self.target.number))

    def cells(self) -> list[str]:
        """Return the line's cells as text."""
        target = self.target
        unit = "x" if target and target.of_ratio else self.unit
        return [
            self.what,
            number(self.value, self.unit),
            "" if self.cpu is None else f"{self.cpu:.1f}",
            "" if self.ratio is None else f"{self.ratio:.2f} x {self.beside}",
            "" if target is None else f"{target.sign} {number(target.number, unit)}",
            {None: "", True: "yes", False: "no"}[self.is_met()],
        ]


def number(value: float, unit: str) -> str:
    """Return *value* with its unit, with as many digits as mean something."""
    return f"{value:,.0f}{unit}" if unit == "/s" else f"{value:.3g} {unit}"


def show(title: str, rows: Sequence[Row], notes: Sequence[str]) -> None:
    """Draw the table; in a pipe, without lines and colours."""
    console = Console(highlight=False)
    is_drawn = console.is_terminal
    if not is_drawn:
        console = Console(highlight=False, width=200)
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD if is_drawn else None)
    for name in ("", "measured", "CPU µs", "ratio", "target", "met"):
        table.add_column(name, justify="right" if name in {"measured", "CPU µs"} else "left")
    for row in rows:
        style = {None: "", True: "green", False: "red"}[row.is_met()]
        table.add_row(*row.cells(), style=style)
    console.print(table)
    for note in notes:
        console.print(note)


def as_json(about: dict[str, object], rows: Sequence[Row]) -> str:
    """Return the same for programs."""
    lines = [
        {**row._asdict(), "target": row.target and row.target._asdict(), "met": row.is_met()}
        for row in rows
    ]
    return json.dumps({**about, "rows": lines}, ensure_ascii=False, indent=2)
