"""`moonq peek`: look at the messages of a queue, or at one of them."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from moonq.cli.attached import attached
from moonq.cli.completing import completer
from moonq.cli.forwarding import command_of, fields_of, tell
from moonq.cli.options import Options
from moonq.cli.streams import bare
from moonq.operations.verbs import VERBS
from moonq.text.plain import visible

_VERB = VERBS["peek"]
_MORE = (
    click.Option(
        ["--from", "side"],
        type=click.Choice(["head", "tail"]),
        default="head",
        envvar="MOONQ_PEEK_FROM",
        help="The next ones, or the last.",
    ),
    click.Option(
        ["--id", "message_id"],
        envvar="MOONQ_PEEK_ID",
        help="Only this message, all of it.",
        shell_complete=completer("message"),
    ),
    click.Option(
        ["--raw"],
        is_flag=True,
        help="Print the bodies alone, as they were published; a terminal gets them written out.",
    ),
)


@command_of(_VERB, *_MORE)
def peek(
    options: Options, side: str, message_id: str | None, raw: bool, full: bool, **given: Any
) -> int:
    """Look at either end of the queue, or find the one message."""
    with attached(options) as host:
        if message_id is not None:
            one = host.request("find", queue=given["queue"], message=message_id, redact=not raw)
            found = {"queue": one.pop("queue"), "messages": [one], "shown": 1, "left_off": 0}
        else:
            fields = {"tail": side == "tail", "full": full or raw, "redact": not raw}
            found = host.request("peek", **fields_of(_VERB, given), **fields)
            del found["next"]  # for those who ask a host again
    if raw and not options.json:
        from moonq import views

        # Who sees them on a terminal has no use for what it would obey.
        show = visible if sys.stdout.isatty() else str
        views.show((show(_raw(message)) for message in found["messages"]), bare(sys.stdout))
    else:
        tell(options, _VERB, found, full=full or message_id is not None)
    return 0


def _raw(message: dict[str, Any]) -> str:
    if "text" in message or "base64" in message:
        return str(message.get("text", message.get("base64")))
    return json.dumps(message["body"], ensure_ascii=False)
