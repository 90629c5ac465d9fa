"""`moonq reload`: let the running host work with the files as they are now."""

from __future__ import annotations

import json
import sys

import click

from moonq import views
from moonq.cli.attached import live
from moonq.cli.options import Options, common, pass_options


@click.command()
@click.option("--yes", is_flag=True, help="Do it in production as well.")
@common
@pass_options
def reload(options: Options, yes: bool) -> int:
    """Let the running host read the project again and replace what has changed.

    All of it is checked first: a faulty edit changes nothing, is shown, and ends with 3. Messages
    stay in their queues, and those that run finish on the old code.

    \b
    Example:
      moonq reload
    """
    with live(options, changes="reload the project", yes=yes) as host:
        report = host.request("reload")
    if options.json:
        click.echo(json.dumps({"schema": "moonq.reload/1", **report}))
    else:
        views.show(views.reloaded(report, views.Screen.of(sys.stdout, options.color)))
    return 0
