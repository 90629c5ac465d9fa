"""`moonq resume`: undo `moonq pause`."""

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
def resume(options: Options, target: str, yes: bool) -> int:
    """Let a queue deliver, or a consumer take, again.

    TARGET is a queue or a consumer. It undoes `moonq pause`.

    \b
    Examples:
      moonq resume app:orders
      moonq resume app:orders.consumer
    """
    with attached(options, changes=f"resume {target}", yes=yes) as host:
        answer = host.request("resume", target=target)
    if options.json:
        click.echo(json.dumps({"schema": "moonq.resume/1", **answer}))
    else:
        click.echo(f"resumed {answer['resumed']}")
    return 0
