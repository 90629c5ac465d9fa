"""`moonq ls`: list the entries of a project."""

from __future__ import annotations

import json
import sys

import click

from moonq import views
from moonq.cli import arguments
from moonq.cli.attached import attached
from moonq.cli.options import Options, common, pass_options


@click.command()
@click.argument("pattern", required=False)
@click.option("--kind", metavar="GLOB", help="Only entries of this kind, such as queue.*")
@click.option(
    "--meta",
    type=arguments.header,
    multiple=True,
    metavar="NAME=VALUE",
    help="Only entries with this note; repeatable.",
)
@common
@pass_options
def ls(
    options: Options, pattern: str | None, kind: str | None, meta: tuple[tuple[str, str], ...]
) -> int:
    """List the entries whose id or name fits PATTERN; all without one.

    They are those of the running host, or of the files where none runs.

    \b
    Examples:
      moonq ls
      moonq ls 'app:*' --kind queue.*
    """
    with attached(options) as host:
        found = host.request("entries", pattern=pattern, entry_kind=kind, meta=dict(meta))
    if options.json:
        click.echo(json.dumps({"schema": "moonq.ls/1", **found}, ensure_ascii=False))
    else:
        views.show(views.entries(found, views.Screen.of(sys.stdout, options.color)))
    return 0
