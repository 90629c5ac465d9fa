"""`moonq stop`: end the running host, and wait until it has gone."""

from __future__ import annotations

import time

import click

from moonq.cli import arguments
from moonq.cli.attached import attached
from moonq.cli.forwarding import command_of, tell
from moonq.cli.options import Options
from moonq.errors import StopTimeout
from moonq.operations.verbs import VERBS

_VERB = VERBS["stop"]
#: How often it looks whether the host has gone, in seconds.
LOOK = 0.02
_TIMEOUT = click.Option(
    ["--timeout"], type=arguments.duration, default="60s", help="Wait at most so long for its end."
)


@command_of(_VERB, _TIMEOUT)
def stop(options: Options, now: bool, timeout: float, yes: bool) -> int:
    """Ask it to end, and look until it has."""
    with attached(options, live=True, changes=_VERB.changes, yes=yes) as host:
        pid, place = host.client.hello["pid"], host.client.place
        host.request("stop", now=now)
        deadline = time.monotonic() + timeout
        while place.is_claimed():
            if time.monotonic() > deadline:
                raise StopTimeout(
                    f"pid {pid} is still at work",
                    hint="moonq stop --now does not wait for handlers",
                )
            time.sleep(LOOK)
        tell(options, _VERB, {"project": host.name, "pid": pid})
    return 0
