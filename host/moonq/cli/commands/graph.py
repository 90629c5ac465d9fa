"""`moonq graph`: show how entries hang together."""

from __future__ import annotations

import json
from typing import Any

import click

from moonq.cli.attached import attached
from moonq.cli.completing import complete_entry
from moonq.cli.options import Options, common, pass_options

Edges = list[dict[str, str]]


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
        middle = host.request("entry", name=entry)["id"] if entry is not None else None
    if options.json:
        click.echo(json.dumps({"schema": "moonq.graph/1", **found}, ensure_ascii=False))
    elif form == "dot":
        click.echo("\n".join(dot(found["nodes"], found["edges"])))
    elif form == "mermaid":
        click.echo("\n".join(mermaid(found["nodes"], found["edges"])))
    else:
        kinds = {node["id"]: node["kind"] for node in found["nodes"]}
        roots = [middle] if middle else _roots(kinds, found["edges"])
        click.echo("\n\n".join("\n".join(tree(root, kinds, found["edges"])) for root in roots))
    return 0


def _roots(kinds: dict[str, str], edges: Edges) -> list[str]:
    """What nobody needs: from there everything can be reached."""
    needed = {edge["to"] for edge in edges}
    return [name for name in kinds if name not in needed] or list(kinds)[:1]


def tree(root: str, kinds: dict[str, str], edges: Edges) -> list[str]:
    """Return *root* with what it needs below it, and who uses it at the end."""
    users = [edge for edge in edges if edge["to"] == root]
    lines = [f"{root}  {kinds.get(root, '')}"]
    lines += _branches(root, kinds, edges, "", {root}, more=bool(users))
    if users:
        lines.append("└─ used by")
        for at, edge in enumerate(users):
            mark = "└─" if at == len(users) - 1 else "├─"
            lines.append(f"   {mark} {edge['from']}  {kinds.get(edge['from'], '')}")
    return lines


def _branches(
    name: str,
    kinds: dict[str, str],
    edges: Edges,
    indent: str,
    above: set[str],
    *,
    more: bool = False,
) -> list[str]:
    needs = [edge for edge in edges if edge["from"] == name]
    lines = []
    for at, edge in enumerate(needs):
        last = at == len(needs) - 1 and not more
        target = edge["to"]
        lines.append(
            f"{indent}{'└─' if last else '├─'} {edge['field']}  {target}  {kinds.get(target, '')}"
        )
        if target not in above:
            deeper = indent + ("   " if last else "│  ")
            lines += _branches(target, kinds, edges, deeper, above | {target})
    return lines


def dot(nodes: list[dict[str, Any]], edges: Edges) -> list[str]:
    """Return the graph for Graphviz."""
    lines = ["digraph moonq {", "  rankdir=LR", "  node [shape=box]"]
    lines += [f'  "{node["id"]}" [label="{node["id"]}\\n{node["kind"]}"]' for node in nodes]
    lines += [f'  "{one["from"]}" -> "{one["to"]}" [label="{one["field"]}"]' for one in edges]
    return [*lines, "}"]


def mermaid(nodes: list[dict[str, Any]], edges: Edges) -> list[str]:
    """Return the graph for Mermaid."""
    numbers = {node["id"]: f"n{at}" for at, node in enumerate(nodes)}
    lines = ["flowchart LR"]
    lines += [f'  {numbers[node["id"]]}["{node["id"]}<br>{node["kind"]}"]' for node in nodes]
    lines += [f"  {numbers[one['from']]} -->|{one['field']}| {numbers[one['to']]}" for one in edges]
    return lines
