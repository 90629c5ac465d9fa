"""`moonq check`: say what is wrong with a project."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from moonq.cli.drawing import Lines
from moonq.cli.options import Options, command, project_argument
from moonq.errors import Span

if TYPE_CHECKING:
    from moonq.registry import Project
    from moonq.text.findings import Finding


@command()
@project_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["pretty", "json"]),
    envvar="MOONQ_CHECK_FORMAT",
    help="How to show the findings.",
)
@click.option("--strict", is_flag=True, help="Let warnings count as errors.")
def check(options: Options, form: str | None, strict: bool) -> int:
    """Say all that is wrong with PROJECT.

    It is this folder when not named. YAML, references, Lua syntax and modules are looked at;
    nothing is started, no broker is contacted. Ends with 1 when there is an error.

    \b
    Examples:
      moonq check shop
      moonq check shop --strict --format json
    """
    from moonq.kinds import inspect

    began = time.monotonic()
    found, findings = inspect(options.project)
    if found is not None:
        findings = [*findings, *_orphans(found)]
    if options.json or form == "json":
        click.echo(json.dumps(document(found, findings)))
    else:
        show(options, found, findings, time.monotonic() - began)
    wrong = {"error", "warning"} if strict else {"error"}
    return int(any(finding.severity in wrong for finding in findings))


def _orphans(project: Project) -> list[Finding]:
    """Return a warning for each queue that is not declared and holds messages on this disk."""
    from moonq.operations.orphans import at_rest
    from moonq.text.findings import error

    return [
        error(
            "R230",
            one.sentence(),
            _place(project, one.driver),
            help=one.hint(project),
            severity="warning",
        )
        for one in at_rest(project)
    ]


def _place(project: Project, name: str) -> Span:
    entry = project.entries[name]
    return Span(entry.file, entry.node.line, entry.node.column)


def document(project: Project | None, findings: Sequence[Finding]) -> dict[str, object]:
    """Return the result as plain data; keys are only ever added."""
    from moonq.text.findings import to_json

    severities = [finding.severity for finding in findings]
    return {
        "schema": "moonq.check/1",
        "entries": len(project.entries) if project else None,
        "errors": severities.count("error"),
        "warnings": severities.count("warning"),
        "findings": [to_json(finding) for finding in findings],
    }


def show(
    options: Options, project: Project | None, findings: Sequence[Finding], took: float
) -> None:
    """Print the findings for people, and their count below."""
    from moonq.text.findings import has_errors, summary
    from moonq.text.wording import lasted

    lines = Lines(options, sys.stdout)
    if findings:
        lines.line(below=f"{lines.drawn(findings)}\n")
    checked = f"checked {len(project.entries)} entries" if project else "checked"
    if not options.quiet:
        style = "bad" if has_errors(findings) else "warn" if findings else "good"
        lines.line(f"{checked} in {lasted(took)}: ", (summary(findings), style))
