"""For GitHub's runners: what people see, and annotations beside the code."""

from __future__ import annotations

from collections.abc import Sequence

from moonq.cli.annotating import annotate
from moonq.cli.reporters import Tally
from moonq.cli.reporters.pretty import Pretty
from moonq.testing.blocks import block
from moonq.testing.results import Result


class Github(Pretty):
    """See `Reporter`."""

    def end(self, tally: Tally, extra: Sequence[str]) -> None:
        """Write what went wrong, the closing line, and the annotations."""
        super().end(tally, extra)
        for result in tally.bad():
            self._annotate(result)

    def _annotate(self, result: Result) -> None:
        problem, case = result.problem, result.case
        assert problem is not None
        annotate(
            self._lines.to,
            "error",
            "\n".join(block(result)),
            file=problem.source.file if problem.source else case.file,
            line=problem.line or case.line,
            title=case.title,
        )
