"""`moonq check`: say what is wrong with a project."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from moonq.cli.drawing import Lines
from moonq.cli.options import Options, command, project_argument
from moonq.cli.streams import echo
from moonq.errors import Span

if TYPE_CHECKING:
    from moonq.registry import Project
    from moonq.text.findings import Finding

#: Profiles that are named one by one.
FEW = 4


def code_list(value: str) -> tuple[str, ...]:
    """Return codes, or what several begin with."""
    found = tuple(one.strip().upper() for one in value.split(","))
    for one in found:
        if not re.fullmatch("[A-Z][0-9]{0,3}", one):
            raise click.BadParameter(f"{one!r} begins no code; write R,L301")
    return found


@command()
@project_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["pretty", "json", "github", "sarif"]),
    envvar="MOONQ_CHECK_FORMAT",
    help="How to show the findings: github also annotates the code and is usual on its runners.",
)
@click.option(
    "--only",
    type=code_list,
    metavar="LIST",
    help="Only findings whose codes begin so, with commas between: R,L301.",
)
@click.option("--strict", is_flag=True, help="Let warnings count as errors.")
@click.option("--fix", is_flag=True, help="Declare what is required, drop what is not.")
def check(
    options: Options, form: str | None, only: tuple[str, ...], strict: bool, fix: bool
) -> int:
    """Say all that is wrong with PROJECT.

    It is this folder when not named. YAML, references and Lua are looked at: syntax, modules,
    names that nothing has, calls that must fail; alone and with each of its profiles, or with
    --profile in that one only. Nothing is started, no broker is contacted. Ends with 1 when there
    is an error.

    \b
    Examples:
      moonq check shop
      moonq check shop --fix
      moonq check shop --profile prod
      moonq check shop --strict --format json
      moonq check --only L --format sarif > moonq.sarif
    """
    from moonq.checking import check as look
    from moonq.checking.mending import mend

    began = time.monotonic()
    mended = mend(options.project, options.profile) if fix else []
    found, findings, profiles = look(options.project, profile=options.profile, said=options.said)
    if found is not None:
        from moonq.editor import refresh

        findings = [*findings, *_orphans(found)]
        refresh(found)
    findings = [one for one in findings if not only or one.code.startswith(only)]
    form = "json" if options.json else form or _usual_form()
    if form == "json":
        echo(json.dumps(document(found, findings, mended, profiles)))
    elif form == "sarif":
        from moonq.cli import sarif

        echo(json.dumps(sarif.document(findings, _shown(options.project))))
    else:
        for one in mended:
            options.say(f"fixed {one.spans[-1].file}:{one.spans[-1].line}: {one.message}")
        show(options, found, findings, profiles, time.monotonic() - began)
    if form == "github":
        _annotate(options, findings)
    wrong = {"error", "warning"} if strict else {"error"}
    return int(any(finding.severity in wrong for finding in findings))


def _usual_form() -> str:
    return "github" if os.environ.get("GITHUB_ACTIONS") == "true" else "pretty"


def _shown(project: Path) -> Callable[[str], str]:
    """Return what makes a path below the project one that is seen from here."""
    from moonq.testing.sources import shown_path

    root = project.parent if project.is_file() else project
    return lambda file: shown_path(root / file)


def _annotate(options: Options, findings: Sequence[Finding]) -> None:
    from moonq.cli.annotating import annotate
    from moonq.cli.sarif import text_of

    shown = _shown(options.project)
    for one in findings:
        level = one.severity if one.severity in ("error", "warning") else "notice"
        file, line, column = one.place
        place: dict[str, str | int] = {
            "file": shown(file) if file else "",
            "line": line,
            "col": column,
        }
        annotate(sys.stdout, level, text_of(one), **place, title=one.code)


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


def document(
    project: Project | None,
    findings: Sequence[Finding],
    mended: Sequence[Finding] = (),
    profiles: Sequence[str] = (),
) -> dict[str, object]:
    """Return the result as plain data; keys are only ever added."""
    from moonq.text.findings import to_json

    severities = [finding.severity for finding in findings]
    return {
        "schema": "moonq.check/1",
        "entries": len(project.entries) if project else None,
        "errors": severities.count("error"),
        "warnings": severities.count("warning"),
        "notes": severities.count("note"),
        "findings": [to_json(finding) for finding in findings],
        "fixed": [to_json(finding) for finding in mended],
        "profiles": list(profiles),
    }


def show(
    options: Options,
    project: Project | None,
    findings: Sequence[Finding],
    profiles: Sequence[str],
    took: float,
) -> None:
    """Print the findings for people, and their count below."""
    from moonq.text.findings import has_errors, summary
    from moonq.text.wording import lasted, plural

    lines = Lines(options, sys.stdout)
    if findings:
        lines.line(below=f"{lines.drawn(findings)}\n")
    checked = f"checked {plural(len(project.entries), 'entry')}" if project else "checked"
    checked += _in_profiles(options, profiles)
    if not options.quiet:
        warns = any(finding.severity == "warning" for finding in findings)
        style = "bad" if has_errors(findings) else "warn" if warns else "good"
        fixable = sum(bool(finding.edits) for finding in findings)
        more = f" ({fixable} fixable with --fix)" if fixable else ""
        lines.line(f"{checked} in {lasted(took)}: ", (summary(findings), style), more)


def _in_profiles(options: Options, profiles: Sequence[str]) -> str:
    """Say in which profiles that was."""
    if not profiles:
        return ""
    also = "" if options.profile else ", also"
    if len(profiles) > FEW:
        return f"{also} in {len(profiles)} profiles"
    return f"{also} in profile{'s' * (len(profiles) > 1)} {', '.join(profiles)}"
