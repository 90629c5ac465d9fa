"""One line per test, for logs and for grep."""

from __future__ import annotations

from collections.abc import Sequence

from moonq.cli.reporters import Tally
from moonq.cli.reporters.pretty import Pretty, Style
from moonq.testing.results import Report
from moonq.text.plain import clean

WORDS = {"passed": "ok", "failed": "FAIL", "error": "FAIL", "skipped": "skip"}


class Plain:
    """See `Reporter`."""

    def __init__(self, style: Style) -> None:
        self._style = style

    def suite(self, report: Report) -> None:
        """Write a line for each test."""
        shown = clean(report.source.shown)
        if report.broken:
            self._style.row(f"FAIL  {shown}  does not load")
        for result in report.results:
            if not self._style.quiet or result.is_bad:
                word = WORDS[result.status]
                self._style.row(f"{word:5} {shown}  {clean(result.case.title)}")

    def end(self, tally: Tally, extra: Sequence[str]) -> None:
        """Write what went wrong, and the closing line."""
        Pretty(self._style).end(tally, extra)
