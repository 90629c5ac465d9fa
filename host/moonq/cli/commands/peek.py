"""`moonq peek`: look at the messages of a queue."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from moonq import views
from moonq.cli.attached import attached
from moonq.cli.completing import complete_queue
from moonq.cli.options import Options, common, pass_options


@click.command()
@click.argument("queue", shell_complete=complete_queue)
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=10, help="How many.")
@click.option(
    "--from",
    "side",
    type=click.Choice(["head", "tail"]),
    default="head",
    envvar="MOONQ_PEEK_FROM",
    help="The next ones, or the last.",
)
@click.option("--id", "message_id", envvar="MOONQ_PEEK_ID", help="Only this message, all of it.")
@click.option(
    "--state",
    type=click.Choice(["ready", "delayed", "leased", "running"]),
    help="Only those in this state.",
)
@click.option("--full", is_flag=True, help="Show whole bodies.")
@click.option("--raw", is_flag=True, help="Print the bodies alone, as they were published.")
@common
@pass_options
def peek(options: Options, /, queue: str, **given: Any) -> int:
    """Show messages of QUEUE; none is consumed.

    Fields that the project redacts stay hidden, except for --raw, which a read-only session may
    not ask for.

    \b
    Examples:
      moonq peek app:orders -n 2
      moonq peek app:orders --id 01a2…d3e8f1 --json
    """
    with attached(options) as host:
        look = _look(host, queue, **given)
    if options.json:
        click.echo(json.dumps({"schema": "moonq.peek/1", **look}, ensure_ascii=False))
    elif given["raw"]:
        for message in look["messages"]:
            click.echo(_raw(message))
    else:
        screen = views.Screen.of(sys.stdout, options.color)
        full = given["full"] or given["message_id"] is not None
        views.show(views.messages(look, screen, full=full))
        for note, important in views.notes(look):
            options.say(note, important=important)
    return 0


def _look(
    host: Any, queue: str, *, limit: int, side: str, message_id: str | None, **given: Any
) -> dict[str, Any]:
    if message_id is not None:
        found = host.request("find", queue=queue, message=message_id, redact=not given["raw"])
        name = found.pop("queue")
        return {"queue": name, "messages": [found], "shown": 1, "left_off": 0}
    look: dict[str, Any] = host.request(
        "peek",
        queue=queue,
        limit=limit,
        tail=side == "tail",
        state=given["state"],
        full=given["full"] or given["raw"],
        redact=not given["raw"],
    )
    return look


def _raw(message: dict[str, Any]) -> str:
    if "text" in message or "base64" in message:
        return str(message.get("text", message.get("base64")))
    return json.dumps(message["body"], ensure_ascii=False)
