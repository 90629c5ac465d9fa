"""`moonq stop`: end the running host."""

from __future__ import annotations

import json
import time

import click

from moonq.cli import arguments
from moonq.cli.attached import live
from moonq.cli.options import Options, common, pass_options
from moonq.errors import StopTimeout

#: How often it looks whether the host has gone, in seconds.
LOOK = 0.02


@click.command()
@click.option("--now", is_flag=True, help="Do not wait for handlers: hand their messages back.")
@click.option(
    "--timeout",
    type=arguments.duration,
    default="60s",
    metavar="DURATION",
    help="Wait at most so long for its end.",
)
@click.option("--yes", is_flag=True, help="Do it in production as well.")
@common
@pass_options
def stop(options: Options, now: bool, timeout: float, yes: bool) -> int:
    """End the running host, as Ctrl-C in its terminal would, and wait until it has gone.

    Running handlers may finish. Ends with 8 when it has not gone in time.

    \b
    Example:
      moonq stop
    """
    with live(options, changes="stop the host", yes=yes) as host:
        pid, project, place = host.hello["pid"], host.hello["project"], host.place
        host.request("stop", now=now)
        deadline = time.monotonic() + timeout
        while place.is_claimed():
            if time.monotonic() > deadline:
                raise StopTimeout(
                    f"pid {pid} is still at work",
                    hint="moonq stop --now does not wait for handlers",
                )
            time.sleep(LOOK)
    if options.json:
        click.echo(json.dumps({"schema": "moonq.stop/1", "project": project, "pid": pid}))
    else:
        click.echo(f"stopped {project} (pid {pid})")
    return 0
