"""`moonq pause`: let a queue deliver nothing, or a consumer take nothing."""

from __future__ import annotations

import json

import click

from moonq.cli.attached import attached
from moonq.cli.completing import complete_target
from moonq.cli.options import Options, common, pass_options


@click.command()
@click.argument("target", shell_complete=complete_target)
@click.option("--yes", is_flag=True, help="Do it in production as well.")
@common
@pass_options
def pause(options: Options, target: str, yes: bool) -> int:
    """Let a queue deliver nothing, or a consumer take nothing, until it is resumed.

    TARGET is a queue or a consumer. Publishing goes on. What is buffered goes back, what runs may
    finish.

    \b
    Examples:
      moonq pause app:orders
      moonq pause app:orders.consumer
    """
    with attached(options, changes=f"pause {target}", yes=yes) as host:
        answer = host.request("pause", target=target)
    if options.json:
        click.echo(json.dumps({"schema": "moonq.pause/1", **answer}))
    else:
        click.echo(f"paused {answer['paused']}")
    return 0
