"""`moonq queues`: show every queue with its numbers."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import click

from moonq import views
from moonq.cli.attached import attached
from moonq.cli.options import Options, common, pass_options
from moonq.views.queues import ORDERS


@click.command()
@click.option("--watch", is_flag=True, help="Show it again and again, until Ctrl-C.")
@click.option("--sort", type=click.Choice(list(ORDERS)), default="name", help="What comes first.")
@common
@pass_options
def queues(options: Options, watch: bool, sort: str) -> int:
    """Show every queue: what waits, runs and died, how fast it goes, who serves it.

    A number that the broker cannot give is a dot. Rates are those of the last minute at most.
    Without a running host only queues with a durable driver can be seen.

    \b
    Examples:
      moonq queues
      moonq queues --sort dead --json
    """
    with attached(options) as host:
        while True:
            found = host.request("queues")
            services = host.request("consumers")["consumers"] if host.is_live else []
            show(options, found, sort, services, clear=watch)
            if not watch:
                return 0
            time.sleep(1.0)


def show(
    options: Options, found: dict[str, Any], sort: str, consumers: list[Any], *, clear: bool
) -> None:
    """Print the queues."""
    if options.json:
        document = {"schema": "moonq.queues/1", "queues": views.ordered(found["queues"], sort)}
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    if clear and sys.stdout.isatty():
        click.echo("\x1b[H\x1b[2J", nl=False, color=True)
    screen = views.Screen.of(sys.stdout, options.color)
    views.show(views.queues(found, screen, sort=sort, consumers=consumers))
    for note, important in views.notes(found):
        options.say(note, important=important)
