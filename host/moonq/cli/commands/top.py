"""`moonq top`: see what a running host does, second by second."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from moonq.cli import arguments
from moonq.cli.attached import all_hosts, host_option
from moonq.cli.completing import completer
from moonq.cli.options import Options, command
from moonq.cli.streams import echo
from moonq.errors import Invalid

if TYPE_CHECKING:
    from moonq.control.together import Together
    from moonq.dashboard.picture import Look, Sort
    from moonq.dashboard.sampling import History

#: Looking more often would cost the host more than it tells.
SHORTEST = 0.1


@command()
@host_option
@click.argument("queues", metavar="[QUEUE]...", nargs=-1, shell_complete=completer("queue"))
@click.option(
    "--interval", type=arguments.duration, default="1s", help="Look so often (default: 1s)."
)
@click.option(
    "--sort",
    type=click.Choice(["name", "dead", "ready", "age"]),
    default="name",
    help="What comes first: the most dead letters, ready messages, or the oldest message.",
)
@click.option("--once", is_flag=True, help="Print one picture and end, as a pipe gets it anyway.")
def top(options: Options, queues: tuple[str, ...], interval: float, sort: Sort, once: bool) -> None:
    """Show the queues and consumers of the running host, or only each QUEUE.

    Where several hosts of the project run here they are shown as one; --host shows one alone.

    Keys: up and down select, Enter shows messages, d dead letters, e errors by kind, l log
    lines, / filters, s sorts, p pauses, ? explains, q leaves. Nothing is consumed, and the host
    goes on. With --json every look is one line; a number that is not known is not in it.

    \b
    Examples:
      moonq top
      moonq top orders --sort dead
      moonq top --once
      moonq top --json | jq '.queues[] | {id, ready}'
    """
    from moonq import views
    from moonq.control.together import Together
    from moonq.dashboard.picture import Look, picture
    from moonq.dashboard.sampling import History, sample
    from moonq.registry import names

    if interval < SHORTEST:
        raise Invalid("--interval is 100ms or longer", hint="give it a unit: --interval 1s")
    with all_hosts(options) as client:
        first = sample(client)
        known = sorted(first.queues)
        only = tuple(names.meant(name, known, str(first.status["project"])) for name in queues)
        look = Look(sort=sort, only=only, interval=interval)
        history = History()
        history.add(first)
        screen = views.Screen.of(sys.stdout, options.color)
        if options.json:
            _stream(client, history, look, once=once)
        elif once or not _has_screen():
            views.show(picture(history.view(), replace(look, is_live=False), screen))
        else:
            from moonq.dashboard.app import show

            show(lambda: Together(options.project, options.host), client, first, look, screen)


def _has_screen() -> bool:
    """Whether there is a terminal that can be drawn on again and again, with keys."""
    is_dumb = os.environ.get("TERM", "dumb") == "dumb"
    return sys.stdin.isatty() and sys.stdout.isatty() and not is_dumb


def _stream(client: Together, history: History, look: Look, *, once: bool) -> None:
    """Write one line of JSON per look, until Ctrl-C or the end of the host."""
    from moonq.dashboard.picture import narrowed
    from moonq.dashboard.sampling import sample

    try:
        while True:
            echo(json.dumps(narrowed(history.view(), look).as_json()))
            if once:
                return
            time.sleep(look.interval)
            history.add(sample(client))
    except KeyboardInterrupt:
        return
