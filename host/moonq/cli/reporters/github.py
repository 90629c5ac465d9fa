"""For GitHub's runners: what people see, and annotations beside the code."""

from __future__ import annotations

from collections.abc import Sequence

from moonq.cli.reporters import Tally
from moonq.cli.reporters.pretty import Pretty
from moonq.cli.streams import bare
from moonq.testing.blocks import block
from moonq.testing.results import Result
from moonq.text.plain import clean

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = _DATA | str.maketrans({":": "%3A", ",": "%2C"})


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
        file = clean(problem.source.file if problem.source else case.file).translate(_PROPERTY)
        place = f"file={file},line={problem.line or case.line}"
        title = clean(case.title).translate(_PROPERTY)
        text = "\n".join(block(result)).translate(_DATA)
        # The one line that a runner is to obey, so it goes round the door of the stream.
        bare(self._lines.to).write(f"::error {place},title={title}::{text}\n")
