"""An XML file in the form that JUnit made common."""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from moonq.cli.reporters import Tally
from moonq.testing.blocks import block, log_row, problem_rows
from moonq.testing.results import Report, Result

# What XML 1.0 cannot carry, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(path: Path, tally: Tally) -> None:
    """Write what the run came to into the file *path*."""
    suites = "\n".join(_suite(report) for report in tally.reports)
    head = _tag("testsuites", tests=len(tally.results()), failures=tally.failed(), time=tally.took)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{suites}\n</testsuites>\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_FORBIDDEN.sub("\ufffd", text), encoding="utf-8")


def _suite(report: Report) -> str:
    shown = report.source.shown
    cases = [_case(report, result) for result in report.results]
    if report.broken:
        cases.append(_bad(shown, "loading", "error", report.broken.message, []))
    cases += [
        _bad(shown, "closing", "error", problem.message, problem_rows(problem))
        for problem in report.problems
    ]
    failures = sum(1 for result in report.results if result.status == "failed")
    errors = sum(1 for result in report.results if result.status == "error")
    errors += bool(report.broken) + len(report.problems)
    head = _tag(
        "testsuite",
        name=shown,
        tests=len(cases),
        failures=failures,
        errors=errors,
        skipped=sum(1 for result in report.results if result.status == "skipped"),
        time=report.took,
    )
    return "\n".join([head, *cases, "</testsuite>"])


def _case(report: Report, result: Result) -> str:
    case = result.case
    head = _tag(
        "testcase",
        classname=" ".join(case.path) or report.source.shown,
        name=case.name,
        file=case.file,
        line=case.line,
        time=result.took,
    )
    inside = []
    if result.status == "skipped":
        inside.append(f"<skipped message={quoteattr(result.reason)}/>")
    elif result.problem:
        kind = "failure" if result.status == "failed" else "error"
        inside.append(_failure(kind, result.problem.message, block(result)))
    if result.logs:
        rows = "\n".join(log_row(line) for line in result.logs)
        inside.append(f"<system-out>{escape(rows)}</system-out>")
    return f"{head}{''.join(inside)}</testcase>"


def _bad(shown: str, name: str, kind: str, message: str, rows: list[str]) -> str:
    head = _tag("testcase", classname=shown, name=name, file=shown)
    return f"{head}{_failure(kind, message, rows)}</testcase>"


def _failure(kind: str, message: str, rows: list[str]) -> str:
    return f"<{kind} message={quoteattr(message)}>{escape(chr(10).join(rows))}</{kind}>"


def _tag(tag: str, /, **attributes: str | float) -> str:
    written = " ".join(f"{key}={quoteattr(_value(value))}" for key, value in attributes.items())
    return f"<{tag} {written}>"


def _value(value: str | float) -> str:
    return f"{value:.6f}" if isinstance(value, float) else str(value)
