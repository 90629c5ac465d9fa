"""`moonq status`: show which hosts are running."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from moonq import views
from moonq.cli.options import Options, common, pass_options
from moonq.errors import HostSilent, MoonqError, NoHost


@click.command()
@common
@pass_options
def status(options: Options) -> int:
    """Show the hosts of this user: project, process, how long they are up, what they have done.

    Ends with 4 when none is running, and with 5 when one does not answer.

    \b
    Example:
      moonq status --json
    """
    hosts = [facts_of(record) for record in records(options.project)]
    if options.json:
        document = {"schema": "moonq.status/1", "hosts": hosts}
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        views.show(views.hosts({"hosts": hosts}, views.Screen.of(sys.stdout, options.color)))
    if not hosts:
        raise NoHost("no moonq host is running", hint="start one with `moonq run`")
    return HostSilent.exit_code if any(host["problem"] for host in hosts) else 0


def records(project: Path) -> list[dict[str, Any]]:
    """Return what the living hosts wrote about themselves, that of *project* among them."""
    from moonq.control.locating import all_records, place_of

    found = {record["lock"]: record for record in all_records()}
    place = place_of(project)
    own = place.record() if place.is_claimed() else None
    if own is not None:
        found.setdefault(own["lock"], own)
    return list(found.values())


def facts_of(record: dict[str, Any]) -> dict[str, Any]:
    """Return *record* with what the host says of itself, or why it says nothing."""
    from moonq.control.client import connect

    facts = {
        **{name: record[name] for name in ("project", "path", "pid", "socket")},
        "profile": record.get("profile"),
        "version": record.get("version"),
        "up": round(time.time() - record["started"], 3) if "started" in record else None,
        "problem": "",
    }
    try:
        with connect(Path(record["path"]), socket_path=_other(record)) as host:
            answer = host.request("status")
    except MoonqError as problem:
        return {**facts, "problem": problem.message}
    return {**facts, **answer}


def _other(record: dict[str, Any]) -> Path | None:
    """The socket, where it is not at the project's usual place."""
    from moonq.control.locating import place_of

    usual = place_of(Path(record["path"]))
    return None if str(usual.lock_file) == record["lock"] else Path(record["socket"])
