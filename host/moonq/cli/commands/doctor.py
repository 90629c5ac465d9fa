"""`moonq doctor`: what lies at the drivers of a project, and whether one keeps the contract."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from moonq.cli.completing import completer
from moonq.cli.options import Options, command
from moonq.cli.streams import echo

if TYPE_CHECKING:
    from moonq.cli.drawing import Lines
    from moonq.conformance.holding import Finding
    from moonq.drivers.base import Capabilities
    from moonq.registry.project import Entry, Project


@command()
@click.option(
    "--driver",
    metavar="ID",
    help="The driver to hold against the contract.",
    shell_complete=completer("driver"),
)
@click.option(
    "--compact", is_flag=True, help="Make the file of --driver as small as it can be instead."
)
@click.option(
    "--config", is_flag=True, help="Only say each setting and option, and where it comes from."
)
def doctor(options: Options, driver: str | None, compact: bool, config: bool) -> int:
    """Look at what a project stands on, or hold a driver against the delivery contract.

    Without --driver nothing is started or changed: versions, socket, room on the disk; of each
    driver its settings (secrets masked), whether it is durable and its broker answers, how large
    its file is and why, and whether messages lie in queues that nobody declares; of each
    sql.database whether it answers, and as whom. With `isolation: process`, one such process shows
    what the system holds it to. Ends with 1 when a file cannot be read, a broker or a database does
    not answer, or no socket and no such process can be made.

    With --config it says each value that counts and where it comes from: flag, environment,
    profile, file or default; of entries the fields that their own files do not say.

    With --driver every case of the suite runs on new queues, beside the driver's place and with its
    settings; the project's messages are not touched. Ends with 1 when a case fails.

    \b
    Examples:
      moonq doctor
      moonq doctor --driver app:file --json
      moonq doctor --driver app:file --compact
      moonq doctor --config --profile prod --set log.level=debug
    """
    from moonq.kinds import load

    project = load(options.project, profile=options.profile, said=options.said)
    if config:
        if driver or compact:
            raise click.UsageError("--config looks at no driver: leave --driver and --compact out")
        return _config(options, project)
    if driver is None:
        if compact:
            raise click.UsageError("--compact needs the --driver whose file is meant")
        return _look(options, project)
    entry = driver_entry(project, driver)
    if compact:
        return _compact(options, project, entry)
    begun = time.monotonic()
    findings, abilities = examine(project, entry)
    if options.json:
        echo(json.dumps(document(entry, findings, abilities)))
    else:
        show(options, entry, findings, abilities, time.monotonic() - begun)
    return int(any(finding.problem for finding in findings))


def _look(options: Options, project: Project) -> int:
    from moonq.cli import resting

    found = resting.document(project)
    if options.json:
        echo(json.dumps(found))
    else:
        resting.show(options, found)
    looked_at = (*found["drivers"], *found["databases"], found["socket"], found["isolation"] or {})
    return int(any("problem" in one for one in looked_at))


def _config(options: Options, project: Project) -> int:
    from moonq.cli import configuring

    found = configuring.document(project, click.get_current_context(), options)
    if options.json:
        echo(json.dumps(found))
    else:
        configuring.show(options, found)
    return 0


def _compact(options: Options, project: Project, entry: Entry) -> int:
    from moonq.drivers import descriptor
    from moonq.errors import Invalid
    from moonq.text.wording import size

    driver = descriptor(entry.kind)
    before = driver.rest(entry.config, project.root)
    if driver.compact is None or before is None:
        raise Invalid(f"{entry.id} has nothing on this machine's disk")
    driver.compact(entry.config, project.root)
    after = driver.rest(entry.config, project.root) or before
    told = {"driver": entry.id, "before_bytes": before.size_bytes, "after_bytes": after.size_bytes}
    if options.json:
        echo(json.dumps({"schema": "moonq.compacted/1", **told}))
    else:
        was, now = size(before.size_bytes), size(after.size_bytes)
        echo(f"{entry.id}: {now}, before {was}")
    return 0


def driver_entry(project: Project, name: str) -> Entry:
    """Return the driver called *name*.

    Raises:
        NotFound: There is no such entry, or it is no driver.
    """
    return project.entries[project.id_of(name, "queue.driver.")]


def examine(project: Project, entry: Entry) -> tuple[list[Finding], Capabilities]:
    """Run the suite over twins of the driver, which are erased.

    Raises:
        Unavailable: Another process is at the twins of this project.
    """
    from moonq.clock import SystemClock
    from moonq.conformance.holding import hold, twins
    from moonq.drivers import descriptor
    from moonq.drivers.entry import DriverFields
    from moonq.text.secrets import masked

    config, driver = entry.fields(DriverFields), descriptor(entry.kind)
    with _alone(project):
        found = hold(twins(driver, config, project.root), driver.pace)
        findings = [
            replace(one, problem=masked(one.problem), first=masked(one.first)) for one in found
        ]
    return findings, driver.make(config, SystemClock(), project.root).capabilities()


@contextlib.contextmanager
def _alone(project: Project) -> Iterator[None]:
    """Be the only one who tries out drivers of *project*: all twins of one have the same names.

    So whatever a process that was killed left there is erased by the next. The lock is on the
    folder, which need not be writable, and needs no file of its own.
    """
    from moonq.errors import Unavailable

    handle = os.open(project.root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(
                f"another `moonq doctor` tries out a driver of {project.name}",
                hint="wait until it has ended",
            ) from None
        except OSError:
            pass  # some network file systems lock no folders
        yield
    finally:
        os.close(handle)


def document(entry: Entry, findings: list[Finding], abilities: Capabilities) -> dict[str, object]:
    """Return the result as plain data; keys are only ever added."""
    from moonq.drivers import descriptor

    return {
        "schema": "moonq.doctor/1",
        "driver": entry.id,
        "kind": entry.kind,
        "cases": len(findings),
        "failed": [
            {
                "case": str(finding.case),
                "clause": finding.case.clause,
                "claim": finding.case.claim,
                "problem": finding.problem,
            }
            for finding in findings
            if finding.problem
        ],
        "tried_twice": [
            {"case": str(finding.case), "problem": finding.first}
            for finding in findings
            if finding.first
        ],
        "skipped": [
            {"case": str(finding.case), "reason": finding.skipped}
            for finding in findings
            if finding.skipped
        ],
        "capabilities": abilities._asdict(),
        "limits": {name: limit.reason for name, limit in descriptor(entry.kind).limits.items()},
    }


def show(
    options: Options,
    entry: Entry,
    findings: list[Finding],
    abilities: Capabilities,
    took: float,
) -> None:
    """Print the result for people."""
    from moonq.cli.drawing import Lines
    from moonq.drivers import descriptor
    from moonq.drivers.capabilities import words
    from moonq.text.wording import lasted
    from moonq.views.tables import facts

    lines = Lines(options, sys.stdout)
    for finding in findings:
        if finding.problem:
            lines.line(("✗", "bad"), f" {finding.case.clause}: {finding.case.sentence}")
            lines.line(f"    {finding.problem}")
        elif finding.first:
            lines.line(("!", "warn"), f" {finding.case}: kept at the second try, alone")
            lines.line(f"    {finding.first}")
    if not options.quiet:
        for row in facts(words(abilities), lines.screen):
            lines.line(below=row)
        lines.line()
        for ability, limit in descriptor(entry.kind).limits.items():
            lines.line(f"{ability}: {limit.reason}")
        _by_topic(findings, lines)
    tried = [finding for finding in findings if not finding.skipped]
    kept = sum(not finding.problem for finding in tried)
    rest = len(findings) - len(tried)
    skipped = f"; {rest} would take hours in real time" if rest else ""
    again = sum(bool(finding.first) for finding in findings)
    skipped += f"; {again} tried twice" if again else ""
    options.say(f"{entry.id} keeps {kept} of {len(tried)} cases in {lasted(took)}{skipped}")


def _by_topic(findings: list[Finding], lines: Lines) -> None:
    tried = [finding for finding in findings if not finding.skipped]
    total = Counter(finding.case.topic for finding in tried)
    kept = Counter(finding.case.topic for finding in tried if not finding.problem)
    for topic, count in total.items():
        mark = ("✓", "good") if kept[topic] == count else ("✗", "bad")
        lines.line(mark, f" {topic.replace('_', ' '):14} {kept[topic]:>3} of {count:>3}")
