"""`moonq reload`: let the running host work with the files as they are now."""

from __future__ import annotations

import json
from typing import Any

import click

from moonq.cli.attached import live
from moonq.cli.options import Options, common, pass_options
from moonq.text.wording import plural


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
        click.echo("\n".join(lines(report)))
    return 0


def lines(report: dict[str, Any]) -> list[str]:
    """Return what was done, a line for each kind of change."""
    changes = [
        f"{what:8} {', '.join(report[what])}"
        for what in ("added", "removed", "changed")
        if report[what]
    ]
    if not changes:
        return ["nothing has changed"]
    done = f"reloaded in {report['took_ms']:.0f} ms"
    if report["replaced"]:
        done += f" · {plural(report['workers'], 'worker')} switched"
    if report["finishing"]:
        done += f" · {plural(report['finishing'], 'message')} finishing on the old code"
    down = [f"not up: {problem}" for problem in report["problems"]]
    kept = [f"{name} keeps its old fields until the next start" for name in report["needs_restart"]]
    return [*changes, done, *down, *kept]
