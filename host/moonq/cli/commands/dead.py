"""`moonq dead`: see why messages died, and give them another life or drop them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from moonq import views
from moonq.cli import arguments
from moonq.cli.attached import attached, confirmed
from moonq.cli.completing import complete_queue
from moonq.cli.options import Options, common, pass_options
from moonq.text.wording import moment, plural

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
        views.show(views.letters(found, _screen(options)))
    return 0


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
        views.show(views.letter(found, _screen(options)))
    return 0


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
        views.show(views.done(answer, _screen(options)))
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
        views.show(views.dropped(answer, _screen(options)))
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
    count, taken = plural(snapshot["count"], "message"), moment(snapshot["taken"])
    part = "" if snapshot["whole"] else ", more than one snapshot holds: repeat it for the rest"
    return f"{verb} {count} (as of {taken}; later ones are not included{part})\n  {what}"


def _screen(options: Options) -> views.Screen:
    return views.Screen.of(sys.stdout, options.color)
