"""For GitHub's runners: what people see, and annotations beside the code."""

from __future__ import annotations

from collections.abc import Sequence

from moonq.cli.reporters import Tally
from moonq.cli.reporters.pretty import Pretty, Style
from moonq.testing.blocks import block
from moonq.testing.results import Report, Result
from moonq.text.plain import clean

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


class Github:
    """See `Reporter`."""

    def __init__(self, style: Style) -> None:
        self._style = style
        self._pretty = Pretty(style)

    def suite(self, report: Report) -> None:
        """Write a file's tests."""
        self._pretty.suite(report)

    def end(self, tally: Tally, extra: Sequence[str]) -> None:
        """Write what went wrong, the closing line, and the annotations."""
        self._pretty.end(tally, extra)
        for report in tally.reports:
            if report.broken:
                file, line, _ = report.broken.place
                self._annotate(file, line, "does not load", report.broken.message)
            for result in report.results:
                if result.is_bad:
                    self._failure(result)
            for problem in report.problems:
                self._annotate(report.source.shown, problem.line, "after_all", problem.message)

    def _failure(self, result: Result) -> None:
        problem, case = result.problem, result.case
        assert problem is not None
        file = problem.source.file if problem.source else case.file
        self._annotate(file, problem.line or case.line, case.title, "\n".join(block(result)))

    def _annotate(self, file: str, line: int, title: str, text: str) -> None:
        place = f"file={clean(file).translate(_PROPERTY)},line={line}"
        words = clean(title).translate(_PROPERTY)
        self._style.write(f"::error {place},title={words}::{text.translate(_DATA)}")
