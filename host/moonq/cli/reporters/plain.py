"""One line per test, for logs and for grep."""

from __future__ import annotations

from moonq.cli.reporters.pretty import Pretty
from moonq.testing.results import Report
from moonq.text.plain import clean

WORDS = {"passed": "ok", "failed": "FAIL", "error": "FAIL", "skipped": "skip"}


class Plain(Pretty):
    """See `Reporter`."""

    def suite(self, report: Report) -> None:
        """Write a line for each test."""
        shown = clean(report.source.shown)
        for result in report.results:
            if not self._quiet or result.is_bad:
                self._lines.line(f"{WORDS[result.status]:5} {shown}  {clean(result.case.title)}")
