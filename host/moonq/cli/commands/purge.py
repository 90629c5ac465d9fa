"""`moonq purge`: drop what waits in a queue."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from moonq import views
from moonq.cli import arguments
from moonq.cli.attached import attached, confirmed, confirmed_by_name
from moonq.cli.completing import complete_queue
from moonq.cli.options import Options, common, pass_options
from moonq.control.client import Client
from moonq.text.wording import plural

if TYPE_CHECKING:
    from moonq.control.reaching import Direct

#: More than this, and the name is to be typed.
FEW = 10


@click.command()
@click.argument("queue", shell_complete=complete_queue)
@click.option(
    "--older", type=arguments.duration, metavar="DURATION", help="Only those published so long ago."
)
@click.option("--no-backup", is_flag=True, help="Keep no copy.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common
@pass_options
def purge(options: Options, queue: str, older: float | None, no_backup: bool, yes: bool) -> int:
    """Drop the ready and delayed messages of QUEUE.

    They are counted first, and what arrives later stays. A copy is written to .moonq/trash, and the
    last line says how to publish them again. What runs is not touched, nor are dead letters.

    \b
    Examples:
      moonq purge app:orders
      moonq purge app:orders --older 1d --yes
    """
    with attached(options, changes=f"purge {queue}", yes=yes) as host:
        snapshot = host.request("snapshot", queue=queue, older=older)
        if snapshot["count"]:
            _ask(options, host, snapshot, yes=yes)
        answer = host.request(
            "purge",
            snapshot=snapshot["snapshot"],
            confirm=snapshot["queue"],
            keep=not no_backup,
        )
    if options.json:
        if "backup" in answer:
            answer["undo"] = views.undo(answer)
        click.echo(json.dumps({"schema": "moonq.purge/1", **answer}, ensure_ascii=False))
    else:
        screen = views.Screen.of(sys.stdout, options.color)
        views.show(views.dropped(answer, screen, verb="purged"))
    return 0


def _ask(options: Options, host: Client | Direct, snapshot: dict[str, Any], *, yes: bool) -> None:
    """Say what would be gone, and have it confirmed: by name where it is much or dear."""
    hello = host.hello if isinstance(host, Client) else {}
    where = f" on {hello['project']}" if hello else ""
    more = "" if snapshot["whole"] else " (there are more: repeat it for the rest)"
    count = plural(snapshot["count"], "message")
    options.say(f"purge {count} from {snapshot['queue']}{where} ({snapshot['driver']}){more}")
    if snapshot["count"] > FEW or hello.get("profile") == "production":
        confirmed_by_name(options, snapshot["queue"], yes=yes)
    else:
        confirmed(options, "proceed?", yes=yes)
