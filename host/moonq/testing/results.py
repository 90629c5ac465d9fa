"""What there is to test, and what came of it: plain values that travel between processes."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from moonq.text.findings import Finding, Source

if TYPE_CHECKING:
    from moonq.testing.sources import SuiteSource

Status = Literal["passed", "failed", "error", "skipped"]


class LogLine(NamedTuple):
    """One line that was logged while a test ran."""

    level: str
    message: str
    fields: Mapping[str, object]
    entry: str


@dataclass(frozen=True, slots=True)
class Case:
    """One test."""

    file: str
    """The file, or the id of the entry, as people name it."""
    index: int
    """Its number in the file, from 1; 0 stands for the file itself."""
    path: tuple[str, ...]
    """The blocks around it, the outer first."""
    name: str
    line: int
    tags: tuple[str, ...] = ()
    skip: bool = False
    only: bool = False
    todo: bool = False

    @property
    def full_name(self) -> str:
        """Its name behind those of its blocks."""
        return " ".join((*self.path, self.name))

    @property
    def title(self) -> str:
        """The same for people, with marks between the blocks."""
        return " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} ".join((*self.path, self.name))


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a test is not content."""

    code: str
    message: str
    diff: tuple[str, ...] = ()
    line: int = 0
    source: Source | None = None
    """The text around the line, where it is known."""
    stack: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    """Variables by name, as literals."""
    logs: tuple[LogLine, ...] = ()
    also: tuple[Problem, ...] = ()
    """What went wrong after it, in hooks that run all the same."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one test."""

    case: Case
    status: Status
    took: float = 0.0
    """Seconds of real time."""
    problem: Problem | None = None
    reason: str = ""
    """Why it was skipped."""
    logs: tuple[LogLine, ...] = ()
    finding: Finding | None = None
    """Why the file does not load, in a result that tells of that."""

    @property
    def is_bad(self) -> bool:
        """Whether it makes the whole run fail."""
        return self.status in {"failed", "error"}

    @property
    def is_test(self) -> bool:
        """Whether it tells of a test, and not of its file."""
        return self.case.index > 0


def not_loaded(shown: str, finding: Finding) -> Result:
    """Return what came of a file whose tests could not be found out."""
    file, line, _ = finding.place
    case = Case(file or shown, 0, (), "does not load", line)
    return Result(case, "error", problem=Problem(finding.code, finding.message), finding=finding)


def not_closed(shown: str, problem: Problem) -> Result:
    """Return what came of closing blocks that a cut-off run had left open."""
    return Result(Case(shown, 0, (), "closing its blocks", problem.line), "error", problem=problem)


def not_finished(shown: str, exit_code: int | None) -> Result:
    """Return what came of a file whose process has died; *exit_code* is minus the signal's."""
    try:
        how = signal.Signals(-(exit_code or 0)).name
    except ValueError:
        how = f"exit code {exit_code}"
    problem = Problem("T709", f"the process of this file ended with {how}")
    return Result(Case(shown, 0, (), "in its process", 0), "error", problem=problem)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one file: of its tests, and of loading and closing it where that failed."""

    source: SuiteSource
    results: tuple[Result, ...]
    took: float = 0.0
    hits: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Lines of the project that ran, by file; only with coverage."""

    @property
    def is_bad(self) -> bool:
        """Whether anything here makes the whole run fail."""
        return any(one.is_bad for one in self.results)
