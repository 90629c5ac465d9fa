"""`moonq stop`: end the running host, and wait until it has gone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from moonq.cli import arguments
from moonq.cli.attached import attached
from moonq.cli.everywhere import at_each, places
from moonq.cli.forwarding import command_of, tell
from moonq.cli.options import Options
from moonq.control import hosts
from moonq.errors import StopTimeout
from moonq.operations.verbs import VERBS

if TYPE_CHECKING:
    from moonq.control.locating import Place
    from moonq.control.reaching import Reached

_VERB = VERBS["stop"]
#: How often it looks whether the host has gone, in seconds.
LOOK = 0.02
_TIMEOUT = click.Option(
    ["--timeout"], type=arguments.duration, default="60s", help="Wait at most so long for its end."
)


@command_of(_VERB, _TIMEOUT)
def stop(options: Options, now: bool, timeout: float, yes: bool, everywhere: bool) -> int:
    """Ask it to end, and look until it has."""
    deadline = time.monotonic() + timeout
    changes = _VERB.changes

    def ask(host: Reached) -> dict[str, Any]:
        host.request("stop", now=now)
        return {"project": host.name}

    def wait(place: Place) -> None:
        while place.is_claimed():
            if time.monotonic() > deadline:
                raise StopTimeout(
                    f"pid {hosts.pid_of(place)} is still at work",
                    hint="moonq stop --now does not wait for handlers",
                )
            time.sleep(LOOK)

    if everywhere:
        at_each(options, _VERB, ask, changes=changes, yes=yes, then=wait)
        return 0
    [place] = places(options, everywhere=False)
    with attached(options, live=True, changes=changes, yes=yes, place=place) as host:
        found = {**ask(host), "pid": host.client.hello["pid"], "name": place.name}
        wait(place)
    tell(options, _VERB, found)
    return 0
