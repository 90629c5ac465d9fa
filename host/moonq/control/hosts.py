"""Which of a project's hosts on this machine is meant: any, the one of some name, or all.

    running(Path("shop"))             # where all are that run, the one at the usual place first
    meant(Path("shop"), "blue")       # [the one called blue]; NoHost names those that run
    only(Path("shop"), "")            # the only one; SeveralHosts names those that run

What is true of a queue any host can say. What one host is and does alone is asked of that one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from moonq.control.locating import Place, all_records, place_of, place_of_record, read_record
from moonq.errors import NoHost, SeveralHosts
from moonq.text import suggestions


def running(project: Path) -> list[Place]:
    """Return where the living hosts of *project* are, the one without a name of its own first."""
    usual = place_of(project)
    found = {usual.lock_file: usual}
    for facts in _records(usual):
        if facts["path"] == str(usual.project):
            place = place_of_record(facts)
            found.setdefault(place.lock_file, place)
    living = [place for place in found.values() if place.is_claimed()]
    return sorted(living, key=lambda place: (place != usual, place.name, str(place.lock_file)))


def meant(project: Path, host: str) -> list[Place]:
    """Return where the host is that is called *host* or has that pid; all places, when it is "".

    Raises:
        NoHost: None of that name runs.
    """
    places = running(project)
    if not host:
        return places
    named = [one for one in places if one.name == host] or [
        one for one in places if pid_of(one) == host
    ]
    if named:
        return named
    name = place_of(project).project.name
    close = suggestions.close(host, [one.name for one in places])
    raise NoHost(
        f"no host of {name} is called {host!r}: "
        + (
            f"there {'are' if len(places) > 1 else 'is'} {_listed(places)}"
            if places
            else "none runs"
        ),
        hint=suggestions.question(close)
        or ("`moonq status` lists them" if places else f"start it with `moonq run --name {host}`"),
    )


def only(project: Path, host: str) -> Place:
    """Return where the one host is that can be meant, or would be if it ran.

    Raises:
        NoHost: None is called *host*.
        SeveralHosts: More than one runs.
    """
    places = meant(project, host)
    if len(places) > 1:
        raise several(places, can_all=True)
    return places[0] if places else place_of(project)


def several(places: Sequence[Place], about: str = "", *, can_all: bool = False) -> SeveralHosts:
    """Return the question which of *places* is meant, for it is *about* one host alone."""
    name = places[0].project.name
    # Two that were given sockets of the same name are told apart by their pids.
    names = {one.name for one in places}
    example = places[-1].name if len(names) == len(places) else pid_of(places[-1])
    return SeveralHosts(
        f"{len(places)} hosts of {name} are running: {_listed(places)}"
        + (f"; {about}" if about else ""),
        hint=f"say which one is meant, as in --host {example}" + (", or --all" if can_all else ""),
    )


def pid_of(place: Place) -> str:
    """Return the pid of the host at *place*, as text."""
    return str((place.record() or {}).get("pid", "unknown"))


def _listed(places: Sequence[Place]) -> str:
    return ", ".join(f"{one.name} (pid {pid_of(one)})" for one in places)


def _records(usual: Place) -> Iterator[dict[str, Any]]:
    """Yield what hosts wrote: those beside the *usual* place, whoever runs them, and this user's.

    A host that was given a socket elsewhere is only in the list of its user.
    """
    beside = sorted(usual.lock_file.parent.glob("*.json"))
    yield from filter(None, (read_record(path, usual.owners) for path in beside))
    yield from all_records()
