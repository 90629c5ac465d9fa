"""`moonq dead`: see why messages died, and give them another life or drop them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import click

from moonq.cli import arguments
from moonq.cli.attached import attached, confirmed
from moonq.cli.commands.peek import detail
from moonq.cli.completing import complete_queue
from moonq.cli.dropping import dropped_lines
from moonq.cli.options import Options, common, pass_options
from moonq.text.plain import visible
from moonq.text.wording import age, plural, table

if TYPE_CHECKING:
    from moonq.control.client import Client
    from moonq.control.reaching import Direct

_error = click.option(
    "--error", metavar="FP", help="Only those with this kind of error: a fingerprint of `dead ls`."
)
_older = click.option(
    "--older", type=arguments.duration, metavar="DURATION", help="Only those dead for so long."
)
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group()
def dead() -> None:
    """See why messages died, and give them another life or drop them.

    \b
    Examples:
      moonq dead ls app:orders
      moonq dead show app:orders 01a2…d3e8f1
      moonq dead retry app:orders --error a41
    """


@dead.command()
@click.argument("queue", shell_complete=complete_queue)
@_error
@_older
@click.option("--limit", type=click.IntRange(0, 1000), default=5, help="Newest ones to name.")
@common
@pass_options
def ls(options: Options, queue: str, error: str | None, older: float | None, limit: int) -> int:
    """Group the dead letters of QUEUE by what went wrong.

    \b
    Examples:
      moonq dead ls app:orders
      moonq dead ls app:orders --error a41 --limit 20 --json
    """
    with attached(options) as host:
        found = host.request("dead_letters", queue=queue, error=error, older=older, limit=limit)
    if options.json:
        click.echo(json.dumps({"schema": "moonq.dead/1", **found}, ensure_ascii=False))
    else:
        _show_groups(found)
    return 0


def _show_groups(found: dict[str, Any]) -> None:
    groups, now = found["groups"], time.time()
    kinds = plural(len(groups), "kind")
    click.echo(
        f"{plural(found['count'], 'dead letter')} in {found['dead_queue']}, {kinds} of error"
    )
    if not groups:
        return
    rows = [["fp", "n", "last", "where", "error"]]
    rows += [
        [
            one["fingerprint"],
            str(one["count"]),
            f"{age(max(0.0, now - one['last']))} ago",
            one["where"] or "-",
            _cut(one["error"]),
        ]
        for one in groups
    ]
    click.echo(table(rows, right={1}, indent="  "))
    if found["messages"]:
        click.echo("newest")
        for one in found["messages"]:
            click.echo(f"  {one['id']}")


def _cut(text: str, width: int = 70) -> str:
    line = visible(text)
    return line if len(line) <= width else line[: width - 1] + "…"


@dead.command()
@click.argument("queue", shell_complete=complete_queue)
@click.argument("message_id", metavar="ID")
@common
@pass_options
def show(options: Options, queue: str, message_id: str) -> int:
    """Show one dead letter of QUEUE: body, headers, every attempt and its error.

    \b
    Examples:
      moonq dead show app:orders 01a2…d3e8f1
    """
    with attached(options) as host:
        found = host.request("dead_letter", queue=queue, message=message_id)
    if options.json:
        click.echo(json.dumps({"schema": "moonq.letter/1", **found}, ensure_ascii=False))
    else:
        click.echo("\n".join([f"queue      {found['queue']}", *detail(found)]))
        click.echo("\n".join(attempts(found, time.time())))
    return 0


def attempts(found: dict[str, Any], now: float) -> list[str]:
    """Return what is remembered of each attempt that failed, the last one at the end."""
    errors = found.get("errors", [])
    first = int(found["headers"].get("x_attempts", len(errors))) - len(errors) + 1
    lines = []
    for number, one in enumerate(errors, max(1, first)):
        lines.append("")
        lines.append(f"attempt {number}  {age(max(0.0, now - one['time']))} ago  {one['where']}")
        lines.append(f"  {one['kind']}: {visible(one['message'])}")
        lines += [f"    {visible(row)}" for row in one["traceback"].splitlines()]
    return lines or ["", f"no error is remembered ({found['headers'].get('x_dead_letter_reason')})"]


@dead.command()
@click.argument("queue", shell_complete=complete_queue)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_error
@_older
@click.option("--to", metavar="QUEUE", help="Another queue than the one they came from.")
@_yes
@common
@pass_options
def retry(options: Options, /, queue: str, **given: Any) -> int:
    """Give dead letters of QUEUE another life: all that are there now, or those named.

    Their attempts begin anew, their ids stay. What dies meanwhile is not included.

    \b
    Examples:
      moonq dead retry app:orders --error a41
      moonq dead retry app:orders 01a2…d3e8f1 --yes
    """
    with attached(options, changes=f"retry dead letters of {queue}", yes=given["yes"]) as host:
        snapshot = _snapshot(host, queue, given)
        target = given["to"] or snapshot["queue"]
        if snapshot["count"]:
            options.say(_announcement("retry", snapshot, f"back to {target}, attempts reset"))
            confirmed(options, "proceed?", yes=given["yes"])
        answer = host.request(
            "retry", snapshot=snapshot["snapshot"], confirm=snapshot["queue"], to=given["to"]
        )
    if options.json:
        click.echo(json.dumps({"schema": "moonq.retry/1", **answer}, ensure_ascii=False))
    else:
        click.echo(f"{plural(answer['retried'], 'message')} requeued")
    return 0


@dead.command()
@click.argument("queue", shell_complete=complete_queue)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_error
@_older
@click.option("--no-backup", is_flag=True, help="Keep no copy.")
@_yes
@common
@pass_options
def drop(options: Options, /, queue: str, **given: Any) -> int:
    """Drop dead letters of QUEUE for good: all that are there now, or those named.

    A copy is written to .moonq/trash first, from which they can be published again.

    \b
    Examples:
      moonq dead drop app:orders --error 7f0
    """
    with attached(options, changes=f"drop dead letters of {queue}", yes=given["yes"]) as host:
        snapshot = _snapshot(host, queue, given)
        if snapshot["count"]:
            options.say(_announcement("drop", snapshot, f"from {snapshot['from']}"))
            confirmed(options, "proceed?", yes=given["yes"])
        answer = host.request(
            "drop",
            snapshot=snapshot["snapshot"],
            confirm=snapshot["queue"],
            keep=not given["no_backup"],
        )
    if options.json:
        click.echo(json.dumps({"schema": "moonq.drop/1", **answer}, ensure_ascii=False))
    else:
        click.echo("\n".join(dropped_lines("dropped", answer)))
    return 0


def _snapshot(host: Client | Direct, queue: str, given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = host.request(
        "snapshot",
        queue=queue,
        dead=True,
        ids=list(given["ids"]) or None,
        error=given["error"],
        older=given["older"],
    )
    return found


def _announcement(verb: str, snapshot: dict[str, Any], what: str) -> str:
    moment = time.strftime("%H:%M:%S", time.localtime(snapshot["taken"]))
    count = plural(snapshot["count"], "message")
    part = "" if snapshot["whole"] else ", more than one snapshot holds: repeat it for the rest"
    return f"{verb} {count} (as of {moment}; later ones are not included{part})\n  {what}"
