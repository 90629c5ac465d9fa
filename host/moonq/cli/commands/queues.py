"""`moonq queues`: show every queue with its numbers."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import click

from moonq.cli.attached import attached
from moonq.cli.options import Options, common, pass_options
from moonq.text.wording import NONE, age, number, rate, table

HEADING = ["queue", "ready", "in-flight", "delayed", "dead", "oldest", "in/s", "out/s", "consumers"]
#: What comes first, by the name of the order.
ORDERS = {"name": "id", "dead": "dead", "ready": "ready", "age": "oldest_age"}


@click.command()
@click.option("--watch", is_flag=True, help="Show it again and again, until Ctrl-C.")
@click.option("--sort", type=click.Choice(list(ORDERS)), default="name", help="What comes first.")
@common
@pass_options
def queues(options: Options, watch: bool, sort: str) -> int:
    """Show every queue: what waits, runs and died, how fast it goes, who serves it.

    A number that the broker cannot give is a dot. Rates are those of the last minute at most.
    Without a running host only queues with a durable driver can be seen.

    \b
    Examples:
      moonq queues
      moonq queues --sort dead --json
    """
    with attached(options) as host:
        while True:
            rows = ordered(host.request("queues")["queues"], sort)
            services = host.request("consumers")["consumers"] if host.is_live else []
            show(options, rows, {one["id"]: one for one in services}, clear=watch)
            if not watch:
                return 0
            time.sleep(1.0)


def ordered(rows: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    """Return *rows* by what is asked for, the largest first."""
    if sort == "name":
        return sorted(rows, key=lambda row: str(row["id"]))
    return sorted(rows, key=lambda row: (-(row.get(ORDERS[sort]) or 0), row["id"]))


def show(
    options: Options,
    rows: list[dict[str, Any]],
    consumers: dict[str, dict[str, Any]],
    *,
    clear: bool,
) -> None:
    """Print the queues."""
    if options.json:
        document = {"schema": "moonq.queues/1", "queues": rows}
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    if clear and sys.stdout.isatty():
        click.echo("\x1b[H\x1b[2J", nl=False, color=True)
    lines = [HEADING, *(_line(row, consumers) for row in rows)]
    click.echo(table(lines, right=range(1, 8)))
    seconds = max((row.get("rate_seconds", 0) for row in rows), default=0)
    if seconds:
        options.say(f"rates: last {age(seconds)}")
    for row in rows:
        if row.get("problem"):
            options.say(f"{row['id']}: {row['problem']}", important=True)


def _line(row: dict[str, Any], consumers: dict[str, dict[str, Any]]) -> list[str]:
    flying = [row.get("leased"), row.get("running")]
    known = [count for count in flying if count is not None]
    return [
        row["id"] + (" (paused)" if row.get("paused") else ""),
        number(row.get("ready")),
        number(sum(known) if known else None),
        number(row.get("delayed")),
        NONE if row["dead_letter"] is None else number(row.get("dead")),
        age(row.get("oldest_age")),
        rate(row.get("in_rate")),
        rate(row.get("out_rate")),
        ", ".join(_consumer(name, consumers) for name in row["consumers"]) or "none",
    ]


def _consumer(name: str, consumers: dict[str, dict[str, Any]]) -> str:
    one = consumers.get(name)
    if one is None:
        return name
    if one.get("paused"):
        return f"{name} paused"
    if one["state"] != "running":
        return f"{name} {one['state']}"
    return f"{name} {one.get('busy', 0)}/{one['concurrency']}"
