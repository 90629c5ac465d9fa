"""What moonq has to say about a project's files, and about a script that failed.

A `Finding` is one problem: severity, code, one sentence, the places it concerns (`Span`), notes
that explain and helps that say what to do. YAML, Lua syntax and run-time errors all become
findings, and `render` draws every one of them:

    error[R202]: `queue` refers to an entry that does not exist
       ┌─ src/_index.yaml:14:12
    13 │     kind: queue.consumer
    14 │     queue: app:ordres
       │            ^^^^^^^^^^ no entry `app:ordres`
       = help: did you mean `app:orders`?  (queue.queue, src/_index.yaml:8)
       = more: moonq explain R202

Every code is in the table of `text.codes`, which says what each means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol

from moonq.errors import Finding, Severity, Span
from moonq.text.secrets import masked_line

__all__ = [
    "Finding",
    "Source",
    "Span",
    "by_place",
    "error",
    "has_errors",
    "render",
    "summary",
    "to_json",
]


class Place(Protocol):
    """Whatever knows where it stands."""

    line: int
    column: int
    length: int


@dataclass(frozen=True)
class Source:
    """A file's name and text: whatever can cut the lines of a frame out of it."""

    file: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        """Its lines without their ends."""
        # Editors and Lua count "\n" only; str.splitlines() would also break at form feeds.
        return [line.rstrip("\r") for line in self.text.split("\n")]

    @classmethod
    def of(cls, file: str, data: bytes) -> Source:
        """Return the source of *data*; what is not UTF-8 is shown as a replacement character."""
        return cls(file, data.decode("utf-8", "replace").removeprefix("\ufeff"))

    def line(self, number: int) -> str:
        """Return the text of line *number*, empty beyond the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def at(self, place: Place, label: str = "", **more: Any) -> Span:
        """Return the span of a node or token; of one that came from another file, in that file."""
        source: Source = getattr(place, "source", None) or self
        return source.span(place.line, place.column, place.length, label, **more)

    def span(
        self,
        line: int,
        column: int = 0,
        length: int = 1,
        label: str = "",
        *,
        since: int | None = None,
        primary: bool = True,
    ) -> Span:
        """Return a span that shows the lines from *since* (default: its own) to *line*."""
        first = max(1, line if since is None else min(since, line))
        hide = str if self.file.endswith(".lua") else masked_line
        shown = tuple((number, hide(self.line(number))) for number in range(first, line + 1))
        return Span(self.file, line, column, length, label, shown, primary)


def error(
    code: str,
    message: str,
    *spans: Span,
    help: str = "",  # noqa: A002
    note: str = "",
    severity: Severity = "error",
) -> Finding:
    """Return a finding with at most one note and one help; an empty one is none."""
    return Finding(severity, code, message, spans, (note,) if note else (), (help,) if help else ())


def by_place(findings: Iterable[Finding]) -> list[Finding]:
    """Return *findings* ordered by file, line and column; at one place errors come first."""
    return sorted(findings, key=lambda f: (f.place, f.severity != "error", f.code))


def has_errors(findings: Iterable[Finding]) -> bool:
    """Say whether one of *findings* is an error."""
    return any(finding.severity == "error" for finding in findings)


def summary(findings: Iterable[Finding]) -> str:
    """Return a count for the last line, such as ``2 errors, 1 warning``, or ``no errors``."""
    severities = [finding.severity for finding in findings]
    parts = []
    for severity in ("error", "warning", "note"):
        count = severities.count(severity)
        if count:
            parts.append(f"{count} {severity}{'s' if count > 1 else ''}")
        elif severity == "error" and "warning" not in severities:
            parts.append("no errors")
    return ", ".join(parts)


def render(
    findings: Sequence[Finding],
    *,
    paint: Callable[[str, str], str] = lambda _, text: text,
    width: int = 100,
    unicode: bool = True,
    explains: bool = False,
) -> str:
    """Return *findings* drawn for people, a blank line between two, without a final newline.

    The caller knows the terminal: *paint* gives the parts their colours (`drawing.Paint`), *width*
    is its columns (0: unlimited), and without *unicode* the frames are drawn in ASCII. With
    *explains* the last finding of a code names the command that says more about it.
    """
    from moonq.text.drawing import Pen, draw

    pen = Pen(paint, width, unicode)
    last = {finding.code: finding for finding in findings}
    drawn = (draw(one, pen, explains=explains and last[one.code] is one) for one in findings)
    return "\n\n".join(map("\n".join, drawn))


def to_json(finding: Finding) -> dict[str, Any]:
    """Return *finding* as plain data; keys are only ever added."""
    file, line, column = finding.place
    return {
        "severity": finding.severity,
        "code": finding.code,
        "message": finding.message,
        "file": file or None,
        "line": line or None,
        "column": column or None,
        "label": finding.spans[0].label if finding.spans else "",
        "related": [
            {"file": span.file, "line": span.line, "column": span.column, "label": span.label}
            for span in finding.spans[1:]
        ],
        "notes": list(finding.notes),
        "help": list(finding.helps),
        "edits": [asdict(edit) for edit in finding.edits],
        "profiles": list(finding.profiles),
    }
