"""What a project stands on and what its drivers hold, as `moonq doctor` tells it.

moonq 0.1.0 · Python 3.12.3 · Lua 5.4 (lupa 2.5) · JSON native · SQLite 3.45.1
socket  /srv/shop/.moonq/host.sock  no host runs
disk  71 GB free
profile  prod
production  true  (moonq.yaml:5 in profile prod)
app:file  queue.driver.sqlite  48 MB
     path .moonq/queues.db · durability full
     45 MB  bodies in app:orders
    3.1 MB  free pages
"""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

from moonq.cli import isolating, surroundings
from moonq.cli.commands.version import VERSIONS
from moonq.cli.options import Options
from moonq.cli.streams import echo
from moonq.databases.database import Database
from moonq.drivers import descriptor
from moonq.drivers.entry import DriverFields
from moonq.errors import MoonqError
from moonq.kinds.database import SqlDatabase
from moonq.kinds.queue import specs_at
from moonq.operations import orphans
from moonq.registry.project import Entry, Project
from moonq.text.plain import visible
from moonq.text.secrets import masked
from moonq.text.wording import origin, size


def document(project: Project) -> dict[str, Any]:
    """Return it as plain data; keys are only ever added."""
    found = [_driver(project, entry) for entry in project.of_kind("queue.driver.")]
    lost = orphans.at_rest(project)
    return {
        "schema": "moonq.doctor.look/1",
        **surroundings.look(project),
        "isolation": isolating.look(project),
        "drivers": found,
        "databases": [_database(project, one) for one in project.of_kind("sql.database")],
        "orphans": [{**one.object(), "hint": one.hint(project)} for one in lost],
    }


def _driver(project: Project, entry: Entry) -> dict[str, Any]:
    driver, config = descriptor(entry.kind), entry.fields(DriverFields)
    found: dict[str, Any] = {
        "id": entry.id,
        "kind": entry.kind,
        "settings": surroundings.settings(entry),
        "durable": driver.capabilities.durable,
    }
    try:
        if driver.reach is not None:
            found["reached"] = masked(driver.reach(config, project.root))
        if driver.advise is not None:
            advice = driver.advise(config, specs_at(project, entry.id))
            found["notes"] = [masked(note) for note in advice]
        resting = driver.rest(config, project.root)
    except MoonqError as problem:
        told = {"problem": problem.message, "hint": problem.hint}
        return {**found, **{name: masked(text) for name, text in told.items()}}
    if resting is None:
        return {**found, "size_bytes": 0}
    parts, notes = dict(resting.parts), [*found.get("notes", ()), *resting.notes]
    return {**found, "size_bytes": resting.size_bytes, "parts": parts, "notes": notes}


def _database(project: Project, entry: Entry) -> dict[str, Any]:
    """Tell of a database that scripts reach: whether it answers, and as whom."""
    config = entry.fields(SqlDatabase)
    found: dict[str, Any] = {
        "id": entry.id,
        "kind": entry.kind,
        "settings": surroundings.settings(entry),
    }
    if config.create and not config.file(project.root).exists():
        return {**found, "reached": "made when a host starts", "notes": []}
    try:
        with closing(Database(config.spec(entry.id, project.root))) as database:
            reached, notes = database.about()
    except MoonqError as problem:
        told = {"problem": problem.message, "hint": problem.hint}
        return {**found, **{name: masked(text) for name, text in told.items()}}
    return {**found, "reached": masked(reached), "notes": [masked(note) for note in notes]}


def show(options: Options, found: dict[str, Any]) -> None:
    """Print it for people."""
    echo(f"{VERSIONS} · SQLite {{sqlite}}".format(**found["versions"]))
    _show_socket(found["socket"])
    echo(f"disk  {size(found['disk']['free_bytes'])} free")
    _show_profile(found)
    isolating.show(found["isolation"])
    for one in found["drivers"]:
        told = size(one["size_bytes"]) if one.get("size_bytes") else "nothing on this disk"
        told = one.get("reached", told)
        echo(visible(f"{one['id']}  {one['kind']}  {one.get('problem', told)}"))
        if one["settings"]:
            said = (f"{name} {_plain(value)}" for name, value in one["settings"].items())
            echo(visible(f"  {' · '.join(said)}"))
        if one["durable"] == "none":
            reason = descriptor(one["kind"]).limits["durable"].reason
            echo(visible(f"  not durable: {reason}"))
        for name, count in one.get("parts", {}).items():
            echo(visible(f"  {size(count):>8}  {name}"))
        for note in one.get("notes", ()):
            echo(visible(f"  note: {note}"))
        if one.get("hint"):
            echo(visible(f"  hint: {one['hint']}"))
    for one in found["databases"]:
        _show_database(one)
    for one in found["stores"]:
        echo(visible(f"{one['id']}  {one['kind']}"))
    for one in found["orphans"]:
        lost = orphans.Orphan(one["queue"], one["driver"], one["messages"])
        echo(visible(f"! {lost.sentence()}"))
        echo(visible(f"  hint: {one['hint']}"))
    options.say("hold one against the contract with `moonq doctor --driver ID`")


def _show_database(one: dict[str, Any]) -> None:
    told = one.get("problem") or one["reached"]
    echo(visible(f"{one['id']}  {one['kind']}  {told}"))
    said = (f"{name} {_plain(value)}" for name, value in one["settings"].items())
    echo(visible(f"  {' · '.join(said)}"))
    for note in one.get("notes", ()):
        echo(visible(f"  note: {note}"))
    if one.get("hint"):
        echo(visible(f"  hint: {one['hint']}"))


def _show_socket(found: dict[str, Any]) -> None:
    running = ", ".join(
        f"pid {one['pid']}" + (f" at {one['socket']}" if one["socket"] != found["path"] else "")
        for one in found["hosts"]
    )
    told = f"running: {running}" if running else "no host runs"
    echo(visible(f"socket  {found['path']}  {found.get('problem', told)}"))
    if found.get("hint"):
        echo(visible(f"  hint: {found['hint']}"))


def _show_profile(found: dict[str, Any]) -> None:
    others = [name for name in found["profiles"] if name != found["profile"]]
    if found["profiles"]:
        more = f" (others: {', '.join(others)})" if others else ""
        echo(visible(f"profile  {found['profile'] or 'none'}{more}"))
    for name, one in found["settings"].items():
        echo(visible(f"{name}  {_plain(one['value'])}  ({origin(one)})"))


def _plain(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list | bool | None) else str(value)
