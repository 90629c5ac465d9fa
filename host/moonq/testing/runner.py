"""Runs the tests of many files: in this process, or in several."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from multiprocessing.connection import Connection

from moonq.errors import MoonqError
from moonq.registry.overrides import Said
from moonq.testing.results import (
    Case,
    Problem,
    Report,
    Result,
    not_closed,
    not_finished,
    not_loaded,
)
from moonq.testing.selection import Selection
from moonq.testing.sources import Projects, SuiteSource
from moonq.testing.suites import Conditions, Suite
from moonq.text.findings import Finding

#: With fewer files than this, starting other processes takes longer than it saves.
FEW_FILES = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """How to run; plain values, because it travels between processes."""

    selection: Selection
    conditions: Conditions
    repeat: int = 1
    fail_fast: bool = False
    only_fails: bool = False
    """Whether a test that was declared with `it_only` fails for that alone."""
    isolates: bool = False
    """Whether every file has a process of its own."""


def run(
    sources: Sequence[SuiteSource], plan: Plan, projects: Projects, jobs: int = 1
) -> Iterator[Report]:
    """Run all of *sources* and yield what came of each, in their order."""
    ordered = _ordered(sources, plan.selection)
    reports: Iterator[Report]
    if plan.isolates:
        reports = _isolated(ordered, plan, projects, jobs)
    elif jobs <= 1 or len(ordered) <= 1:
        reports = (run_suite(source, plan, projects) for source in ordered)
    else:
        reports = _in_processes(ordered, plan, projects, jobs)
    for report in reports:
        yield report
        if plan.fail_fast and report.is_bad:
            return


def jobs_for(wanted: str, files: int) -> int:
    """Return how many processes *wanted* means: a number, ``auto``, or empty for the default."""
    if wanted and wanted != "auto":
        return int(wanted)
    return 1 if not wanted and files < FEW_FILES else os.cpu_count() or 1


def list_cases(
    sources: Sequence[SuiteSource], plan: Plan, projects: Projects
) -> Iterator[Finding | list[Case]]:
    """Yield the tests of each file that would run, or why it does not load."""
    for source in _ordered(sources, plan.selection):
        suite = Suite(source, projects.at(source.root), plan.conditions)
        broken = suite.load()
        yield broken or plan.selection.of(source, suite.cases)
        suite.close()


def run_suite(source: SuiteSource, plan: Plan, projects: Projects) -> Report:
    """Load one file and run its tests."""
    began = time.perf_counter()
    suite = Suite(source, projects.at(source.root), plan.conditions)
    try:
        broken = suite.load()
        if broken:
            results = [not_loaded(source.shown, broken)]
        else:
            results = list(_results(suite, plan))
            results += [not_closed(source.shown, problem) for problem in suite.finish()]
    finally:
        suite.close()
    took = time.perf_counter() - began
    hits = suite.hit.lines() if suite.hit else {}
    return Report(source, tuple(results), took, hits)


def _results(suite: Suite, plan: Plan) -> Iterator[Result]:
    chosen = plan.selection.of(suite.source, suite.cases)
    suite.plan(chosen * plan.repeat)
    for case in chain.from_iterable([chosen] * plan.repeat):
        result = suite.run(case)
        if plan.only_fails:
            result = without_only(result)
        yield result
        if plan.fail_fast and result.is_bad:
            return


def without_only(result: Result) -> Result:
    """Return *result* as a failure where its test was declared with `it_only`."""
    if not result.case.only or result.is_bad:
        return result
    problem = Problem("T711", "it_only is left in the file; write `it`", line=result.case.line)
    return replace(result, status="failed", problem=problem)


def in_ci() -> bool:
    """Whether this is a CI job: then nothing may be left out, and no snapshot is taken."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false", "no"}


def _ordered(sources: Sequence[SuiteSource], selection: Selection) -> list[SuiteSource]:
    ordered = list(sources)
    if selection.seed is not None:
        random.Random(selection.seed).shuffle(ordered)
    if selection.failed_first:
        files = {name.partition("::")[0] for name in selection.failed}
        ordered.sort(key=lambda source: source.id not in files)
    return ordered


def _in_processes(
    sources: Sequence[SuiteSource], plan: Plan, projects: Projects, jobs: int
) -> Iterator[Report]:
    layers = (projects.profile, projects.said)
    pool = ProcessPoolExecutor(
        min(jobs, len(sources)), _spawning(), initializer=_begin, initargs=layers
    )
    try:
        yield from pool.map(_run_there, sources, [plan] * len(sources))
    except BrokenProcessPool:
        raise MoonqError(
            "a process that ran tests was killed, and with it is lost whose tests those were",
            hint="run them with --isolate, which says of which file it was",
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _spawning() -> multiprocessing.context.SpawnContext:
    # Threads of ours are running, the watchdog's for one: a fork would copy locks they hold.
    return multiprocessing.get_context("spawn")


def _isolated(
    sources: Sequence[SuiteSource], plan: Plan, projects: Projects, jobs: int
) -> Iterator[Report]:
    """Run every file in a process of its own: nothing of one is left where another runs."""
    pool = ThreadPoolExecutor(min(jobs, len(sources) or 1))
    try:
        yield from pool.map(partial(_alone, plan, projects), sources)
    finally:
        pool.shutdown(cancel_futures=True)


def _alone(plan: Plan, projects: Projects, source: SuiteSource) -> Report:
    context, began = _spawning(), time.perf_counter()
    here, there = context.Pipe(duplex=False)
    layers = (projects.profile, projects.said)
    process = context.Process(target=_answer, args=(there, source, plan, *layers), daemon=True)
    process.start()
    there.close()
    try:
        answer = here.recv()
    except EOFError:
        process.join()
        answer = Report(
            source,
            (not_finished(source.shown, process.exitcode),),
            time.perf_counter() - began,
        )
    finally:
        here.close()
    process.join()
    if isinstance(answer, BaseException):
        raise answer
    assert isinstance(answer, Report)
    return answer


def _answer(there: Connection, source: SuiteSource, plan: Plan, profile: str, said: Said) -> None:
    """Send what came of one file, or what kept it from running."""
    try:
        there.send(run_suite(source, plan, Projects(profile, said)))
    except Exception as problem:  # noqa: BLE001 - it is raised where the report is waited for
        there.send(problem)


_projects: Projects


def _begin(profile: str, said: Said) -> None:
    global _projects  # noqa: PLW0603 - one for the process, which serves nothing else
    _projects = Projects(profile, said)


def _run_there(source: SuiteSource, plan: Plan) -> Report:
    return run_suite(source, plan, _projects)
