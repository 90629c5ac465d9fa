"""`moonq peek`: look at the messages of a queue."""

from __future__ import annotations

import json
from typing import Any

import click

from moonq.cli.attached import attached
from moonq.cli.completing import complete_queue
from moonq.cli.options import Options, common, pass_options
from moonq.text.plain import visible
from moonq.text.wording import age, number, short, size, table


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
        show(look, full=given["full"] or given["message_id"] is not None)
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


def show(look: dict[str, Any], *, full: bool) -> None:
    """Print what was seen."""
    info = look.get("info", {})
    if info:
        oldest = info.get("oldest_age")
        parts = [look["queue"], f"{number(info.get('ready'))} ready"]
        parts += [f"oldest {age(oldest)}"] if oldest is not None else []
        click.echo(" · ".join(parts))
    if full:
        for message in look["messages"]:
            click.echo("\n" + "\n".join(detail(message)))
    elif look["messages"]:
        click.echo(rows(look["messages"]))
    if look["left_off"]:
        click.echo(f"{look['left_off']} more would not fit; ask for fewer with -n", err=True)


def rows(messages: list[dict[str, Any]]) -> str:
    """Return a line for each of *messages*."""
    from moonq.sandbox.literals import Literals

    literals = Literals()
    lines = [["id", "state", "age", "try", "size", "body"]]
    lines += [
        [
            short(one["id"]),
            one["state"],
            age(one["age"]),
            str(one["attempt"]),
            size(one["size"]),
            body_line(one, literals),
        ]
        for one in messages
    ]
    return table(lines, right={2, 3, 4}, indent="  ")


def body_line(message: dict[str, Any], literals: Any, width: int = 60) -> str:
    """Return the body on one line, as Lua would write it."""
    if "body" in message:
        return str(literals.show(message["body"], width, brief=True))
    if "text" in message:
        text = visible(message["text"])
        return text if len(text) < width and not message.get("cut") else text[: width - 1] + "…"
    return f"[{size(message['size'])}]"


def detail(message: dict[str, Any]) -> list[str]:
    """Return everything about one message, a line for each fact."""
    from moonq.sandbox.literals import Literals

    found = [f"id         {message['id']}"]
    state = message["state"]
    if message.get("due"):
        state += (
            f", due in {age(max(0.0, message['due'] - message['published_at'] - message['age']))}"
        )
    found.append(f"state      {state}, attempt {message['attempt']}")
    found.append(f"published  {age(message['age'])} ago, {size(message['size'])}")
    unusual = [name for name in ("priority", "group") if message.get(name, "normal") != "normal"]
    found += [f"{name:10} {visible(message[name])}" for name in unusual]
    for at, (name, value) in enumerate(sorted(message["headers"].items())):
        found.append(f"{'headers' if at == 0 else '':10} {visible(name)} = {visible(str(value))}")
    if "body" in message:
        lines = Literals().show(message["body"], 88).splitlines()
    else:
        lines = [visible(message.get("text", message.get("base64", "[not shown]")))]
    found += [f"{'body' if at == 0 else '':10} {line}" for at, line in enumerate(lines)]
    return found
