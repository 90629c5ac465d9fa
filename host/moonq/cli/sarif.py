"""Findings in SARIF 2.1.0, which GitHub's code scanning and many editors read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from moonq import __version__
from moonq.errors import Finding, Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note", "note": "note"}


def document(findings: Iterable[Finding], shown: Callable[[str], str]) -> dict[str, Any]:
    """Return *findings* as plain data; *shown* makes a path of the project one of this folder."""
    listed = list(findings)
    rules = list(dict.fromkeys(one.code for one in listed))
    driver = {
        "name": "moonq",
        "version": __version__,
        "rules": [{"id": code, "help": {"text": f"moonq explain {code}"}} for code in rules],
    }
    results = [_result(one, rules.index(one.code), shown) for one in listed]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Finding, rule: int, shown: Callable[[str], str]) -> dict[str, Any]:
    first, others = finding.spans[:1], finding.spans[1:]
    found: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": text_of(finding)},
        "locations": [_location(span, shown) for span in first],
    }
    if others:
        found["relatedLocations"] = [
            {**_location(span, shown), "message": {"text": span.label or "see"}} for span in others
        ]
    if finding.edits:
        found["fixes"] = [{"artifactChanges": _changes(finding, shown)}]
    return found


def text_of(finding: Finding) -> str:
    """Return the sentence of *finding*, with notes and helps below it."""
    parts = (finding.message, *finding.notes, *finding.helps)
    profiles = f"in profile {', '.join(finding.profiles)}" if finding.profiles else ""
    return "\n".join(filter(None, (*parts, profiles)))


def _location(span: Span, shown: Callable[[str], str]) -> dict[str, Any]:
    region = {"startLine": span.line}
    if span.column:
        region |= {"startColumn": span.column, "endColumn": span.column + span.length}
    return {"physicalLocation": {"artifactLocation": _artifact(span.file, shown), "region": region}}


def _artifact(file: str, shown: Callable[[str], str]) -> dict[str, str]:
    return {"uri": quote(shown(file), errors="surrogateescape")}


def _changes(finding: Finding, shown: Callable[[str], str]) -> list[dict[str, Any]]:
    return [
        {
            "artifactLocation": _artifact(edit.file, shown),
            "replacements": [
                {
                    "deletedRegion": {
                        "startLine": edit.line,
                        "startColumn": edit.column,
                        "endLine": edit.end_line,
                        "endColumn": edit.end_column,
                    },
                    "insertedContent": {"text": edit.text},
                }
            ],
        }
        for edit in finding.edits
    ]
