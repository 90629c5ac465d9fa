"""`moonq queues`: show every queue with its numbers, once or again and again."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from moonq.cli.attached import all_hosts, attached
from moonq.cli.forwarding import command_of, tell
from moonq.cli.options import Options
from moonq.cli.streams import bare
from moonq.operations.verbs import VERBS

if TYPE_CHECKING:
    from moonq.control.reaching import Reached
    from moonq.control.together import Together

_VERB = VERBS["queues"]
ORDERS = ("name", "dead", "ready", "age")
_WATCH = click.Option(["--watch"], is_flag=True, help="Show it again and again, until Ctrl-C.")
_SORT = click.Option(
    ["--sort"], type=click.Choice(ORDERS), default="name", help="What comes first."
)


@contextmanager
def _asked(options: Options) -> Iterator[Reached | Together]:
    """Give the hosts of the project as one, or a private host where none runs."""
    from moonq.control import hosts

    if not hosts.meant(options.project, options.host):
        with attached(options) as host:
            yield host
        return
    with all_hosts(options) as every:
        yield every
        for sentence in every.silent:
            options.say(f"{sentence}: its workers are not counted", important=True)


@command_of(_VERB, _WATCH, _SORT)
def queues(options: Options, watch: bool, sort: str) -> int:
    """Show them until it is enough."""
    from moonq import views
    from moonq.control.asking import beside

    with _asked(options) as host:
        while True:
            answer = host.request("queues")
            found = {**answer, "queues": views.ordered(answer["queues"], sort)}
            told = beside(host, _VERB, {})
            if watch and not options.json and sys.stdout.isatty():
                bare(sys.stdout).write("\x1b[H\x1b[2J")
            tell(options, _VERB, found, sort=sort, **told)
            if not watch:
                return 0
            time.sleep(1.0)
