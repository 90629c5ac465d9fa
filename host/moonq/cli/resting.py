"""What the drivers of a project have on this machine's disk, as `moonq doctor` tells it.

app:file  queue.driver.sqlite  48 MB
     45 MB  bodies in app:orders
    3.1 MB  free pages
"""

from __future__ import annotations

from typing import Any

import click

from moonq.cli.options import Options
from moonq.drivers import descriptor
from moonq.errors import MoonqError
from moonq.operations import orphans
from moonq.registry.project import Entry, Project
from moonq.text.plain import visible
from moonq.text.wording import size


def document(project: Project) -> dict[str, Any]:
    """Return it as plain data; keys are only ever added."""
    found = [_driver(project, entry) for entry in project.of_kind("queue.driver.")]
    lost = orphans.at_rest(project)
    return {
        "schema": "moonq.doctor.look/1",
        "drivers": found,
        "orphans": [{**one.object(), "hint": one.hint(project)} for one in lost],
    }


def _driver(project: Project, entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {"id": entry.id, "kind": entry.kind}
    try:
        resting = descriptor(entry.kind).rest(entry.config, project.root)
    except MoonqError as problem:
        return {**found, "problem": problem.message, "hint": problem.hint}
    if resting is None:
        return {**found, "size_bytes": 0}
    parts = dict(resting.parts)
    return {**found, "size_bytes": resting.size_bytes, "parts": parts, "notes": [*resting.notes]}


def show(options: Options, found: dict[str, Any]) -> None:
    """Print it for people."""
    for one in found["drivers"]:
        told = size(one["size_bytes"]) if one.get("size_bytes") else "nothing on this disk"
        click.echo(visible(f"{one['id']}  {one['kind']}  {one.get('problem', told)}"))
        for name, count in one.get("parts", {}).items():
            click.echo(visible(f"  {size(count):>8}  {name}"))
        for note in one.get("notes", ()):
            click.echo(visible(f"  note: {note}"))
        if one.get("hint"):
            click.echo(visible(f"  hint: {one['hint']}"))
    for one in found["orphans"]:
        lost = orphans.Orphan(one["queue"], one["driver"], one["messages"])
        click.echo(visible(f"! {lost.sentence()}"))
        click.echo(visible(f"  hint: {one['hint']}"))
    options.say("hold one against the contract with `moonq doctor --driver ID`")
