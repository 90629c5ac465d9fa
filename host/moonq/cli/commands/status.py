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
    """Ask every host of this user, or that of the one project that is named."""
    own, others = records(options.project)
    is_named = "project" in options.given
    hosts = [facts_of(record) for record in [*own, *([] if is_named else others)]]
    tell(options, _VERB, {"hosts": hosts})
    if not hosts:
        whose = f" for {options.project.resolve().name}" if is_named else ""
        raise NoHost(f"no moonq host is running{whose}", hint="start one with `moonq run`")
    # How the hosts of other projects are is shown, and nothing that a script about this one asks.
    is_silent = any(host["problem"] for host in hosts[: len(own)])
    return HostSilent.exit_code if is_silent else 0


def records(project: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what the living hosts of *project* wrote about themselves, and what others did."""
    from moonq.control.locating import all_records, place_of

    place = place_of(project)
    found = {record["lock"]: record for record in all_records()}
    usual = place.record() if place.is_claimed() else None
    if usual is not None:
        found.setdefault(usual["lock"], usual)
    path = str(place.project)
    own = [record for record in found.values() if record["path"] == path]
    return own, [record for record in found.values() if record["path"] != path]


def facts_of(record: dict[str, Any]) -> dict[str, Any]:
    """Return *record* with what the host says of itself, or why it says nothing."""
    from moonq.control.reaching import client_of

    facts = {
        **{name: record[name] for name in ("project", "path", "pid", "socket")},
        **{name: record.get(name) for name in ("profile", "chosen_profile", "production")},
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
