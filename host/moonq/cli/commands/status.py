"""`moonq status`: show which hosts are running."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from moonq.cli.attached import attached
from moonq.cli.everywhere import all_option
from moonq.cli.forwarding import command_of, tell
from moonq.cli.options import Options
from moonq.control import hosts
from moonq.control.locating import all_records, distrusted, place_of, place_of_record
from moonq.errors import HostSilent, MoonqError, NoHost, Unavailable
from moonq.operations.verbs import VERBS
from moonq.text.plain import visible

_VERB = VERBS["status"]
_ALL = all_option(_VERB, "Ask the drivers of the project who shares them, on whichever machine.")


@command_of(_VERB, _ALL)
def status(options: Options, everywhere: bool) -> int:
    """Ask every host of this user, or those of the one project that is named."""
    if everywhere:
        return _sharing(options)
    if why := distrusted():
        options.warn(f"the hosts of this user are not listed: {visible(why)}")
    own, others = records(options.project)
    if options.host:
        places = hosts.meant(options.project, options.host)
        own = [one for one in own if place_of_record(one) in places]
    is_named = "project" in options.given or bool(options.host)
    found = [facts_of(record) for record in [*own, *([] if is_named else others)]]
    tell(options, _VERB, {"hosts": found})
    if not found:
        whose = f" for {options.project.resolve().name}" if is_named else ""
        raise NoHost(f"no moonq host is running{whose}", hint="start one with `moonq run`")
    # How the hosts of other projects are is shown, and nothing that a script about this one asks.
    is_silent = any(host["problem"] for host in found[: len(own)])
    return HostSilent.exit_code if is_silent else 0


def _sharing(options: Options) -> int:
    """Show who shares the drivers of the project."""
    with attached(options) as host:
        found = host.request("peers")
        name = host.name
    tell(options, VERBS["peers"], found)
    drivers = found["drivers"]
    if any("problem" in one for one in drivers):
        return Unavailable.exit_code
    if not any(one.get("hosts") or ("hosts" in one and one["hosts"] is None) for one in drivers):
        raise NoHost(f"no host has a driver of {name} open", hint="start one with `moonq run`")
    return 0


def records(project: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what the living hosts of *project* wrote about themselves, and what others did."""
    own = [facts for one in hosts.running(project) if (facts := one.record())]
    path = str(place_of(project).project)
    return own, [record for record in all_records() if record["path"] != path]


def facts_of(record: dict[str, Any]) -> dict[str, Any]:
    """Return *record* with what the host says of itself, or why it says nothing."""
    from moonq.control.reaching import client_of

    facts = {
        **{name: record[name] for name in ("project", "path", "pid", "socket")},
        "name": place_of_record(record).name,
        **{name: record.get(name) for name in ("profile", "chosen_profile", "production")},
        "version": record.get("version"),
        "up": _up(record.get("started")),
        "problem": "",
    }
    try:
        with client_of(record) as host:
            answer = host.request("status")
    except MoonqError as problem:
        return {**facts, "problem": problem.message}
    return {**facts, **answer, "name": facts["name"]}


def _up(started: Any) -> float | None:
    return round(time.time() - started, 3) if isinstance(started, int | float) else None
