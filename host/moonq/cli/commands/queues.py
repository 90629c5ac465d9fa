"""`moonq queues`: show every queue with its numbers, once or again and again."""

from __future__ import annotations

import sys
import time

import click

from moonq.cli.attached import attached
from moonq.cli.forwarding import command_of, tell
from moonq.cli.options import Options
from moonq.operations.verbs import VERBS

_VERB = VERBS["queues"]
ORDERS = ("name", "dead", "ready", "age")
_WATCH = click.Option(["--watch"], is_flag=True, help="Show it again and again, until Ctrl-C.")
_SORT = click.Option(
    ["--sort"], type=click.Choice(ORDERS), default="name", help="What comes first."
)


@command_of(_VERB, _WATCH, _SORT)
def queues(options: Options, watch: bool, sort: str) -> int:
    """Show them until it is enough."""
    from moonq import views
    from moonq.control.asking import beside

    with attached(options) as host:
        while True:
            answer = host.request("queues")
            found = {**answer, "queues": views.ordered(answer["queues"], sort)}
            told = beside(host, _VERB, {})
            if watch and not options.json and sys.stdout.isatty():
                click.echo("\x1b[H\x1b[2J", nl=False, color=True)
            tell(options, _VERB, found, sort=sort, **told)
            if not watch:
                return 0
            time.sleep(1.0)
