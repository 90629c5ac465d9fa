"""`moonq status`: show which hosts are running."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from moonq.cli.forwarding import command_of, tell
from moonq.cli.options import Options
from moonq.errors import HostSilent, MoonqError, NoHost
from moonq.operations.verbs import VERBS

_VERB = VERBS["status"]


@command_of(_VERB)
def status(options: Options) -> int:
    """Ask every host of this user."""
    hosts = [facts_of(record) for record in records(options.project)]
    tell(options, _VERB, {"hosts": hosts})
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
    from moonq.control.reaching import client_of

    facts = {
        **{name: record[name] for name in ("project", "path", "pid", "socket")},
        "profile": record.get("profile"),
        "version": record.get("version"),
        "up": round(time.time() - record["started"], 3) if "started" in record else None,
        "problem": "",
    }
    try:
        with client_of(record) as host:
            answer = host.request("status")
    except MoonqError as problem:
        return {**facts, "problem": problem.message}
    return {**facts, **answer}
