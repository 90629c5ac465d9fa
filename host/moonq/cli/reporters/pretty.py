"""For people: every file with its blocks and tests, and what went wrong below."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from moonq.cli.drawing import Lines
from moonq.cli.reporters import Tally
from moonq.testing.blocks import block, log_row
from moonq.testing.results import Report, Result
from moonq.text.plain import clean
from moonq.text.wording import columns, lasted

#: Where the times stand.
COLUMN = 72
GAP = 2
#: Columns in front of what went wrong.
MARGIN = 5
MARKS = {
    "passed": ("✓", "good"),
    "failed": ("✗", "bad"),
    "error": ("✗", "bad"),
    "skipped": ("-", "warn"),
}


class Pretty:
    """See `Reporter`."""

    def __init__(self, lines: Lines, *, quiet: bool = False, logs: bool = False) -> None:
        self._lines = lines
        self._quiet = quiet
        self._logs = logs

    def suite(self, report: Report) -> None:
        """Write a file's blocks and tests."""
        if self._quiet or not report.results:
            return
        self._lines.line(f"  {clean(report.source.shown)}")
        inside: tuple[str, ...] = ()
        for result in report.results:
            path = result.case.path
            for depth in range(_shared(inside, path), len(path)):
                self._lines.line(f"{'  ' * (depth + 2)}{clean(path[depth])}")
            inside = path
            self._result(result, "  " * (len(path) + 2))

    def end(self, tally: Tally, extra: Sequence[str]) -> None:
        """Write what went wrong, and the closing line."""
        for number, result in enumerate(tally.bad(), 1):
            where = "" if result.is_test else f"{clean(result.case.file)} "
            self._lines.line()
            self._lines.line((f"  {number}) {where}{clean(result.case.title)}", "bad"))
            finding = result.finding
            drawn = self._lines.drawn([finding], MARGIN).split("\n") if finding else None
            room = max(0, self._lines.screen.width - MARGIN)
            for row in drawn or block(result, room):
                self._lines.line(f"{' ' * MARGIN}{row}".rstrip())
        for row in ("", *extra):
            self._lines.line(below=row)
        self._lines.line((f"  {tally.summary()}", "bad" if tally.bad() else "good"))

    def _result(self, result: Result, indent: str) -> None:
        mark, style = MARKS[result.status]
        name = f"{indent}{mark} {clean(result.case.name)}"
        took = lasted(result.took) if result.is_test else ""
        if result.status == "skipped":
            name, took = f"{name}  ({clean(result.reason) or 'skipped'})", ""
        width = self._lines.screen.width or sys.maxsize
        used = columns(name) + len(took)
        # Where room is scarce the time goes first; then names go on below.
        told = f"{name}{' ' * max(GAP, min(COLUMN, width) - used)}{took}"
        self._lines.line((told if took and used + GAP <= width else name, style))
        if self._logs:
            for line in result.logs:
                self._lines.line(f"{indent}    {log_row(line)}")


def _shared(before: tuple[str, ...], after: tuple[str, ...]) -> int:
    """How many of the outer blocks two tests have in common."""
    pairs = zip(before, after, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), len(before))
