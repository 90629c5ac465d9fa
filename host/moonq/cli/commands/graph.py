"""`moonq graph`: show how entries hang together."""

from __future__ import annotations

import json
import sys

import click

from moonq import views
from moonq.cli.attached import attached
from moonq.cli.completing import complete_entry
from moonq.cli.options import Options, common, pass_options


@click.command()
@click.argument("entry", required=False, shell_complete=complete_entry)
@click.option(
    "--format",
    "form",
    type=click.Choice(["tree", "dot", "mermaid"]),
    default="tree",
    envvar="MOONQ_GRAPH_FORMAT",
    help="How to draw it: for people, for Graphviz, for Mermaid.",
)
@common
@pass_options
def graph(options: Options, entry: str | None, form: str) -> int:
    """Show what ENTRY needs and who needs it; without one, all that hangs together.

    \b
    Examples:
      moonq graph app:orders
      moonq graph --format dot | dot -Tsvg > shop.svg
    """
    with attached(options) as host:
        found = host.request("graph", name=entry)
        middle = host.request("entry", name=entry)["id"] if entry is not None else ""
    if options.json:
        click.echo(json.dumps({"schema": "moonq.graph/1", **found}, ensure_ascii=False))
    else:
        screen = views.Screen.of(sys.stdout, options.color)
        views.show(views.graph(found, screen, middle=middle, form=form))
    return 0
