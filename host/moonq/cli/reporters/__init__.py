"""Tell how a run of tests goes; one file per form, all of one shape.

pretty   for people: files, blocks, tests; failures below
plain    one line per test
github   pretty, and annotations that GitHub shows beside the code
json     one JSON document per line
tap      the Test Anything Protocol
junit    an XML file, beside any of the others
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from moonq.testing.coverage import FileCoverage
from moonq.testing.results import Report, Result, Status
from moonq.text.wording import counted, lasted, plural


class Least(NamedTuple):
    """How many percent of the lines have to run, if it matters."""

    of_all: float | None = None
    of_each: float | None = None


@dataclass
class Tally:
    """What a run came to so far."""

    reports: list[Report] = field(default_factory=list)
    took: float = 0.0
    seed: int | None = None
    covered: list[FileCoverage] = field(default_factory=list)
    changed: list[FileCoverage] | None = None
    """Only the lines that differ from a revision, where those were asked for."""

    def results(self) -> list[Result]:
        """Return every result in order."""
        return [result for report in self.reports for result in report.results]

    def tests(self) -> int:
        """Return how many tests there were."""
        return sum(1 for result in self.results() if result.is_test)

    def count(self, status: Status) -> int:
        """Return how many tests ended so."""
        return sum(1 for result in self.results() if result.status == status)

    def bad(self) -> list[Result]:
        """Return what failed: tests, and files that could not be loaded or closed."""
        return [result for result in self.results() if result.is_bad]

    @property
    def judged(self) -> list[FileCoverage]:
        """What a minimum is about."""
        return self.covered if self.changed is None else self.changed

    def below(self, least: Least) -> bool:
        """Say whether less than *least* of the lines ran."""
        from moonq.testing.coverage import total

        percent, of_each = least
        return (percent is not None and total(self.judged)[2] < percent) or (
            of_each is not None and any(one.percent < of_each for one in self.judged)
        )

    def summary(self) -> str:
        """Return the closing line."""
        tests = plural(self.tests(), "test")
        files = plural(sum(1 for report in self.reports if report.results), "file")
        parts = [
            f"{counted(len(self.bad()))} failed",
            f"{counted(self.count('passed'))} passed",
            f"{counted(self.count('skipped'))} skipped",
            f"{tests} in {files}",
            lasted(self.took),
        ]
        if self.seed is not None:
            parts.append(f"seed {self.seed}")
        return " · ".join(parts)


class Reporter(Protocol):
    """Tells how a run goes."""

    def suite(self, report: Report) -> None:
        """One file is done."""
        ...

    def end(self, tally: Tally, extra: Sequence[str]) -> None:
        """All is done; *extra* are rows about coverage."""
        ...
