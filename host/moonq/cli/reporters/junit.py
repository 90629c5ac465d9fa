"""An XML file in the form that JUnit made common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from moonq.cli.reporters import Tally, xml
from moonq.testing.blocks import block, log_row
from moonq.testing.results import Report, Result

_TAGS = {"failed": "failure", "error": "error", "skipped": "skipped"}
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def write(path: Path, tally: Tally) -> None:
    """Write what the run came to into the file *path*."""
    suites = [_suite(report) for report in tally.reports]
    root = Element("testsuites", _sums(suites, tally.took))
    root.extend(suites)
    xml.save(path, root)


def _suite(report: Report) -> Element:
    cases = [_case(report, result) for result in report.results]
    suite = Element("testsuite", {"name": report.source.shown, **_counts(cases, report.took)})
    suite.extend(cases)
    return suite


def _counts(cases: Sequence[Element], took: float) -> dict[str, str]:
    """Count what stands in *cases*, so that the numbers are those of the elements."""
    inside = [child.tag for case in cases for child in case]
    counts = {name: str(inside.count(tag)) for name, tag in _COUNTED.items()}
    return {"tests": str(len(cases)), **counts, "time": f"{took:.6f}"}


def _sums(suites: Sequence[Element], took: float) -> dict[str, str]:
    names = ("tests", *_COUNTED)
    sums = {name: str(sum(int(suite.get(name, "0")) for suite in suites)) for name in names}
    return {**sums, "time": f"{took:.6f}"}


def _case(report: Report, result: Result) -> Element:
    case = result.case
    told = Element(
        "testcase",
        classname=" ".join(case.path) or report.source.shown,
        name=case.name,
        file=case.file,
        line=str(case.line),
        time=f"{result.took:.6f}",
    )
    if tag := _TAGS.get(result.status):
        problem = result.problem
        inside = SubElement(told, tag, message=problem.message if problem else result.reason)
        inside.text = "\n".join(block(result)) if problem else None
    if result.logs:
        SubElement(told, "system-out").text = "\n".join(map(log_row, result.logs))
    return told
