"""For people: every file with its blocks and tests, and what went wrong below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from moonq.cli.reporters import Tally
from moonq.testing.blocks import block, log_row, problem_rows
from moonq.testing.results import Report, Result
from moonq.text.findings import render
from moonq.text.plain import clean, in_ascii
from moonq.text.wording import milliseconds

#: Where the times stand.
COLUMN = 72
MARKS = {
    "passed": ("✓", "32"),
    "failed": ("✗", "31"),
    "error": ("✗", "31"),
    "skipped": ("-", "33"),
}


@dataclass(frozen=True, slots=True)
class Style:
    """How to write: what the terminal takes and what the person wants to see."""

    write: Callable[[str], None]
    color: bool = False
    unicode: bool = True
    quiet: bool = False
    logs: bool = False
    width: int = 100

    def row(self, text: str = "", ink: str = "") -> None:
        """Write one row."""
        if not self.unicode:
            text = in_ascii(text)
        self.write(f"\x1b[{ink}m{text}\x1b[0m" if self.color and ink and text else text)


class Pretty:
    """See `Reporter`."""

    def __init__(self, style: Style) -> None:
        self._style = style

    def suite(self, report: Report) -> None:
        """Write a file's blocks and tests."""
        if self._style.quiet or not (report.results or report.broken):
            return
        self._style.row(f"  {clean(report.source.shown)}")
        if report.broken:
            self._style.row("    ✗ does not load", "31")
        inside: tuple[str, ...] = ()
        for result in report.results:
            path = result.case.path
            shared = _shared(inside, path)
            for depth in range(shared, len(path)):
                self._style.row(f"{'  ' * (depth + 2)}{clean(path[depth])}")
            inside = path
            self._result(result, "  " * (len(path) + 2))

    def end(self, tally: Tally, extra: Sequence[str]) -> None:
        """Write what went wrong, and the closing line."""
        for number, (title, rows) in enumerate(_bad(tally, self._style), 1):
            self._style.row()
            self._style.row(f"  {number}) {title}", "31")
            for row in rows:
                self._style.row(f"     {row}".rstrip())
        for row in ("", *extra):
            self._style.row(row)
        self._style.row(f"  {tally.summary()}", "31" if tally.failed() else "32")

    def _result(self, result: Result, indent: str) -> None:
        mark, ink = MARKS[result.status]
        name = f"{indent}{mark} {clean(result.case.name)}"
        if result.status == "skipped":
            name += f"  ({result.reason or 'skipped'})"
            took = ""
        else:
            took = milliseconds(result.took)
        gap = max(2, COLUMN - len(name) - len(took))
        self._style.row(f"{name}{' ' * gap if took else ''}{took}", ink)
        if self._style.logs:
            for line in result.logs:
                self._style.row(f"{indent}    {log_row(line)}")


def _shared(before: tuple[str, ...], after: tuple[str, ...]) -> int:
    """How many of the outer blocks two tests have in common."""
    pairs = zip(before, after, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), len(before))


def _bad(tally: Tally, style: Style) -> Iterator[tuple[str, list[str]]]:
    for report in tally.reports:
        shown = clean(report.source.shown)
        if report.broken:
            drawn = render(
                [report.broken], color=style.color, width=style.width - 5, unicode=style.unicode
            )
            yield shown, drawn.split("\n")
        for result in report.results:
            if result.is_bad:
                yield clean(result.case.title), block(result)
        for problem in report.problems:
            yield f"{shown}, after its tests", problem_rows(problem)
