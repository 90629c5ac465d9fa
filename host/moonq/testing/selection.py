"""Which tests of a file are to run, and in what order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from moonq.testing import keywords
from moonq.testing.results import Case
from moonq.testing.sources import SuiteSource


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for; plain values, because it travels between processes."""

    keyword: str = ""
    tags: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    failed: frozenset[str] = field(default_factory=frozenset)
    """Ids of the tests that failed last time."""
    failed_only: bool = False
    failed_first: bool = False
    heeds_only: bool = True
    """Whether an `it_only` keeps the other tests of its file from running."""
    seed: int | None = None
    """Shuffles, each file in a different order."""

    def of(self, source: SuiteSource, cases: Sequence[Case]) -> list[Case]:
        """Return the tests to run, in their order."""
        chosen = [case for case in cases if self._wants(source, case)]
        if source.lines:
            chosen = _at_lines(chosen, source.lines)
        if self.heeds_only and any(case.only for case in chosen):
            chosen = [case for case in chosen if case.only]
        if self.seed is not None:
            random.Random(f"{self.seed} {source.id}").shuffle(chosen)
        if self.failed_first:
            chosen.sort(key=lambda case: case_id(source, case) not in self.failed)
        return chosen

    def _wants(self, source: SuiteSource, case: Case) -> bool:
        name = f"{source.shown} {case.full_name}"
        return (
            (not self.keyword or keywords.matches(self.keyword, name))
            and (not self.tags or bool({*self.tags} & {*case.tags}))
            and not {*self.not_tags} & {*case.tags}
            and (not self.failed_only or case_id(source, case) in self.failed)
        )


def case_id(source: SuiteSource, case: Case) -> str:
    """Return what a test is remembered by, wherever moonq is called from."""
    return f"{source.id}::{case.full_name}"


def _at_lines(cases: list[Case], lines: Sequence[int]) -> list[Case]:
    """The tests that these lines belong to: those declared there, or last before."""
    wanted = set()
    for line in lines:
        before = [case.line for case in cases if case.line <= line]
        wanted.add(max(before, default=min((case.line for case in cases), default=0)))
    return [case for case in cases if case.line in wanted]
