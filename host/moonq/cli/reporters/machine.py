"""For programs: JSON documents, one per line, and the Test Anything Protocol."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from moonq.cli.reporters import Tally
from moonq.testing.blocks import block
from moonq.testing.results import Problem, Report, Result
from moonq.text.findings import to_json
from moonq.text.plain import clean

Write = Callable[[str], None]


class Json:
    """See `Reporter`; keys are only ever added."""

    def __init__(self, write: Write) -> None:
        self._write = write

    def suite(self, report: Report) -> None:
        """Write a document for each test."""
        shown = report.source.shown
        for result in report.results:
            if result.finding:
                self._say("broken", file=shown, finding=to_json(result.finding))
            elif result.is_test:
                self._say("result", **_result(result))
            elif result.problem:
                self._say("problem", file=shown, problem=_problem(result.problem))

    def end(self, tally: Tally, extra: Sequence[str]) -> None:
        """Write the closing document."""
        self._say(
            "end",
            failed=len(tally.bad()),
            passed=tally.count("passed"),
            skipped=tally.count("skipped"),
            files=len(tally.reports),
            took_ms=round(tally.took * 1000, 3),
            seed=tally.seed,
            notes=[row.strip() for row in extra if row.strip()],
        )

    def _say(self, event: str, **fields: Any) -> None:
        document = {"schema": "moonq.test/1", "event": event, **fields}
        self._write(json.dumps(document, ensure_ascii=False))


class Tap:
    """See `Reporter`; version 14 of the protocol."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._count = 0
        self._write("TAP version 14")

    def suite(self, report: Report) -> None:
        """Write a point for each test."""
        for result in report.results:
            name = f"{report.source.shown} {result.case.full_name}"
            reason = (
                clean(f" # SKIP {result.reason}").rstrip() if result.status == "skipped" else ""
            )
            self._point(name, block(result) if result.is_bad else [], reason)

    def end(self, tally: Tally, extra: Sequence[str]) -> None:
        """Write the plan."""
        for row in (*extra, tally.summary()):
            self._write(clean(f"# {row.strip()}").rstrip())
        self._write(f"1..{self._count}")

    def _point(self, name: str, rows: list[str], directive: str) -> None:
        self._count += 1
        escaped = clean(name).replace("\\", "\\\\").replace("#", "\\#")
        self._write(f"{'not ok' if rows else 'ok'} {self._count} - {escaped}{directive}")
        if rows:
            self._write("  ---")
            self._write("  message: |")
            for row in rows:
                self._write(f"    {row}".rstrip())
            self._write("  ...")


def _result(result: Result) -> dict[str, Any]:
    case = result.case
    return {
        "file": case.file,
        "line": case.line,
        "path": list(case.path),
        "name": case.name,
        "tags": list(case.tags),
        "status": result.status,
        "took_ms": round(result.took * 1000, 3),
        "reason": result.reason,
        "problem": result.problem and _problem(result.problem),
        "logs": [line._asdict() | {"fields": dict(line.fields)} for line in result.logs],
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "message": problem.message,
        "diff": list(problem.diff),
        "file": problem.source.file if problem.source else None,
        "line": problem.line or None,
        "stack": list(problem.stack),
        "values": dict(problem.values),
        "also": [_problem(one) for one in problem.also],
    }
